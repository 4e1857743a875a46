package castle

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const apiSecret = "castle-api-secret-of-tests"

// peer stands for Castle: it keeps what it is sent and answers as it is told.
type peer struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	bodies []string
	heads  []http.Header
	paths  []string
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{answer: says(`{"policy":{"action":"allow"}}`)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.bodies, p.heads, p.paths = append(p.bodies, string(b)), append(p.heads, r.Header.Clone()), append(p.paths, r.Method+" "+r.URL.Path)
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(func() { p.CloseClientConnections(); p.Close() })
	return p
}

func (p *peer) will(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = h
}

func (p *peer) calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.bodies)
}

// last is the last body, as JSON.
func (p *peer) last(t *testing.T) (path string, body map[string]any, head http.Header) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.bodies) - 1
	if n < 0 {
		t.Fatal("Castle was not called")
	}
	if err := json.Unmarshal([]byte(p.bodies[n]), &body); err != nil {
		t.Fatal(err)
	}
	return p.paths[n], body, p.heads[n]
}

func says(body string) http.HandlerFunc { return status(201, body) }

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// broken answers that never become one.
func reset(w http.ResponseWriter, _ *http.Request) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}

func slow(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(10 * time.Second):
	}
}

func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "5000")
	_, _ = io.WriteString(w, `{"policy":{"action":"allow"}}`)
}

// packed says of a plain body that it is packed.
func packed(coding, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", coding)
		_, _ = io.WriteString(w, body)
	}
}

// cutPacked breaks off in the middle of a packed answer.
func cutPacked(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, `{"policy":{"action":"allow"}}`)
	_ = z.Close()
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes()[:b.Len()-9])
}

func huge(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"policy":{"action":"allow"},"more":"`+strings.Repeat("x", mostAnswer)+`"}`)
}

func noHTTP(w http.ResponseWriter, _ *http.Request) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, _ = io.WriteString(c, "SSH-2.0-"+apiSecret+"\r\n\r\n")
		_ = c.Close()
	}
}

// log keeps what is logged.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// kit is a client, its Castle, its clock and its log.
type kit struct {
	*Client
	peer *peer
	db   *store.DB
	log  *log
	mu   sync.Mutex
	at   time.Time
}

func (k *kit) now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.at
}

func (k *kit) add(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at = k.at.Add(d)
}

func newKit(t *testing.T, db *store.DB, c Config) *kit {
	t.Helper()
	if db == nil {
		db = storetest.SQLite(t)
	}
	k := &kit{peer: newPeer(t), db: db, log: &log{}, at: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	k.Client = k.node(t, c)
	return k
}

// node is a client of a further node.
func (k *kit) node(t *testing.T, c Config) *Client {
	t.Helper()
	c.APISecret, c.BaseURL = secret.New(apiSecret), "http"+"://"+"localhost"
	if c.OnError == "" {
		c.OnError = "deny"
	}
	cl, err := New(Deps{DB: k.db, Now: k.now, Log: slog.New(slog.NewTextHandler(k.log, nil)), Plain: true, Transport: k.peer.transport()}, &c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

// transport leads every call to the peer.
func (p *peer) transport() http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Host = p.Listener.Addr().String()
		return p.Client().Transport.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// event is a sign-in with a token that nobody used.
func (k *kit) event() Event {
	return Event{Type: "$login", Status: "$attempted", Token: []string{"device-token-" + rand.Text()}, IP: netip.MustParseAddr("198.51.100.7"), Email: "alice@example.com",
		Headers: request.Header{{Name: "User-Agent", Value: "test/1"}, {Name: "Cookie", Value: "session=cookie-value"}, {Name: "Authorization", Value: "Bearer bearer-value"}}}
}
