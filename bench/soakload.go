package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// soaker is the load of a soak, and what came of it.
type soaker struct {
	house  *house
	target target
	token  string
	plain  http.Client // for metrics

	served, events, echoes, broken, reloads, lost atomic.Int64

	mu   sync.Mutex
	said []string // examples of what was lost
}

// How many of each there are at one time.
const (
	soakKept    = 16
	soakH2      = 16 // streams, on few connections
	soakSockets = 8
	soakEvents  = 8
	soakUploads = 2
	soakBroken  = 4
)

// begin starts every kind of client.
func (l *soaker) begin(ctx context.Context, all *sync.WaitGroup) {
	one, two := l.house.tls.client(false, 64), l.house.tls.client(true, 64)
	many := func(n int, kind string, pause time.Duration, do func(context.Context) error) {
		for range n {
			all.Go(func() {
				for ctx.Err() == nil {
					if err := do(ctx); err != nil {
						l.lose(kind, err)
					}
					time.Sleep(pause)
				}
			})
		}
	}
	many(soakKept, "HTTP/1.1", 2*time.Millisecond, func(context.Context) error { return l.get(one, helloPath, 1) })
	many(soakH2, "HTTP/2", 2*time.Millisecond, func(context.Context) error { return l.get(two, measuredPath, 2) })
	many(soakEvents, "events", 0, func(context.Context) error { return l.stream(one) })
	many(soakUploads, "upload", 50*time.Millisecond, func(context.Context) error { return l.upload(two) })
	many(soakSockets, "WebSocket", 0, l.socket)
	many(soakBroken, "broken", 5*time.Millisecond, func(context.Context) error { l.breakOff(); return nil })
	all.Go(func() { l.reload(ctx) })
	all.Go(func() {
		<-ctx.Done()
		time.Sleep(3 * time.Second) // those under way come to their end
		one.CloseIdleConnections()
		two.CloseIdleConnections()
	})
}

// warm makes one request of each kind before the first look.
func (l *soaker) warm() error {
	one, two := l.house.tls.client(false, 1), l.house.tls.client(true, 1)
	defer one.CloseIdleConnections()
	defer two.CloseIdleConnections()
	if err := l.get(one, helloPath, 1); err != nil {
		return err
	}
	return l.get(two, measuredPath, 2)
}

// rest waits until what closes by itself has closed.
func (l *soaker) rest() { time.Sleep(3 * time.Second) }

func (l *soaker) lose(kind string, err error) {
	l.lost.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.said) < 10 {
		l.said = append(l.said, fmt.Sprintf("%s: %v", kind, err))
	}
}

func (l *soaker) examples() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.said...)
}

// do asks and hands the answer to read, which must take all of it.
func (l *soaker) do(c *http.Client, method, path string, body io.Reader, read func(*http.Response) error) error {
	r, err := http.NewRequest(method, l.target.url(path), body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+l.token)
	res, err := c.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is answered %s", path, res.Status)
	}
	if err := read(res); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	l.served.Add(1)
	return nil
}

func (l *soaker) get(c *http.Client, path string, major int) error {
	return l.do(c, http.MethodGet, path, nil, func(res *http.Response) error {
		if res.ProtoMajor != major {
			return fmt.Errorf("was answered over %s", res.Proto)
		}
		b, err := io.ReadAll(res.Body)
		if err == nil && len(b) == 0 {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
}

func (l *soaker) upload(c *http.Client) error {
	return l.do(c, http.MethodPost, uploadPath, bytes.NewReader(make([]byte, largeBytes)), func(res *http.Response) error {
		b, err := io.ReadAll(res.Body)
		if err == nil && string(b) != fmt.Sprint(largeBytes) {
			err = fmt.Errorf("the upstream got %s bytes", b)
		}
		return err
	})
}

// stream reads one stream of events to its end; a reload that leaves its route
// as it was must not end it.
func (l *soaker) stream(c *http.Client) error {
	return l.do(c, http.MethodGet, eventsPath, nil, func(res *http.Response) error {
		b, err := io.ReadAll(res.Body)
		if n := bytes.Count(b, []byte("data: ")); err == nil && n != eventCount {
			err = fmt.Errorf("%d events of %d", n, eventCount)
		} else {
			l.events.Add(int64(n))
		}
		return err
	})
}

// socket opens a WebSocket and echoes on it for two seconds, over reloads.
func (l *soaker) socket(ctx context.Context) error {
	config := l.house.tls.config()
	config.NextProtos = []string{"http/1.1"}
	c, err := openSocket(l.target.address, echoPath, l.token, config)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	message, into := masked(), make([]byte, frameBytes)
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until) && ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		if err := c.echo(message, into); err != nil {
			return err
		}
		l.echoes.Add(1)
	}
	return nil
}

// breakOff is a client that does not behave, one kind by chance. What becomes
// of it is its own affair, so long as it leaves nothing behind.
func (l *soaker) breakOff() {
	l.broken.Add(1)
	raw, err := net.DialTimeout("tcp", l.target.address, 5*time.Second)
	if err != nil {
		l.lose("connect", err)
		return
	}
	defer func() { _ = raw.Close() }()
	_ = raw.SetDeadline(time.Now().Add(5 * time.Second))
	kind := rand.IntN(7)
	if kind == 0 { // no TLS at all
		_, _ = io.WriteString(raw, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		return
	}
	config := l.house.tls.config()
	config.NextProtos = []string{"http/1.1"}
	c := tls.Client(raw, config)
	send := func(text string) { _, _ = fmt.Fprintf(c, text, l.token) }
	switch kind {
	case 1: // half a head
		send("GET " + helloPath + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %.5s")
	case 2: // half a body
		send("POST " + uploadPath + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 1000000\r\n\r\nhalf")
	case 3: // goes away in the middle of an answer
		send("GET " + largePath + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n")
		_, _ = io.CopyN(io.Discard, c, 2000)
	case 4: // goes away in the middle of a stream
		send("GET " + eventsPath + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n")
		_, _ = io.CopyN(io.Discard, c, 300)
	case 5: // a head that is refused
		send("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nX: %.1s\r\n\r\n0\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	case 6: // no token, then a reset
		send("GET " + helloPath + " HTTP/1.1\r\nHost: x\r\nX: %.1s\r\n\r\n")
		if t, ok := raw.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
	}
}
