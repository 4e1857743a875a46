package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// pooled is a httputil.BufferPool, so that the oracle runs at its best.
type pooled struct{ sync.Pool }

func (p *pooled) Get() []byte  { return *p.Pool.Get().(*[]byte) }
func (p *pooled) Put(b []byte) { p.Pool.Put(&b) }

// BenchmarkHop is a small GET through a net/http server to an upstream that
// costs nearly nothing: our hop against ReverseProxy over http.Transport.
func BenchmarkHop(b *testing.B) {
	answer := okHead + "Content-Type: text/plain\r\nContent-Length: 128\r\n\r\n" + strings.Repeat("x", 128)
	set := rawUpstream(b, func(c net.Conn, in *bufio.Reader) {
		for {
			if _, err := readHead(in); err != nil {
				return
			}
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		f := newFront(b, set, nil)
		drive(b, f.Server)
	})
	b.Run("ReverseProxy", func(b *testing.B) {
		target, _ := url.Parse("http://" + set.Address)
		transport := &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true}
		defer transport.CloseIdleConnections()
		s := httptest.NewServer(&httputil.ReverseProxy{
			Rewrite:    func(p *httputil.ProxyRequest) { p.SetURL(target) },
			Transport:  transport,
			BufferPool: &pooled{sync.Pool{New: func() any { b := make([]byte, bufferBytes); return &b }}},
		})
		defer s.Close()
		drive(b, s)
	})
	b.Run("upstream alone", func(b *testing.B) { driveAddress(b, set.Address) })
}

func drive(b *testing.B, s *httptest.Server) { driveAddress(b, s.Listener.Addr().String()) }

// driveAddress asks over keep-alive connections that cost little themselves.
func driveAddress(b *testing.B, address string) {
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		in := bufio.NewReader(c)
		var body [128]byte
		for pb.Next() {
			_, _ = io.WriteString(c, "GET /path HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n")
			if _, err := readHead(in); err != nil {
				b.Error(err)
				return
			}
			if _, err := io.ReadFull(in, body[:]); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
