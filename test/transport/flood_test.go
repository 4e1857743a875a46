package transport

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// upstream is an application that a test writes.
func upstream(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	srv := &http.Server{Handler: h}
	l := listen(t)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return "http://" + l.Addr().String()
}

// served fails unless a client of its own is served promptly.
func served(t testing.TB, e *edge, while string) {
	t.Helper()
	c := e.client(&tls.Config{InsecureSkipVerify: true}, true)
	c.Timeout = 5 * time.Second
	if a, err := try(c, "GET", "https://a.example.com/own"); err != nil || a.Body != "own" {
		t.Errorf("%s: another client gets %d, %v", while, a.Status, err)
	}
}

// Clients that connect and never shake hands hold nobody else up.
func TestSlowHandshakesHoldNobodyUp(t *testing.T) {
	t.Parallel()
	e := h2Edge(t, "limits: {headTimeout: 1s}")
	var idle []net.Conn
	for i := range 300 {
		c, err := net.Dial("tcp", e.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i%2 == 0 {
			_, _ = c.Write([]byte{22, 3, 1, 0, 200, 1}) // the beginning of a hello
		}
		idle = append(idle, c)
	}
	served(t, e, "300 handshakes under way")
	for _, c := range idle { // and they end
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := c.Read(make([]byte, 100)); err == nil {
			continue // an alert
		} else if late, ok := err.(net.Error); ok && late.Timeout() {
			t.Fatal("a handshake that never goes on is not ended")
		}
	}
}

// No more streams run at one time than the settings say; one too many is
// refused by itself.
func TestManyStreams(t *testing.T) {
	t.Parallel()
	hold, running := make(chan struct{}), atomic.Int64{}
	app := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		<-hold
	})
	e := h2Edge(t, `sites: [{hosts: [held.example.com], upstream: "`+app+`", routes: [{path: /*, method: any}]}]`)
	f := dialFrames(t, e.Addr)
	most := f.Settings[http2.SettingMaxConcurrentStreams]
	if most == 0 || most > 1000 {
		t.Fatalf("the settings allow %d streams", most)
	}
	held := []field{{":method", "GET"}, {":scheme", "https"}, {":authority", "held.example.com"}, {":path", "/"}}
	first := f.next
	for range most {
		f.request(false, held...)
	}
	if o := f.wait(f.request(false, held...)); o.Reset != http2.ErrCodeRefusedStream && o.Reset != http2.ErrCodeProtocol {
		t.Errorf("the stream too many: %v", o)
	}
	served(t, e, "all streams of another connection in use")
	close(hold)
	if o := f.wait(first); o.Status != "200" && !o.Gone {
		t.Errorf("a held stream: %v", o)
	}
	if n := running.Load(); n > int64(most) {
		t.Errorf("%d requests ran", n)
	}
}

// Streams that are opened and reset at once (CVE-2023-44487) run no more
// requests at one time than others, and hold nobody up.
func TestRapidReset(t *testing.T) {
	t.Parallel()
	now, peak := atomic.Int64{}, atomic.Int64{}
	app := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
		}
		select {
		case <-r.Context().Done():
		case <-time.After(2 * time.Second):
		}
	})
	e := h2Edge(t, `sites: [{hosts: [held.example.com], upstream: "`+app+`", routes: [{path: /*, method: any}]}]`)
	f := dialFrames(t, e.Addr)
	var wg sync.WaitGroup
	wg.Go(func() { // whatever comes back
		for {
			if _, err := f.fr.ReadFrame(); err != nil {
				return
			}
		}
	})
	sent := 0
	for ; sent < 20000; sent++ {
		id := f.request(false, field{":method", "GET"}, field{":scheme", "https"}, field{":authority", "held.example.com"}, field{":path", "/"})
		if f.fr.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			break // cut off: that is an answer too
		}
	}
	served(t, e, "after a rapid reset")
	_ = f.conn.Close()
	wg.Wait()
	if n := peak.Load(); n > 500 {
		t.Errorf("%d requests ran at one time", n)
	}
	t.Logf("%d streams were taken, %d requests ran at most", sent, peak.Load())
}

// Header blocks without end, of plain fields or of back references, end the
// connection or the stream before they fill the memory.
func TestEndlessHeaders(t *testing.T) {
	t.Parallel()
	e := h2Edge(t, "")
	t.Run("continuations", func(t *testing.T) {
		t.Parallel()
		f := dialFrames(t, e.Addr)
		go func() {
			for {
				if _, err := f.fr.ReadFrame(); err != nil {
					return
				}
			}
		}()
		_ = f.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.block(get("/own")...), EndStream: true})
		block, sent := f.block(field{"x-pad", strings.Repeat("v", 12000)}), 0
		for ; sent < 64<<20; sent += len(block) {
			if f.fr.WriteContinuation(1, false, block) != nil {
				break
			}
			block = f.block(field{"x-pad-" + time.Now().Format("05.000000"), strings.Repeat("v", 12000)})
		}
		if sent >= 64<<20 {
			t.Errorf("%d bytes of fields were taken", sent)
		}
		served(t, e, "after continuations without end")
	})
	t.Run("back references", func(t *testing.T) {
		t.Parallel()
		f := dialFrames(t, e.Addr)
		// One field of 4,000 bytes goes into the table; each further one is a byte.
		block := append(f.block(get("/own", field{"x-bomb", strings.Repeat("v", 4000)})...), []byte(strings.Repeat("\xbe", 12000))...)
		_ = f.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndStream: true, EndHeaders: true})
		if o := f.wait(1); !o.Refused() {
			t.Errorf("48 MB of fields in 16 KB: %v", o)
		}
		served(t, e, "after a bomb")
	})
	t.Run("a head that never ends", func(t *testing.T) {
		t.Parallel()
		f := dialFrames(t, e.Addr)
		_ = f.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.block(get("/own")...), EndStream: true})
		served(t, e, "beside a head that never ends")
	})
	for name, flood := range map[string]func(f *frames) error{
		"pings":          func(f *frames) error { return f.fr.WritePing(false, [8]byte{}) },
		"settings":       func(f *frames) error { return f.fr.WriteSettings() },
		"empty data":     func(f *frames) error { return f.fr.WriteData(1, false, nil) },
		"window updates": func(f *frames) error { return f.fr.WriteWindowUpdate(0, 1) },
		"priorities":     func(f *frames) error { return f.fr.WritePriority(1, http2.PriorityParam{StreamDep: 3}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := dialFrames(t, e.Addr)
			f.request(true, get("/own")...)
			_ = f.conn.SetDeadline(time.Now().Add(2 * time.Second)) // nothing is read: answers pile up on the other side
			for range 200000 {
				if flood(f) != nil {
					break
				}
			}
			served(t, e, "after a flood of "+name)
		})
	}
}

// A body that stops arriving, and an answer that nobody takes, end their
// request; others on the same connection go on.
func TestSlowStreams(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{}, 10)
	app := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		defer func() { gone <- struct{}{} }()
		if r.Method == "GET" {
			chunk := make([]byte, 64<<10)
			for range 1000 {
				if _, err := w.Write(chunk); err != nil || r.Context().Err() != nil {
					return
				}
			}
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	})
	e := h2Edge(t, `limits: {bodyIdle: 1s}
sites:
  - {hosts: [slow.example.com], upstream: {url: "`+app+`", idleTimeout: 1s}, routes: [{path: /*, method: any}]}
  - {hosts: [large.example.com], routes: [{path: /, method: get, response: "`+strings.Repeat("x", 20000)+`"}]}`)
	slow := func(method string) []field {
		return []field{{":method", method}, {":scheme", "https"}, {":authority", "slow.example.com"}, {":path", "/"}}
	}
	f := dialFrames(t, e.Addr)
	id := f.request(true, slow("POST")...)
	_ = f.fr.WriteData(id, false, []byte("half"))
	if o := f.wait(id); o.Status != "408" {
		t.Errorf("a body that stops: %v", o)
	}
	if o := f.wait(f.request(false, get("/own")...)); o.Status != "200" {
		t.Errorf("behind it: %v", o)
	}
	ctx, stop := context.WithTimeout(context.Background(), 15*time.Second)
	defer stop()
	select {
	case <-gone:
	case <-ctx.Done():
		t.Error("the application still waits for the body")
	}
	// A window of nothing: the answer can never be sent.
	for name, fields := range map[string][]field{"an upstream's large": slow("GET"), "an upstream's small": get("/x"), "our own small": get("/own"),
		"our own large": {{":method", "GET"}, {":scheme", "https"}, {":authority", "large.example.com"}, {":path", "/"}}} {
		f := dialFrames(t, e.Addr, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		if o := f.wait(f.request(false, fields...)); o.Reset == 0 && !o.Gone {
			t.Errorf("%s answer that nobody takes: %v", name, o)
		}
	}
	select {
	case <-gone:
	case <-ctx.Done():
		t.Error("the application still writes")
	}
}
