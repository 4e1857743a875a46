package wire

import "github.com/portreeve/portreeve/internal/request"

// step reads one byte of chunk framing (RFC 9112 section 7.1). Chunk
// extensions are refused: nobody sends them in earnest, and readers disagree
// about where one ends.
func (b *Body) step(c byte) *Refusal {
	switch b.state {
	case chunkSize:
		return b.sizeByte(c)
	case chunkSizeLF:
		if c != '\n' {
			return bad("a chunk size does not end in CR LF")
		}
		b.digits = 0
		b.state = chunkData
		if b.left == 0 {
			b.state = trailerLine
		}
	case chunkDataCR:
		if c != '\r' {
			return bad("a chunk does not end where its size says")
		}
		b.state = chunkDataLF
	case chunkDataLF:
		if c != '\n' {
			return bad("a chunk does not end in CR LF")
		}
		b.state = chunkSize
	case trailerLine, trailerLF:
		return b.trailerByte(c)
	}
	return nil
}

func (b *Body) sizeByte(c byte) *Refusal {
	var v byte
	switch {
	case '0' <= c && c <= '9':
		v = c - '0'
	case 'a' <= c && c <= 'f':
		v = c - 'a' + 10
	case 'A' <= c && c <= 'F':
		v = c - 'A' + 10
	case c == '\r' && b.digits > 0:
		b.state = chunkSizeLF
		return nil
	default:
		return bad("a chunk size is not a plain hexadecimal number")
	}
	if b.digits == maxSizeDigits {
		return bad("a chunk size is too large")
	}
	b.digits++
	b.left = b.left<<4 | int64(v)
	return nil
}

// trailerByte collects trailer lines and checks each before its LF is taken,
// so that a reader behind us never sees the end of a bad one.
func (b *Body) trailerByte(c byte) *Refusal {
	if b.trailer++; b.trailer > MaxTrailer {
		return &Refusal{Status: 431, Reason: "the trailer section is too large"}
	}
	if b.state == trailerLine {
		switch c {
		case '\r':
			b.state = trailerLF
		case '\n':
			return bad("a trailer line does not end in CR LF")
		default:
			b.line = append(b.line, c)
		}
		return nil
	}
	if c != '\n' {
		return bad("a trailer line does not end in CR LF")
	}
	if len(b.line) == 0 {
		b.state, b.line = chunkEnd, nil
		return nil
	}
	f, r := parseField(string(b.line))
	if r != nil {
		return r
	}
	if forbiddenTrailer(f.Name) {
		return bad("a trailer field cannot be one")
	}
	if b.fields++; b.fields > b.limits.headers() {
		return &Refusal{Status: 431, Reason: "the trailer section has too many fields"}
	}
	b.state, b.line = trailerLine, b.line[:0]
	return nil
}

// forbiddenTrailer names fields that frame, route or authenticate a request
// and would come too late (RFC 9110 section 6.5.1).
func forbiddenTrailer(name string) bool {
	switch request.Fold(name) {
	case "transfer-encoding", "content-length", "trailer", "host", "connection", "te", "upgrade", "expect",
		"authorization", "proxy-authorization", "cookie", "content-type", "content-encoding", "content-range":
		return true
	}
	return false
}
