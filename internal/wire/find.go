package wire

import "bytes"

// Finder looks for the end of a head in a buffer that grows, and looks at no
// byte twice: a client that sends one byte per packet costs no more than one
// that sends the head whole. The zero Finder is ready; use a new one for each
// head.
type Finder struct{ seen int }

// Find returns the length of the head that b begins with, its empty line
// included, or 0 when more bytes are needed. b is the buffer of the call
// before with bytes appended. A *Refusal is returned as soon as the bytes
// cannot become a head: wrong first byte, bare LF, too long.
func (f *Finder) Find(b []byte, l Limits) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if f.seen == 0 && !isToken(b[0]) { // also a TLS ClientHello, or an empty line
		return 0, bad("the request does not begin with a method")
	}
	window := b[:min(len(b), l.headBytes())]
	for f.seen < len(window) {
		i := bytes.IndexByte(window[f.seen:], '\n')
		if i < 0 {
			f.seen = len(window)
			break
		}
		at := f.seen + i
		if at == 0 || window[at-1] != '\r' {
			return 0, bad("a line of the request head does not end in CR LF")
		}
		f.seen = at + 1
		if at >= 2 && window[at-2] == '\n' {
			return at + 1, nil
		}
	}
	if len(window) == l.headBytes() {
		return 0, &Refusal{Status: 431, Reason: "the request head is too large"}
	}
	return 0, nil
}
