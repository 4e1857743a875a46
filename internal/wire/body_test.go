package wire

import (
	"errors"
	"strings"
	"testing"
)

// takeBy feeds s in pieces of size and returns how much was taken and whether
// the body ended.
func takeBy(b Body, s string, size int) (taken int, done bool, err error) {
	for taken < len(s) && !b.Done() {
		p := s[taken:min(len(s), taken+size)]
		n, err := b.Take([]byte(p))
		taken += n
		if err != nil {
			return taken, false, err
		}
		if n < len(p) && !b.Done() {
			return taken, false, errors.New("took less than it was given")
		}
	}
	return taken, b.Done(), nil
}

func TestChunkedBodies(t *testing.T) {
	t.Parallel()
	const next = "GET / HTTP/1.1\r\n"
	for _, c := range []struct {
		name, body string
		refused    bool
	}{
		{"empty", "0\r\n\r\n", false},
		{"one chunk", "5\r\nhello\r\n0\r\n\r\n", false},
		{"digits of both cases", "1a\r\n" + strings.Repeat("x", 26) + "\r\nA\r\n0123456789\r\n0\r\n\r\n", false},
		{"leading zeros", "0005\r\nhello\r\n000\r\n\r\n", false},
		{"trailers", "0\r\nX: 1\r\nY: 2\r\n\r\n", false},
		{"line breaks in data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", false},
		{"no size", "\r\nhello\r\n0\r\n\r\n", true},
		{"not hexadecimal", "5g\r\nhello\r\n0\r\n\r\n", true},
		{"0x", "0x5\r\nhello\r\n0\r\n\r\n", true},
		{"sign", "+5\r\nhello\r\n0\r\n\r\n", true},
		{"minus", "-1\r\nhello\r\n0\r\n\r\n", true},
		{"underscore", "1_0\r\nhello\r\n0\r\n\r\n", true},
		{"blank before the size", " 5\r\nhello\r\n0\r\n\r\n", true},
		{"blank behind the size", "5 \r\nhello\r\n0\r\n\r\n", true},
		{"extension", "5;a=b\r\nhello\r\n0\r\n\r\n", true},
		{"empty extension", "5;\r\nhello\r\n0\r\n\r\n", true},
		{"extension with LF", "5;\nhello\r\n0\r\n\r\n", true},
		{"bare LF behind the size", "5\nhello\r\n0\r\n\r\n", true},
		{"bare CR behind the size", "5\rhello\r\n0\r\n\r\n", true},
		{"bare LF behind the data", "5\r\nhello\n0\r\n\r\n", true},
		{"chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n", true},
		{"chunk shorter than its size", "6\r\nhello\r\n0\r\n\r\n", true},
		{"any two bytes behind the data", "5\r\nhelloXX0\r\n\r\n", true},
		{"overflowing size", "10000000000000005\r\nhello\r\n0\r\n\r\n", true},
		{"bare LF at the end", "0\r\n\n", true},
		{"trailer with bare LF", "0\r\nX: 1\n\r\n", true},
		{"trailer folded", "0\r\nX: 1\r\n 2\r\n\r\n", true},
		{"trailer with space before colon", "0\r\nX : 1\r\n\r\n", true},
		{"trailer without colon", "0\r\nX\r\n\r\n", true},
		{"trailer with NUL", "0\r\nX: \x00\r\n\r\n", true},
		{"trailer with a length", "0\r\nContent-Length: 1\r\n\r\n", true},
		{"trailer with a length's alias", "0\r\ncontent_length: 1\r\n\r\n", true},
		{"trailer with a credential", "0\r\nAuthorization: Bearer x\r\n\r\n", true},
		{"request instead of a trailer", "0\r\n" + next + "Host: a\r\n\r\n", true},
		{"too many trailers", "0\r\n" + strings.Repeat("X: 1\r\n", 101) + "\r\n", true},
		{"trailers too large", "0\r\nX: " + strings.Repeat("x", MaxTrailer) + "\r\n\r\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{1, 2, 3, 7, 1 << 20} {
				head := Head{ContentLength: -1, Chunked: true}
				n, done, err := takeBy(head.Body(Limits{}), c.body+next, size)
				var r *Refusal
				switch {
				case c.refused && (!errors.As(err, &r) || r.Status != 400 && r.Status != 431):
					t.Errorf("by %d: got taken=%d done=%v err=%v, want a refusal", size, n, done, err)
				case !c.refused && (err != nil || !done || n != len(c.body)):
					t.Errorf("by %d: got taken=%d done=%v err=%v, want %d", size, n, done, err, len(c.body))
				}
			}
		})
	}
}

func TestBodiesOfKnownLength(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{-1, 0, 1, 10} {
		h := Head{ContentLength: length}
		n, done, err := takeBy(h.Body(Limits{}), "0123456789GET", 3)
		if want := int(max(length, 0)); n != want || !done || err != nil {
			t.Errorf("length %d: got %d %v %v, want %d", length, n, done, err, want)
		}
	}
	h := Head{ContentLength: 20}
	if n, done, _ := takeBy(h.Body(Limits{}), "0123456789", 3); n != 10 || done {
		t.Errorf("a body half there: got %d %v", n, done)
	}
}
