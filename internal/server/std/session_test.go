package std

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// lodgers is a store of sessions: the provider jwt signed in whoever the cookie
// names, but for those who are gone.
type lodgers struct{}

func (lodgers) Verify(_ context.Context, cookie, _ string) (*principal.Principal, error) {
	if strings.HasPrefix(cookie, "gone") {
		return nil, fault.New(fault.Unauthenticated, identity.CodeSessionEnded, "")
	}
	return &principal.Principal{Provider: "jwt", Subject: cookie, SessionID: "s1"}, nil
}

const lodger = identity.CookieSession + "=lodger-0123456789"

// get asks with header lines, and follows nothing.
func (h *house) get(path string, fields ...string) *http.Response {
	h.t.Helper()
	req, _ := http.NewRequest("GET", "http://"+h.addr+path, nil)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func browsing(more ...string) []string {
	return append([]string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: none", "Accept: text/html"}, more...)
}

func session(idle, absolute time.Duration, renew string) *policy.Known {
	return &policy.Known{Tenant: "acme", Renew: renew, Session: &policy.SessionFacts{ID: "s1", Idle: time.Now().Add(idle), Absolute: time.Now().Add(absolute)}}
}

func TestABrowserIsLedToSignInAndThatIsNoRefusal(t *testing.T) {
	t.Parallel()
	needs := gateway.SurfaceRoute{Method: "GET", Path: "/page", Public: true, Op: gateway.Operation{Surface: "things", Name: "show", HTML: true,
		Run: func(context.Context, *gateway.Call) (request.Reply, error) {
			return request.Reply{}, fault.New(fault.Unauthenticated, "sign_in_first", "")
		}}}
	h := newHouse(t, "127.0.0.1:1", needs)
	for _, c := range []struct {
		path, to, led, cookie string
		fields                []string
	}{
		{"/up/x?a=1", "/.portreeve/login/jwt?return=%2Fup%2Fx%3Fa%3D1", "unauthenticated", "", browsing()},
		{"/up/x", "/.portreeve/login/jwt?return=%2Fup%2Fx", identity.CodeSessionEnded, "__Host-portreeve=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0", browsing("Cookie: " + identity.CookieSession + "=gone-0123456789ab")},
		{"/page", "/.portreeve/login/jwt?return=%2Fpage", "sign_in_first", "", browsing()},
	} {
		res, o := h.get(c.path, c.fields...), <-h.records
		if res.StatusCode != 302 || res.Header.Get("Location") != c.to || res.Header.Get("Set-Cookie") != c.cookie || res.Header.Get("X-Portreeve-Decision") != "" {
			t.Errorf("%s: %s %v", c.path, res.Status, res.Header)
		}
		if o.Decision != "" || o.Steps != nil || o.Fault != nil || o.Led != c.led || o.Status != 302 {
			t.Errorf("%s: recorded %+v", c.path, o)
		}
	}
	res, o := h.get("/up/x", "Accept: */*"), <-h.records
	if res.StatusCode != 401 || o.Led != "" || o.Decision == "" || len(o.Steps) == 0 || o.Fault == nil {
		t.Errorf("a program: %s, recorded %+v", res.Status, o)
	}
}

func TestANewCookieGoesWithWhateverIsAnswered(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Cookie"), "__Host") {
			t.Errorf("the upstream sees %q", r.Header.Get("Cookie"))
		}
		if r.Header.Get("Upgrade") != "" {
			c, rw, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
			_ = rw.Flush()
			_, _ = io.Copy(io.Discard, rw)
			_ = c.Close()
			return
		}
		w.Header().Add("Set-Cookie", "theirs=1")
		w.Header().Add("Set-Cookie", "__Host-portreeve=stolen")
		w.Header().Set("Cache-Control", "public, max-age=60")
	}))
	t.Cleanup(up.Close)
	h := newHouse(t, up.Listener.Addr().String())
	h.known.Store(session(time.Hour, time.Hour, "a-new-value-of-it"))
	const want = "__Host-portreeve=a-new-value-of-it; Path=/; Secure; HttpOnly; SameSite=Lax"
	res := h.get("/up/x", "Cookie: a=b; "+lodger)
	if got := res.Header.Values("Set-Cookie"); len(got) != 2 || got[0] != want || got[1] != "theirs=1" {
		t.Errorf("%s %v", res.Status, got)
	}
	if cc := res.Header.Get("Cache-Control"); strings.Contains(cc, "public") || !strings.Contains(cc, "private") {
		t.Errorf("a shared cache may keep it: %q", cc)
	}
	if res := h.get("/.portreeve/whoami", "Cookie: "+lodger); res.Header.Get("Set-Cookie") != want {
		t.Errorf("whoami: %v", res.Header)
	}
	if res := h.get("/nowhere", "Cookie: "+lodger); res.StatusCode != 404 || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("where nobody was asked about: %s %v", res.Status, res.Header)
	}
	res = h.get("/up/ws", "Cookie: "+lodger, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-Fetch-Site: same-origin")
	if res.StatusCode != 101 || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("a WebSocket: %s %v", res.Status, res.Header)
	}
}

// follow opens an endless answer by a session.
func (h *house) follow() <-chan struct{} {
	h.t.Helper()
	res := h.get("/up/events", "Cookie: "+lodger)
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); res.StatusCode != 200 || err != nil || line != "data: first\n" {
		h.t.Fatal(res.Status, line, err)
	}
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, res.Body)
		close(over)
	}()
	return over
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		idle, absolute time.Duration
		then           *policy.Known // once it runs; nil: nothing changes
	}{
		"idle":         {800 * time.Millisecond, time.Hour, nil},
		"too old":      {time.Hour, 800 * time.Millisecond, nil},
		"revoked":      {time.Hour, time.Hour, &policy.Known{Refuse: fault.New(fault.Unauthenticated, identity.CodeSessionEnded, "")}},
		"shorter then": {time.Hour, time.Hour, session(time.Millisecond, time.Hour, "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, endless(t))
			h.known.Store(session(c.idle, c.absolute, ""))
			over := h.follow()
			if c.then != nil {
				h.known.Store(c.then)
				h.changes.Add(1)
			}
			begun := time.Now()
			ends(t, over)
			if took := time.Since(begun); took > 4*time.Second {
				t.Errorf("it took %v", took)
			}
			if o := <-h.records; o.Fault == nil || o.Fault.Kind != fault.Unauthenticated {
				t.Errorf("recorded %v", o.Fault)
			}
		})
	}
}

func TestAStreamGoesOnWhileItsSessionIsUsed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, endless(t))
	h.known.Store(session(800*time.Millisecond, time.Hour, ""))
	over := h.follow()
	h.known.Store(session(time.Hour, time.Hour, "")) // another tab used it
	h.changes.Add(1)
	select {
	case <-over:
		t.Fatal("it ended by when the session would have been idle")
	case <-time.After(1500 * time.Millisecond):
	}
	h.known.Store(&policy.Known{Refuse: fault.New(fault.Unauthenticated, identity.CodeSessionEnded, "")})
	h.changes.Add(1)
	ends(t, over)
}
