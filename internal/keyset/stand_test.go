package keyset_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
)

// signer makes a key of its own for every seed.
func signer(seed byte) *jws.Signer {
	s, err := jws.NewSigner("EdDSA", fmt.Sprintf("kid-%d", seed), ed25519.NewKeyFromSeed([]byte(strings.Repeat(string([]byte{seed}), 32))))
	if err != nil {
		panic(err)
	}
	return s
}

func setOf(seeds ...byte) string {
	list := []json.RawMessage{}
	for _, s := range seeds {
		list = append(list, signer(s).JWK())
	}
	b, err := json.Marshal(map[string]any{"keys": list})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// issuer is an HTTP issuer whose answer to every path can be changed.
type issuer struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	asked  atomic.Int64
}

func newIssuer(t *testing.T, h http.HandlerFunc) *issuer {
	t.Helper()
	i := &issuer{}
	i.say(h)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.asked.Add(1)
		(*i.answer.Load())(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) say(h http.HandlerFunc) { i.answer.Store(&h) }

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) }
}

// clock is a time that stands until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Unix(1_800_000_000, 0)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// logBook collects what is logged.
type logBook struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

func (l *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// kids are the ids of the keys in use, or "not ready".
func kids(s *keyset.Set) string {
	keys, ready := s.Keys()
	if !ready {
		return "not ready"
	}
	out := []string{}
	for _, k := range keys {
		out = append(out, k.ID)
	}
	return strings.Join(out, " ")
}

func want(t *testing.T, s *keyset.Set, ids string) {
	t.Helper()
	if got := kids(s); got != ids {
		t.Errorf("keys: got %q, want %q (%+v)", got, ids, s.Health())
	}
}

// refetch fetches after the limiter's time.
func refetch(c *clock, s *keyset.Set) error {
	c.move(keyset.RefetchEvery)
	return s.Refetch(context.Background())
}
