package durability

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// token is a JWT of the shared secret.
func token(t testing.TB, claims map[string]any) string {
	t.Helper()
	s, err := jws.NewSigner("HS256", "", secret.New(sharedSecret))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{"iat": time.Now().Unix(), "exp": time.Now().Add(12 * time.Hour).Unix()}
	for k, v := range claims {
		all[k] = v
	}
	text, err := s.Sign("JWT", all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// root may do everything.
func root(t testing.TB) string {
	t.Helper()
	return token(t, map[string]any{"sub": "root", "role": "admin"})
}

// person is somebody who holds what is stored.
func person(t testing.TB, email string) string {
	t.Helper()
	return token(t, map[string]any{"sub": "s-" + email, "email": email})
}

// read reads an answer's JSON.
func read[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return v
}

type madeKey struct {
	ID     string `json:"id"`
	Key    string `json:"key"`
	Prefix string `json:"prefix"`
}

type madeUser struct {
	ID string `json:"id"`
}

// makeKey makes an API key that may read /docs.
func (c *client) makeKey(t testing.TB, url, auth string) madeKey {
	t.Helper()
	return read[madeKey](t, c.must(t, 201, "POST", url+"/tenant/api-keys", auth, `{"name": "k", "scopes": ["docs:read"]}`))
}

func (c *client) makeUser(t testing.TB, url, auth, email string, roles ...string) madeUser {
	t.Helper()
	return read[madeUser](t, c.must(t, 201, "POST", url+"/tenant/users", auth, fmt.Sprintf(`{"email": %q, "roles": %s}`, email, asJSON(roles))))
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // lists of texts
	}
	return string(b)
}

// echo is an upstream that answers what stands in X-Sealed.
func echo(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Header.Get("X-Sealed")))
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return "http://" + l.Addr().String()
}

// engines runs a test on both.
func engines(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, "")
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, storetest.EmptyPostgresURL(t))
	})
}

// open opens the store of a house behind the backs of who serves it.
func (h *house) open(t testing.TB) *store.DB {
	t.Helper()
	return storetest.Open(t, h.store)
}

func change(t testing.TB, db *store.DB, query string, args ...any) {
	t.Helper()
	if err := db.Tx(t.Context(), func(tx *store.Tx) error {
		n, err := tx.Exec(query, args...)
		if err == nil && n == 0 {
			err = fmt.Errorf("no row was changed by %s", query)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// eventually asks until the answer is right.
func eventually(t testing.TB, limit time.Duration, what string, right func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !right() {
		if time.Since(began) > limit {
			t.Fatalf("in vain for %v: %s", limit, what)
		}
		<-time.After(time.Millisecond)
	}
	return time.Since(began)
}

// verified fails the test where the audit trail does not verify.
func (h *house) verified(t testing.TB) {
	t.Helper()
	if out, err := h.try(t, "audit", "verify"); err != nil || !strings.Contains(out, "nothing is wrong") {
		t.Errorf("audit verify: %v\n%s", err, out)
	}
}

// inHouse is a file of the house.
func (h *house) inHouse(name string) string { return filepath.Join(h.dir, name) }

func unmarshal(text string, into any) error { return json.Unmarshal([]byte(text), into) }

// mustRead reads an answer in another goroutine than the test's.
func mustRead[T any](a answer) (v T) {
	if err := unmarshal(a.body, &v); err != nil {
		panic(err)
	}
	return v
}

// hold keeps the write lock of a store for as long as it may be kept.
func hold(t testing.TB, db *store.DB, held chan<- struct{}, release <-chan struct{}) {
	_ = db.Tx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE change_counter SET seq = seq`)
		close(held)
		<-release
		return err
	})
}
