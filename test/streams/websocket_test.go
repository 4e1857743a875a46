package streams

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const wsFile = `environment: test
jwt: {secret: "` + secret + `", leeway: 0s}
rbac: {roles: [{name: watcher, permissions: ["feed:read"]}]}
cors: {origins: ["https://pages.example.com"]}
drain: 5s
routes:
  - {path: /open, method: get, upstream: "http://{UP}"}
  - {path: /ws, method: get, requireAuth: true, upstream: "http://{UP}"}
  - {path: /feed, method: get, requireAuth: true, upstream: "http://{UP}"}
  - {path: /*, method: any, upstream: "http://{UP}"}
`

// echo answers every message with itself, and says who called.
func echo(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: []string{"v2", "v1"},
		CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(4 << 20)
	_ = c.Write(r.Context(), websocket.MessageText, []byte("hello "+r.Header.Get("X-Portreeve-Subject")+r.Header.Get("X-Portreeve-Roles")))
	for {
		kind, p, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if c.Write(r.Context(), kind, p) != nil {
			return
		}
	}
}

func (e *edge) ws(path string, fields ...string) (*websocket.Conn, *http.Response, error) {
	h := http.Header{}
	for i := 0; i < len(fields); i += 2 {
		h.Set(fields[i], fields[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return websocket.Dial(ctx, "ws://"+e.addr+path, &websocket.DialOptions{HTTPHeader: h, Subprotocols: []string{"v1"},
		CompressionMode: websocket.CompressionContextTakeover})
}

func (e *edge) open(path string, fields ...string) *websocket.Conn {
	e.t.Helper()
	c, _, err := e.ws(path, fields...)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = c.CloseNow() })
	c.SetReadLimit(4 << 20)
	return c
}

func read(t testing.TB, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, p, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// closedWith waits for the close of a WebSocket and returns its code.
func closedWith(c *websocket.Conn) (code websocket.StatusCode, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for err == nil {
		_, _, err = c.Read(ctx)
	}
	return websocket.CloseStatus(err), err
}

func TestWebSocketsAreCarriedBothWays(t *testing.T) {
	t.Parallel()
	e := start(t, wsFile, upstream(t, http.HandlerFunc(echo)))
	c, res, err := e.ws("/ws", "Authorization", e.token("amy", time.Hour), "X-Portreeve-Subject", "eve")
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(4 << 20)
	if c.Subprotocol() != "v1" || res.Header.Get("X-Request-Id") == "" {
		t.Errorf("protocol %q, header %v", c.Subprotocol(), res.Header)
	}
	if got := read(t, c); got != "hello amy" {
		t.Errorf("greeted as %q", got)
	}
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		msg := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		go func() { _ = c.Write(context.Background(), websocket.MessageBinary, msg) }()
		if got := read(t, c); got != string(msg) {
			t.Errorf("%d bytes: %d came back", size, len(got))
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, "done"); err != nil {
		t.Errorf("close: %v", err)
	}
	eventually(t, "the access log", func() bool { return e.log.has(`"status":101`) })
}

func TestAWebSocketNeedsWhatItsRouteAsks(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	e := start(t, wsFile, upstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen.Add(1); echo(w, r) })))
	for _, c := range []struct {
		name   string
		fields []string
		want   int
	}{
		{"no credential", nil, 401},
		{"a bad one", []string{"Authorization", "Bearer a.b.c"}, 401},
	} {
		_, res, err := e.ws("/ws", c.fields...)
		if err == nil || res == nil || res.StatusCode != c.want {
			t.Errorf("%s: %v %v, want %d", c.name, res, err, c.want)
		}
	}
	if seen.Load() != 0 {
		t.Errorf("the upstream saw %d handshakes", seen.Load())
	}
}

const handshake = "GET %s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: %s\r\nSec-WebSocket-Key: %s\r\n%s\r\n"

const goodKey = "dGhlIHNhbXBsZSBub25jZQ==" // of RFC 6455 section 1.3
const goodAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

// An answer that is not the answer to this handshake is no upgrade: whoever
// could make an upstream answer 101 would own the connection behind it.
func TestOnlyTheRightAnswerUpgrades(t *testing.T) {
	t.Parallel()
	const good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + goodAccept + "\r\n"
	for _, c := range []struct {
		name, version, key, extra, answer string
		want                              string
	}{
		{"right", "13", goodKey, "", good + "\r\n", "101"},
		{"wrong accept", "13", goodKey, "", strings.Replace(good, "s3p", "t3p", 1) + "\r\n", "502"},
		{"no accept", "13", goodKey, "", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "502"},
		{"two accepts", "13", goodKey, "", good + "Sec-WebSocket-Accept: " + goodAccept + "\r\n\r\n", "502"},
		{"another protocol", "13", goodKey, "", strings.Replace(good, "websocket", "h2c", 1) + "\r\n", "502"},
		{"no Connection", "13", goodKey, "", strings.Replace(good, "Connection: Upgrade\r\n", "", 1) + "\r\n", "502"},
		{"a body", "13", goodKey, "", good + "Content-Length: 5\r\n\r\nhello", "502"},
		{"a subprotocol nobody offered", "13", goodKey, "Sec-WebSocket-Protocol: a, b\r\n", good + "Sec-WebSocket-Protocol: c\r\n\r\n", "502"},
		{"refused by the application", "13", goodKey, "", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "403"},
		{"426 by the application", "13", goodKey, "", "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n", "426"},
		{"old version", "8", goodKey, "", good + "\r\n", "400"},
		{"short key", "13", "c2hvcnQ=", "", good + "\r\n", "400"},
		{"two keys", "13", goodKey, "Sec-WebSocket-Key: " + goodKey + "\r\n", good + "\r\n", "400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var behind atomic.Bool
			up := rawUpstream(t, func(conn net.Conn, in *bufio.Reader) {
				if head(in) == "" {
					return
				}
				_, _ = io.WriteString(conn, c.answer)
				if rest, _ := io.ReadAll(in); strings.Contains(string(rest), "smuggled") {
					behind.Store(true)
				}
			})
			e := start(t, wsFile, up)
			conn, in := e.dial()
			// What comes behind the handshake is a request to whoever did not upgrade.
			_, _ = fmt.Fprintf(conn, handshake+"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", "/open", c.version, c.key, c.extra)
			_ = conn.(*net.TCPConn).CloseWrite()
			got := readAll(in)
			if !strings.HasPrefix(got, "HTTP/1.1 "+c.want+" ") || strings.Count(got, "HTTP/1.1 ") != 1 {
				t.Errorf("got %q, want one %s", got, c.want)
			}
			eventually(t, "the end of the exchange", func() bool { return e.log.has(`"path":"/open"`) })
			if behind.Load() != (c.want == "101") {
				t.Errorf("the bytes behind the handshake reached the upstream: %t", behind.Load())
			}
		})
	}
}

// Two clients whose requests go over pooled connections: what one has done to
// its connection never shows in the other's answers.
func TestUpgradesLeaveNothingToTheNextClient(t *testing.T) {
	t.Parallel()
	var conns atomic.Int64
	up := rawUpstream(t, func(conn net.Conn, in *bufio.Reader) {
		id, asked := conns.Add(1), false
		for n := 1; ; n++ {
			h := head(in)
			if !strings.Contains(h, "HTTP/1.1") {
				return
			}
			if asked {
				t.Error("a connection that carried a handshake carried another request")
			}
			asked = strings.Contains(h, "Upgrade: websocket")
			switch {
			case strings.HasPrefix(h, "GET /up"):
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+goodAccept+"\r\n\r\n"+
					"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
				_, _ = io.Copy(io.Discard, in)
				return
			case strings.HasPrefix(h, "GET /no"): // says no and speaks on
				_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")
				continue
			}
			body := fmt.Sprintf("%d/%d %t", id, n, strings.Contains(h, "victim"))
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
	})
	e := start(t, wsFile, up)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	ask := func() {
		t.Helper()
		res, err := client.Get("http://" + e.addr + "/victim")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body := readAll(res.Body); res.StatusCode != 200 || !strings.HasSuffix(body, " true") {
			t.Fatalf("the victim got %d %q", res.StatusCode, body)
		}
	}
	var all sync.WaitGroup
	for i := range 12 {
		ask()
		all.Go(func() {
			conn, in := e.dial()
			path := []string{"/up", "/no"}[i%2]
			_, _ = fmt.Fprintf(conn, handshake+"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n", path, "13", goodKey, "")
			_ = head(in)
			_, _ = in.Peek(1)
			_ = conn.Close()
		})
		ask()
	}
	all.Wait()
	ask()
}

func TestAWebSocketEndsWithItsCredential(t *testing.T) {
	t.Parallel()
	e := start(t, wsFile, upstream(t, http.HandlerFunc(echo)))
	began := time.Now()
	c := e.open("/ws", "Authorization", e.token("amy", 2*time.Second))
	longer := e.open("/ws", "Authorization", e.token("amy", time.Hour))
	anonymous := e.open("/open")
	if got := read(t, c); got != "hello amy" {
		t.Fatal(got)
	}
	code, err := closedWith(c)
	if code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %d (%v)", code, err)
	}
	if took := time.Since(began); took < 900*time.Millisecond || took > 4*time.Second {
		t.Errorf("after %s", took)
	}
	for _, c := range []*websocket.Conn{longer, anonymous} {
		_ = read(t, c)
		_ = c.Write(t.Context(), websocket.MessageText, []byte("still"))
		if got := read(t, c); got != "still" {
			t.Errorf("got %q", got)
		}
	}
	eventually(t, "the reason in the log", func() bool { return e.log.has("token_expired") })
}

// Within a second after a reload that allows them no more, exchanges end; the
// others stay.
func TestAReloadEndsWhatItNoLongerAllows(t *testing.T) {
	t.Parallel()
	up := upstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/events" {
			events(w, r)
			return
		}
		echo(w, r)
	}))
	e := start(t, wsFile, up)
	amy := e.token("amy", time.Hour)
	stays, feed := e.open("/ws", "Authorization", amy), e.open("/feed", "Authorization", amy)
	_, _ = read(t, stays), read(t, feed)
	res, err := (&http.Client{Timeout: 10 * time.Second}).Get("http://" + e.addr + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	if line, err := lines.ReadString('\n'); err != nil || line != "data: 0\n" {
		t.Fatal(line, err)
	}
	reload := func(yaml string) {
		t.Helper()
		e.write("portreeve.yaml", strings.ReplaceAll(yaml, "{UP}", up))
		if err := e.app.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	changed := strings.Replace(wsFile, "path: /feed, method: get, requireAuth: true", `path: /feed, method: get, requiredPermissions: ["feed:read"]`, 1)
	reload(strings.Replace(changed, "path: /*, method: any", "path: /*, method: any, requireAuth: true", 1))
	at := time.Now()
	code, err := closedWith(feed)
	if code != websocket.StatusPolicyViolation || time.Since(at) > time.Second {
		t.Errorf("the WebSocket closed with %d (%v) after %s", code, err, time.Since(at))
	}
	if _, err := io.Copy(io.Discard, lines); err != nil || time.Since(at) > time.Second {
		t.Errorf("the events ended with %v after %s", err, time.Since(at))
	}
	reload(wsFile)
	_ = stays.Write(t.Context(), websocket.MessageText, []byte("still"))
	if got := read(t, stays); got != "still" {
		t.Errorf("got %q", got)
	}
}

func TestMaxStreamAge(t *testing.T) {
	t.Parallel()
	e := start(t, wsFile+"limits: {maxStreamAge: 1s}\n", upstream(t, http.HandlerFunc(echo)))
	c := e.open("/open")
	_ = read(t, c)
	if code, err := closedWith(c); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d (%v)", code, err)
	}
}

// On SIGTERM each WebSocket is told, between two frames, and the process ends
// well and soon.
func TestDrainTellsWebSockets(t *testing.T) {
	t.Parallel()
	told := make(chan websocket.StatusCode, 8)
	e := start(t, wsFile, upstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		if r.URL.Path == "/flood" { // there is hardly a moment between two frames
			go func() {
				for c.Write(r.Context(), websocket.MessageText, bytes.Repeat([]byte("x"), 50000)) == nil {
				}
			}()
		}
		_, _, err = c.Read(r.Context())
		told <- websocket.CloseStatus(err)
	})))
	quiet, busy := e.open("/quiet"), e.open("/flood")
	over := make(chan error, 2)
	for _, c := range []*websocket.Conn{quiet, busy} {
		go func() {
			code, err := closedWith(c)
			if code != websocket.StatusGoingAway {
				over <- fmt.Errorf("closed with %d: %w", code, err)
			}
			over <- nil
		}()
	}
	time.Sleep(50 * time.Millisecond) // the flood has begun
	began := time.Now()
	e.stop()
	for range 2 {
		if err := <-over; err != nil {
			t.Error(err)
		}
		if code := <-told; code != websocket.StatusGoingAway {
			t.Errorf("an upstream was told %d", code)
		}
	}
	err := <-e.done
	e.done <- nil
	if took := time.Since(began); err != nil || took > 3*time.Second {
		t.Errorf("stopped with %v after %s", err, took)
	}
}

// A client that reads nothing holds up nobody, and goes.
func TestASlowClientStopsNobody(t *testing.T) {
	t.Parallel()
	e := start(t, wsFile, upstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ok" {
			_, _ = io.WriteString(w, "ok")
			return
		}
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for c.Write(r.Context(), websocket.MessageBinary, make([]byte, 1<<20)) == nil {
		}
	})))
	for range 8 {
		conn, in := e.dial()
		_, _ = fmt.Fprintf(conn, handshake, "/flood", "13", goodKey, "")
		if h := head(in); !strings.Contains(h, "101") {
			t.Fatal(h)
		}
	}
	for range 20 {
		res, err := http.Get("http://" + e.addr + "/ok")
		if err != nil {
			t.Fatal(err)
		}
		if body := readAll(res.Body); body != "ok" {
			t.Fatal(body)
		}
		_ = res.Body.Close()
	}
	began := time.Now()
	e.stop()
	if err := <-e.done; err != nil || time.Since(began) > 4*time.Second {
		t.Errorf("stopped with %v after %s", err, time.Since(began))
	}
	e.done <- nil
}

// Both sides leave at any moment; nothing stays behind.
func TestWebSocketsLeaveNothingBehind(t *testing.T) { // not parallel: it counts goroutines
	var open atomic.Int64
	before := 0
	t.Run("many", func(t *testing.T) {
		e := start(t, wsFile, upstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			open.Add(1)
			defer open.Add(-1)
			if r.URL.Query().Get("leave") != "" {
				c, err := websocket.Accept(w, r, nil)
				if err == nil {
					_ = c.CloseNow()
				}
				return
			}
			echo(w, r)
		})))
		c := e.open("/open")
		_ = read(t, c)
		_ = c.Close(websocket.StatusNormalClosure, "")
		eventually(t, "the first to end", func() bool { return open.Load() == 0 })
		time.Sleep(100 * time.Millisecond)
		before = runtime.NumGoroutine()
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				path := "/open"
				if i%3 == 0 {
					path += "?leave=1"
				}
				c, _, err := e.ws(path)
				if err != nil {
					t.Error(err)
					return
				}
				if i%3 == 1 {
					_ = c.Close(websocket.StatusNormalClosure, "")
				}
				_ = c.CloseNow()
			})
		}
		all.Wait()
		eventually(t, "every WebSocket to end", func() bool { return open.Load() == 0 })
		eventually(t, "every goroutine to end", func() bool { return runtime.NumGoroutine() <= before+2 })
	})
}
