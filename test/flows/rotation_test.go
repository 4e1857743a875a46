package flows

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/standin"
)

const oneIssuer = `
environment: test
oidc:
  - {name: issuer, issuer: "@ISSUER@", audience: api}
upstream: "@ECHO@"
routes:
  - {path: /orders, method: get, requireAuth: true}
`

// A new key is known by one refetch, however many ask at once, and what has no
// key at all costs at most one each half minute.
func TestARotatedKeyIsFetchedOnce(t *testing.T) {
	t.Parallel()
	tick := &clock{}
	i := issuer(t, standin.IssuerOptions{Now: tick.Now})
	e := start(t, setting{Text: oneIssuer, Words: map[string]string{"ISSUER": i.URL()}, Clock: tick})
	until(t, "the keys are there", func() bool { return i.Fetched() == 1 })
	old := mint(t, i, nil)
	arrived(t, e.ask(t, "GET", "/orders", bearer(old)))
	if err := i.Rotate(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 32 {
		token := mint(t, i, nil)
		all.Go(func() {
			if a, err := e.try(t.Context(), "GET", "/orders", bearer(token)); err != nil || a.Status != 200 {
				t.Errorf("a token by the new key: %d, %v", a.Status, err)
			}
		})
	}
	all.Wait()
	if n := i.Fetched(); n != 2 {
		t.Errorf("the keys were fetched %d times, want 2", n)
	}
	arrived(t, e.ask(t, "GET", "/orders", bearer(old)))

	stranger := issuer(t, standin.IssuerOptions{Now: tick.Now})
	for range 10 {
		refused(t, e.ask(t, "GET", "/orders", bearer(mint(t, stranger, map[string]any{"iss": i.URL()}))), "unknown key", "")
	}
	if n := i.Fetched(); n != 2 {
		t.Errorf("unknown keys made it %d fetches, want 2", n)
	}
	tick.Advance(31 * time.Second)
	for range 10 {
		refused(t, e.ask(t, "GET", "/orders", bearer(mint(t, stranger, map[string]any{"iss": i.URL()}))), "unknown key", "")
	}
	if n := i.Fetched(); n != 3 {
		t.Errorf("half a minute later it is %d fetches, want 3", n)
	}
}

// P7: a withdrawn key takes its remembered tokens along, within the refresh
// interval and a second.
func TestAWithdrawnKeyTakesItsTokensAlong(t *testing.T) {
	t.Parallel()
	const interval = 400 * time.Millisecond
	i := issuer(t, standin.IssuerOptions{})
	e := start(t, setting{Text: oneIssuer, Words: map[string]string{"ISSUER": i.URL()}, KeySets: often(interval)})
	token := mint(t, i, nil)
	for range 3 {
		arrived(t, e.ask(t, "GET", "/orders", bearer(token)))
	}
	if err := i.Rotate(); err != nil {
		t.Fatal(err)
	}
	i.Retire()
	from := time.Now()
	until(t, "the token is refused", func() bool { return e.ask(t, "GET", "/orders", bearer(token)).Status == 401 })
	if took := time.Since(from); took > interval+time.Second {
		t.Errorf("it took %v", took)
	}
	refused(t, e.ask(t, "GET", "/orders", bearer(token)), "unknown key", token)
	arrived(t, e.ask(t, "GET", "/orders", bearer(mint(t, i, nil))))
}

// The same for a file, without a reload.
func TestAKeyTakenOutOfAFileTakesItsTokensAlong(t *testing.T) {
	t.Parallel()
	const interval = 400 * time.Millisecond
	one, two := signer(t, "EdDSA", "one"), signer(t, "EdDSA", "two")
	e := start(t, setting{KeySets: often(interval), Files: map[string]string{"keys.json": jwks(one, two)}, Text: `
environment: test
jwt: {jwksFile: keys.json, issuer: "https://issuer.test"}
upstream: "@ECHO@"
routes: [{path: /orders, method: get, requireAuth: true}]
`})
	by := func(s *jws.Signer) string { return sign(t, s, map[string]any{"iss": "https://issuer.test"}) }
	first, second := by(one), by(two)
	arrived(t, e.ask(t, "GET", "/orders", bearer(first)))
	arrived(t, e.ask(t, "GET", "/orders", bearer(second)))
	e.write(t, "keys.new", jwks(two)) // as a careful operator: never half a file
	if err := os.Rename(filepath.Join(e.Dir, "keys.new"), filepath.Join(e.Dir, "keys.json")); err != nil {
		t.Fatal(err)
	}
	from := time.Now()
	until(t, "the token is refused", func() bool { return e.ask(t, "GET", "/orders", bearer(first)).Status == 401 })
	if took := time.Since(from); took > interval+time.Second {
		t.Errorf("it took %v", took)
	}
	arrived(t, e.ask(t, "GET", "/orders", bearer(second)))
}

// A reload takes up what the file says now; a file that is broken changes
// nothing.
func TestAReloadReadsTheFileOfKeysAnew(t *testing.T) {
	t.Parallel()
	one, two := signer(t, "EdDSA", "one"), signer(t, "EdDSA", "two")
	e := start(t, setting{Files: map[string]string{"keys.json": jwks(one)}, Text: `
environment: test
jwt: {jwksFile: keys.json, issuer: "https://issuer.test"}
upstream: "@ECHO@"
routes: [{path: /orders, method: get, requireAuth: true}]
`})
	by := func(s *jws.Signer) string { return sign(t, s, map[string]any{"iss": "https://issuer.test"}) }
	first, second := by(one), by(two)
	arrived(t, e.ask(t, "GET", "/orders", bearer(first)))
	e.write(t, "keys.json", "{")
	if e.App.Reload() == nil {
		t.Error("a file that is no key set was taken")
	}
	arrived(t, e.ask(t, "GET", "/orders", bearer(first)))
	e.write(t, "keys.json", jwks(two))
	if err := e.App.Reload(); err != nil {
		t.Fatal(err)
	}
	refused(t, e.ask(t, "GET", "/orders", bearer(first)), "unknown key", first)
	arrived(t, e.ask(t, "GET", "/orders", bearer(second)))
}

func jwks(signers ...*jws.Signer) string {
	keys := []json.RawMessage{}
	for _, s := range signers {
		keys = append(keys, s.JWK())
	}
	return string(encode(map[string]any{"keys": keys}))
}
