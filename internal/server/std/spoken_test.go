package std

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/pires/go-proxyproto"
)

// Whatever a trusted proxy sends is refused or comes to an address that may
// stand in rules, and what follows the header is left whole.
func FuzzSpoken(f *testing.F) {
	for _, seed := range []string{
		"PROXY TCP4 203.0.113.7 10.0.0.1 1234 443\r\nGET", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "PROXY UNKNOWN a b c d\r\n", "PROXY TCP4 0.0.0.0 0.0.0.0 1 1\r\n",
		"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00GET", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02GET",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x31\x00\x00", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x14\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02\x20\x00\x05\x01\x00\x00\x00\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		const behind = "GET / HTTP/1.1\r\n"
		r := bufio.NewReaderSize(bytes.NewReader(append(bytes.Clone(raw), behind...)), bufferSize)
		h, err := proxyproto.Read(r)
		if err != nil {
			return
		}
		s := spokenBy(h)
		if !s.Here || s.Client.IsValid() && (s.Local || s.Client.IsUnspecified() || s.Client.Zone() != "" || s.Client.Is4In6()) {
			t.Errorf("%q came to %+v", raw, s)
		}
		if s.Scheme != "" && s.Scheme != "http" && s.Scheme != "https" {
			t.Errorf("the scheme %q", s.Scheme)
		}
		rest, _ := io.ReadAll(r)
		if n := len(raw) + len(behind) - len(rest); n <= 0 || n > 16+4096 {
			t.Errorf("%d bytes of %d were read", n, len(raw))
		}
	})
}
