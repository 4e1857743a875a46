package transport

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// A process that stops tells HTTP/2 clients to go, lets nobody new in, and ends
// what is in flight.
func TestDrainWithHTTP2(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	app := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-release
		_, _ = io.WriteString(w, "done")
	})
	e := h2Edge(t, "drain: 15s\n"+`sites: [{hosts: [held.example.com], upstream: "`+app+`", routes: [{path: /*, method: any}]}]`)
	busy, idle := dialFrames(t, e.Addr), dialFrames(t, e.Addr)
	stream := busy.request(false, field{":method", "GET"}, field{":scheme", "https"}, field{":authority", "held.example.com"}, field{":path", "/"})
	<-begun
	e.Stop()
	away := func(f *frames) *http2.GoAwayFrame {
		for {
			fr, err := f.fr.ReadFrame()
			if err != nil {
				return nil
			}
			if g, ok := fr.(*http2.GoAwayFrame); ok {
				return g
			}
		}
	}
	for name, f := range map[string]*frames{"busy": busy, "idle": idle} {
		if g := away(f); g == nil || g.ErrCode != http2.ErrCodeNo {
			t.Errorf("the %s connection was told %+v", name, g)
		}
	}
	if _, err := idle.fr.ReadFrame(); err == nil {
		// a second GOAWAY with the last stream's number may follow
		if _, err := idle.fr.ReadFrame(); err == nil {
			t.Error("the idle connection stays open")
		}
	}
	eventually(t, "the end of the listener", func() bool {
		c, err := net.DialTimeout("tcp", e.Addr, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	select {
	case err := <-e.Done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	close(release)
	if o := busy.wait(stream); o.Status != "200" || o.Body != "done" {
		t.Errorf("what was in flight: %v %q", o, o.Body)
	}
	select {
	case err := <-e.Done:
		e.Done <- nil
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(12 * time.Second):
		t.Error("it does not end")
	}
}

// By HTTP/1.1 over TLS: Connection: close, and what is in flight ends.
func TestDrainWithTLS(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	app := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-release
	})
	e := h2Edge(t, "drain: 15s\n"+`sites: [{hosts: [held.example.com], upstream: "`+app+`", routes: [{path: /*, method: any}]}]`)
	c := e.client(&tls.Config{InsecureSkipVerify: true}, false)
	got := make(chan answer, 1)
	go func() {
		a, _ := try(c, "GET", "https://held.example.com/")
		got <- a
	}()
	<-begun
	e.Stop()
	eventually(t, "the end of the listener", func() bool {
		c, err := net.DialTimeout("tcp", e.Addr, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	close(release)
	if a := <-got; a.Status != 200 {
		t.Errorf("what was in flight: %d", a.Status)
	}
	if err := <-e.Done; err != nil {
		t.Errorf("it ended with %v", err)
	}
	e.Done <- nil
}
