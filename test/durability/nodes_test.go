package durability

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store/storetest"
)

// bound is how soon a change holds on every other node (spec P7: store.maxStale).
const bound = 5 * time.Second

// spans are how long something took, many times.
type spans []time.Duration

func (s spans) report(t *testing.T, what string, limit time.Duration) {
	t.Helper()
	slices.Sort(s)
	round := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
	t.Logf("%-32s %3d times: p50 %v, p95 %v, max %v", what, len(s), round(s[len(s)/2]), round(s[len(s)*95/100]), round(s[len(s)-1]))
	if s[len(s)-1] > limit {
		t.Errorf("%s: up to %v, the bound is %v", what, s[len(s)-1], limit)
	}
}

// changes measure from the acknowledgement of a change at one place (make) to
// the first answer by it at another (the node that c asks).
type changes struct {
	here, there string // URLs: who is told, who must follow
	c           *client
	auth        string
	spans       map[string]*spans
}

func (m *changes) until(t *testing.T, what, path, auth string, right func(answer) bool) {
	t.Helper()
	took := eventually(t, 2*bound, what, func() bool {
		a, err := m.c.ask(t.Context(), "GET", m.there+path, auth, "")
		if err != nil || a.status >= 500 {
			t.Fatalf("%s: %d %s %v", what, a.status, a.body, err)
		}
		return right(a)
	})
	if m.spans[what] == nil {
		m.spans[what] = &spans{}
	}
	*m.spans[what] = append(*m.spans[what], took)
}

func status(want int) func(answer) bool { return func(a answer) bool { return a.status == want } }

// round makes every change once.
func (m *changes) round(t *testing.T, i int) {
	t.Helper()
	c := m.c
	// A key that the other node has just seen, ended here.
	k := c.makeKey(t, m.here, m.auth)
	m.until(t, "a new key", "/docs", k.Key, status(200))
	c.must(t, 200, "PATCH", m.here+"/tenant/api-keys/"+k.ID, m.auth, `{"disabled": true}`)
	m.until(t, "a key disabled", "/docs", k.Key, status(401))
	c.must(t, 200, "PATCH", m.here+"/tenant/api-keys/"+k.ID, m.auth, `{"disabled": false}`)
	m.until(t, "a key enabled", "/docs", k.Key, status(200))
	turned := read[madeKey](t, c.must(t, 200, "POST", m.here+"/tenant/api-keys/"+k.ID+"/rotate", m.auth, `{}`))
	m.until(t, "a key rotated: the old secret", "/docs", k.Key, status(401))
	m.until(t, "a key rotated: the new secret", "/docs", turned.Key, status(200))
	c.must(t, 204, "DELETE", m.here+"/tenant/api-keys/"+k.ID, m.auth, "")
	m.until(t, "a key revoked", "/docs", turned.Key, status(401))

	// A user whose role and standing change.
	email := fmt.Sprintf("p%d@example.com", i)
	u := c.makeUser(t, m.here, m.auth, email, "reader")
	p := person(t, email)
	m.until(t, "a user added", "/docs", p, status(200))
	c.must(t, 200, "DELETE", m.here+"/rbac/assign", m.auth, fmt.Sprintf(`{"userId": %q, "role": "reader"}`, u.ID))
	m.until(t, "a role taken", "/docs", p, status(403))
	role := fmt.Sprintf("r%d", i)
	c.must(t, 201, "POST", m.here+"/rbac/roles", m.auth, fmt.Sprintf(`{"name": %q, "permissions": ["docs:read"]}`, role))
	c.must(t, 200, "POST", m.here+"/rbac/assign", m.auth, fmt.Sprintf(`{"userId": %q, "role": %q}`, u.ID, role))
	m.until(t, "a role given", "/docs", p, status(200))
	c.must(t, 200, "PUT", m.here+"/rbac/roles/"+role, m.auth, `{"permissions": ["docs:write"]}`)
	m.until(t, "a role's permissions changed", "/docs", p, status(403))
	c.must(t, 200, "PUT", m.here+"/rbac/roles/"+role, m.auth, `{"permissions": ["docs:read"]}`)
	m.until(t, "a role's permissions given back", "/docs", p, status(200))
	c.must(t, 200, "PATCH", m.here+"/tenant/users/"+u.ID, m.auth, `{"disabled": true}`)
	m.until(t, "a user disabled", "/docs", p, status(403))

	// A secret in an upstream's header.
	value := fmt.Sprintf("v%d", i)
	body, method := fmt.Sprintf(`{"key": "S0", "newValue": %q}`, value), "/tenant/secrets/rotate"
	want := 200
	if i == 0 {
		body, method, want = fmt.Sprintf(`{"key": "S0", "value": %q}`, value), "/tenant/secrets", 201
	}
	c.must(t, want, "POST", m.here+method, m.auth, body)
	m.until(t, "a secret rotated", "/sealed/0", m.auth, func(a answer) bool { return a.body == value })
}

func (m *changes) report(t *testing.T, limit time.Duration) {
	t.Helper()
	var names []string
	for name := range m.spans {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		m.spans[name].report(t, name, limit)
	}
}

// P7: what one node was told, another one does.
func TestWhatOneNodeIsToldTheOtherOneDoes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{store: storetest.EmptyPostgresURL(t), upstream: echo(t)})
	a, b := h.serve(t), h.serve(t)
	c, auth := newClient(t), root(t)
	m := &changes{here: a.URL, there: b.URL, c: c, auth: auth, spans: map[string]*spans{}}
	for i := range times(t, "PORTREEVE_ROUNDS", 10) {
		m.round(t, i)
	}
	m.report(t, bound)
	a.stop(t)
	b.stop(t)
	h.verified(t)
}

// The node that was told follows as soon as its feed is woken: far within a second.
func TestWhatANodeIsToldItDoes(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, url string) {
		h := newHouse(t, settings{store: url, upstream: echo(t)})
		a := h.serve(t)
		m := &changes{here: a.URL, there: a.URL, c: newClient(t), auth: root(t), spans: map[string]*spans{}}
		for i := range times(t, "PORTREEVE_ROUNDS", 10) {
			m.round(t, i)
		}
		m.report(t, time.Second)
		a.stop(t)
	})
}

// Somebody at the command line, beside the process that serves the same file.
func TestWhatTheCommandLineDoesIsSeenWithinASecond(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, url string) {
		h := newHouse(t, settings{store: url})
		n, c := h.serve(t), newClient(t)
		m := &changes{there: n.URL, c: c, auth: root(t), spans: map[string]*spans{}}
		for i := range max(3, times(t, "PORTREEVE_ROUNDS", 10)/10) {
			// Standard output alone: the key.
			out, err := h.command(t.Context(), "keys", "create", "--name", fmt.Sprintf("k%d", i), "--scope", "docs:read").Output()
			if err != nil {
				t.Fatal(err)
			}
			key := strings.TrimSpace(string(out))
			m.until(t, "a new key", "/docs", key, status(200))
			h.run(t, "keys", "revoke", fmt.Sprintf("k%d", i))
			m.until(t, "a key revoked", "/docs", key, status(401))
			email := fmt.Sprintf("p%d@example.com", i)
			h.run(t, "users", "add", email, "--role", "reader")
			m.until(t, "a user added", "/docs", person(t, email), status(200))
			h.run(t, "users", "role", email, "viewer")
			m.until(t, "a role taken", "/docs", person(t, email), status(403))
			h.run(t, "users", "role", email, "reader")
			m.until(t, "a role given", "/docs", person(t, email), status(200))
			h.run(t, "users", "disable", email)
			m.until(t, "a user disabled", "/docs", person(t, email), status(403))
		}
		m.report(t, time.Second)
		n.stop(t)
		h.verified(t)
	})
}
