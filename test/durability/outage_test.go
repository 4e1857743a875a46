package durability

import (
	"context"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store/storetest"
)

// way is a TCP way to a PostgreSQL server, which can be cut, and which can
// swallow everything as a firewall would.
type way struct {
	l      net.Listener
	socket string

	mu      sync.Mutex
	conns   []net.Conn
	swallow bool
}

// newWay opens one to a server's socket and returns it with the address.
func newWay(t *testing.T, server string) (*way, string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{l: l, socket: filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")}
	go w.accept()
	t.Cleanup(func() {
		_ = l.Close()
		w.cut()
	})
	return w, "postgres://portreeve@" + l.Addr().String() + u.Path + "?sslmode=disable"
}

func (w *way) accept() {
	for {
		c, err := w.l.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		w.conns = append(w.conns, c)
		w.mu.Unlock()
		go w.carry(c)
	}
}

func (w *way) carry(c net.Conn) {
	defer func() { _ = c.Close() }()
	s, err := (&net.Dialer{}).DialContext(context.Background(), "unix", w.socket)
	if err != nil {
		return
	}
	defer func() { _ = s.Close() }()
	w.mu.Lock()
	w.conns = append(w.conns, s)
	w.mu.Unlock()
	go w.pump(c, s)
	w.pump(s, c)
}

func (w *way) pump(from io.Reader, to io.WriteCloser) {
	defer func() { _ = to.Close() }()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		w.mu.Lock()
		gone := w.swallow
		w.mu.Unlock()
		if !gone && n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// swallows has everything vanish, or not any more: what vanished stays so, so
// that connections of before are cut.
func (w *way) swallows(on bool) {
	w.mu.Lock()
	w.swallow = on
	w.mu.Unlock()
	if !on {
		w.cut()
	}
}

// cut closes every connection.
func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// stale is store.maxStale of these tests.
const stale = 2 * time.Second

// outage is one way for a store to go away and to come back.
type outage struct {
	name       string
	away, back func()
	writesOnly bool // what is stored is still read
}

// during asks without pause, and holds every answer against what may be.
type during struct {
	t       *testing.T
	c       *client
	url     string
	auth    string
	key     string // good
	revoked string
	person  string
	probes  string
	since   time.Time
}

func (d *during) ask(path, auth string) answer {
	d.t.Helper()
	a, err := d.c.ask(d.t.Context(), "GET", d.url+path, auth, "")
	if err != nil {
		d.t.Fatalf("%s: %v", path, err)
	}
	return a
}

// caller is one who asks without pause while the store is away.
type caller struct {
	what, path, auth string
	public           bool
	never            bool // may not be answered at all
	works            bool // an operation, whose transaction may be in the middle of it

	refused time.Duration // from when on it was, after the store went away
	longest time.Duration
}

// watch has everybody ask for that long.
func (d *during) watch(callers []*caller, o outage, long time.Duration) {
	d.t.Helper()
	var all sync.WaitGroup
	for _, c := range callers {
		all.Go(func() {
			for time.Since(d.since) < long && !d.t.Failed() {
				d.once(c, o)
			}
		})
	}
	all.Wait()
}

// once asks once. Within store.maxStale what is remembered may still open.
func (d *during) once(c *caller, o outage) {
	began := time.Now()
	late := began.Sub(d.since) > stale+300*time.Millisecond && !o.writesOnly
	a, err := d.c.ask(d.t.Context(), "GET", d.url+c.path, c.auth, "")
	took := time.Since(began)
	c.longest = max(c.longest, took)
	after := time.Since(d.since).Round(time.Millisecond)
	switch {
	case err != nil:
		d.t.Errorf("%s: %v after %v", c.what, err, took)
	case c.public:
		if a.status != 200 || took > time.Second {
			d.t.Errorf("%s: %d after %v", c.what, a.status, took)
		}
	case a.status == 503:
		if took > stale+time.Second && !o.writesOnly && !(c.works && !late && took < 12*time.Second) {
			d.t.Errorf("%s: refused after %v", c.what, took)
		}
		d.flat(a)
		if c.refused == 0 {
			c.refused = after
		}
		if late && took > time.Second { // nobody asks a store in vain that is known to be away
			d.t.Errorf("%s: refused after %v only, when it was known for long that the store is away", c.what, took)
		}
	case c.never && a.status == 401 && !late:
	case a.status == 200 && !c.never && !late:
		c.refused = 0
	default:
		d.t.Errorf("%s: %d %s, %v after the store went away", c.what, a.status, a.body, after)
	}
}

// flat holds a refusal against the shape that callers know.
func (d *during) flat(a answer) {
	d.t.Helper()
	v := read[map[string]any](d.t, a)
	if v["error"] != "Service Unavailable" || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		d.t.Errorf("the refusal is %s %s", a.header.Get("Content-Type"), a.body)
	}
	for _, word := range []string{"sql", "postgres", "SQLITE", ".go:", "dial", "portreeve.db"} {
		if strings.Contains(a.body, word) {
			d.t.Errorf("the refusal tells %q: %s", word, a.body)
		}
	}
}

func (d *during) ready() (ok bool, text string) {
	d.t.Helper()
	a, err := d.c.ask(d.t.Context(), "GET", d.probes+"/readyz", "", "")
	if err != nil {
		d.t.Fatal(err)
	}
	v := read[struct {
		OK      bool     `json:"ok"`
		Reasons []string `json:"reasons"`
		Weak    []string `json:"degraded"`
	}](d.t, a)
	return v.OK, strings.Join(slices.Concat(v.Reasons, v.Weak), "; ")
}

// survives has a store go away and come back under a serving process.
func survives(t *testing.T, h *house, o outage) {
	t.Helper()
	c, auth := newClient(t), root(t)
	probes := freeAddress(t)
	raw, err := os.ReadFile(h.inHouse("portreeve.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	h.write(t, "portreeve.yaml", string(raw)+"probes: {listen: \""+probes+"\"}\n")
	n := h.serve(t)
	d := &during{t: t, c: c, url: n.URL, auth: auth, probes: "http://" + probes}
	d.key = c.makeKey(t, n.URL, auth).Key
	fresh := c.makeKey(t, n.URL, auth).Key
	gone := c.makeKey(t, n.URL, auth)
	c.must(t, 200, "GET", n.URL+"/docs", gone.Key, "")
	c.must(t, 204, "DELETE", n.URL+"/tenant/api-keys/"+gone.ID, auth, "")
	d.revoked = gone.Key
	c.makeUser(t, n.URL, auth, "anna@example.com", "reader")
	d.person = person(t, "anna@example.com")
	for _, who := range []string{d.key, d.person, auth} {
		c.must(t, 200, "GET", n.URL+"/docs", who, "")
	}
	eventually(t, bound, "the end of a key", func() bool { return d.ask("/docs", d.revoked).status == 401 })
	if ok, text := d.ready(); !ok || text != "" {
		t.Errorf("not ready before: %s", text)
	}

	o.away()
	d.since = time.Now()
	callers := []*caller{
		{what: "a public route", path: "/public", public: true},
		{what: "a key", path: "/docs", auth: d.key},
		{what: "a key never seen", path: "/docs", auth: fresh},
		{what: "a revoked key", path: "/docs", auth: d.revoked, never: true},
		{what: "a person", path: "/docs", auth: d.person},
		{what: "a person never seen", path: "/docs", auth: token(t, map[string]any{"sub": "nobody", "role": "reader"})},
		{what: "the administrator", path: "/tenant/users", auth: auth, works: true},
	}
	look := stale + 2500*time.Millisecond
	if o.writesOnly {
		look = time.Second
	}
	d.watch(callers, o, look)
	var refusedAfter time.Duration
	for _, c := range callers {
		refusedAfter = max(refusedAfter, c.refused)
		if !c.public && !o.writesOnly && c.refused == 0 {
			t.Errorf("%s was never refused", c.what)
		}
		t.Logf("%s: %s: refused from %v on, longest answer %v", o.name, c.what, c.refused, c.longest.Round(time.Millisecond))
	}
	began := time.Now()
	a, err := c.ask(t.Context(), "POST", n.URL+"/tenant/api-keys", auth, `{"name": "k", "scopes": ["docs:read"]}`)
	if took := time.Since(began); err != nil || a.status != 503 || took > 12*time.Second {
		t.Errorf("a write while the store is away: %d %s %v after %v", a.status, a.body, err, took)
	} else {
		d.flat(a)
		t.Logf("%s: a write was refused after %v", o.name, took.Round(time.Millisecond))
	}
	if !o.writesOnly {
		if ok, text := d.ready(); !strings.Contains(text, "store") {
			t.Errorf("readiness says %t, %q", ok, text)
		}
	}

	o.back()
	back := eventually(t, 15*time.Second, "the store is back, and so are answers", func() bool {
		for _, who := range []string{d.key, fresh, d.person, auth} {
			if d.ask("/docs", who).status != 200 {
				return false
			}
		}
		return true
	})
	eventually(t, 15*time.Second, "writing", func() bool {
		a, err := c.ask(t.Context(), "POST", n.URL+"/tenant/api-keys", auth, `{"name": "k", "scopes": ["docs:read"]}`)
		return err == nil && a.status == 201
	})
	if ok, text := d.ready(); !ok || text != "" {
		t.Errorf("not ready afterwards: %s", text)
	}
	t.Logf("%s: all refused after %v, all answered %v after it was back", o.name, refusedAfter.Round(time.Millisecond), back.Round(time.Millisecond))
	n.stop(t)
	h.verified(t)
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// P3, P7: a store that is away is a refusal within store.maxStale, whichever way
// it went; what needs no store goes on, and all heals by itself.
func TestALostPostgreSQLIsARefusal(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"killed", "cut off", "swallowed"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			server := storetest.StartServer(t)
			w, address := newWay(t, server.URL)
			o := outage{name: kind}
			switch kind {
			case "killed":
				o.away, o.back = server.Kill, func() { server.Start(t) }
			case "cut off": // and connections are refused
				o.away = func() { w.swallows(true); w.cut() }
				o.back = func() { w.swallows(false) }
			default:
				o.away, o.back = func() { w.swallows(true) }, func() { w.swallows(false) }
			}
			survives(t, newHouse(t, settings{store: address, maxStale: stale.String()}), o)
		})
	}
}

// The same of a file: moved away, or held by somebody else.
func TestALostFileIsARefusal(t *testing.T) {
	t.Parallel()
	t.Run("moved away", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, settings{maxStale: stale.String()})
		file := h.inHouse("portreeve.db")
		move := func(from, to string) {
			if err := os.Rename(from, to); err != nil {
				t.Error(err)
			}
		}
		survives(t, h, outage{name: "moved away", away: func() { move(file, file+".away") }, back: func() { move(file+".away", file) }})
	})
	t.Run("held by another process", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, settings{maxStale: stale.String()})
		held, release := make(chan struct{}), make(chan struct{})
		var done sync.WaitGroup
		survives(t, h, outage{name: "held", writesOnly: true, away: func() {
			db := h.open(t)
			done.Go(func() { hold(t, db, held, release) })
			<-held
		}, back: func() {
			close(release)
			done.Wait()
		}})
	})
}
