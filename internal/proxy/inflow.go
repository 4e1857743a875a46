package proxy

import (
	"bytes"
	"io"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// bufferBytes is the size of the one buffer that an exchange reads its answer
// into: head and body alike, so a small answer costs one read.
const bufferBytes = 32 << 10

// maxTrailerBytes bounds the trailers of a chunked answer, and each chunk-size
// line.
const maxTrailerBytes = 16 << 10

// inflow is the unread part of what an upstream sent.
type inflow struct {
	src  io.Reader
	buf  []byte
	r, w int
	seen bool // anything arrived at all
}

func (f *inflow) ready() []byte { return f.buf[f.r:f.w] }

// fill reads once, making room first. It never returns 0 bytes without error.
func (f *inflow) fill() error {
	if f.r == f.w {
		f.r, f.w = 0, 0
	}
	if f.w == len(f.buf) {
		if f.r == 0 {
			f.buf = append(f.buf, make([]byte, len(f.buf))...)
		} else {
			f.w = copy(f.buf, f.buf[f.r:f.w])
			f.r = 0
		}
	}
	for range 100 {
		n, err := f.src.Read(f.buf[f.w:])
		if n > 0 {
			f.w += n
			f.seen = true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// body takes the bytes of a body out of an inflow. It does no I/O.
type body struct {
	in       *inflow
	left     int64 // of the length, or of the chunk; untilClose has none
	kind     bodyKind
	state    chunkState
	trailers int // bytes of them so far
	fields   []request.Field
	done     bool
}

type bodyKind uint8

const (
	counted bodyKind = iota
	chunked
	untilClose
)

type chunkState uint8

const (
	sizeLine chunkState = iota
	chunkData
	chunkEnd
	trailerLine
)

// take returns the next bytes that are there, valid until the next fill; none,
// with done unset, asks for a fill.
func (b *body) take() ([]byte, error) {
	switch {
	case b.done:
		return nil, nil
	case b.kind == chunked:
		return b.takeChunked()
	}
	p := b.in.ready()
	if b.kind == counted {
		if int64(len(p)) > b.left {
			p = p[:b.left]
		}
		b.left -= int64(len(p))
		b.done = b.left == 0
	}
	b.in.r += len(p)
	return p, nil
}

func (b *body) takeChunked() ([]byte, error) {
	for {
		switch b.state {
		case chunkData:
			p := b.in.ready()
			if int64(len(p)) > b.left {
				p = p[:b.left]
			}
			b.in.r += len(p)
			if b.left -= int64(len(p)); b.left == 0 {
				b.state = chunkEnd
			}
			return p, nil
		case chunkEnd:
			p := b.in.ready()
			if len(p) < 2 {
				if len(p) == 1 && p[0] != '\r' {
					return nil, badChunk
				}
				return nil, nil
			}
			if p[0] != '\r' || p[1] != '\n' {
				return nil, badChunk
			}
			b.in.r += 2
			b.state = sizeLine
		default:
			line, ok, err := b.line()
			if err != nil || !ok {
				return nil, err
			}
			if err := b.control(line); err != nil || b.done {
				return nil, err
			}
		}
	}
}

// line takes one line that ends in CRLF.
func (b *body) line() (line []byte, ok bool, err error) {
	p := b.in.ready()
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		if len(p) > maxTrailerBytes {
			return nil, false, badChunk
		}
		return nil, false, nil
	}
	if i == 0 || p[i-1] != '\r' || i > maxTrailerBytes {
		return nil, false, badChunk
	}
	b.in.r += i + 1
	return p[:i-1], true, nil
}

// control reads a chunk-size line or a trailer line.
func (b *body) control(line []byte) error {
	if b.state == trailerLine {
		if len(line) == 0 {
			b.done = true
			return nil
		}
		if b.trailers += len(line); b.trailers > maxTrailerBytes {
			return badChunk
		}
		name, value, ok := strings.Cut(string(line), ":")
		if !ok || !isToken(name) || !valueOK(value) || len(b.fields) == maxTrailers {
			return badChunk
		}
		b.fields = append(b.fields, request.Field{Name: name, Value: blanks(value)})
		return nil
	}
	n, err := chunkSize(line)
	if err != nil {
		return err
	}
	if b.left = n; n == 0 {
		b.state = trailerLine
	} else {
		b.state = chunkData
	}
	return nil
}

// chunkSize reads "1a" or "1a;extension" (RFC 9112 section 7.1), at most 15
// digits.
func chunkSize(line []byte) (int64, error) {
	var n int64
	i := 0
	for ; i < len(line); i++ {
		c := line[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			c = 255
		}
		if c == 255 {
			break
		}
		if i == 15 {
			return 0, badChunk
		}
		n = n<<4 | int64(c)
	}
	if i == 0 {
		return 0, badChunk
	}
	if ext := blanks(string(line[i:])); ext != "" {
		if ext[0] != ';' || !valueOK(ext) {
			return 0, badChunk
		}
	} else if i != len(line) {
		return 0, badChunk
	}
	return n, nil
}
