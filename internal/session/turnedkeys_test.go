package session

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
)

// A provider that turns its keys just after they were fetched (any stranger's token
// of an unknown key has them fetched) signs nobody out: what it refreshes cannot be
// read for a moment, and counts as it stood.
func TestTurnedKeysSignNobodyOut(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		b := k.browser()
		b.signIn()
		k.advance(65 * time.Second)
		if err := k.oidc.Keys().Refetch(t.Context()); err != nil { // as for a stranger's token
			t.Fatal(err)
		}
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		turned, err := jws.NewSigner("EdDSA", "k2", key)
		if err != nil {
			t.Fatal(err)
		}
		k.rogue.set(func() { *k.rogue.signer = *turned })
		k.advance(5 * time.Second)
		if r := b.ask("GET /private", ""); r.status != 200 {
			t.Fatalf("signed out: %d %s", r.status, r.body)
		}
		k.advance(40 * time.Second)
		if !b.in() || k.rogue.refreshes != 2 || k.rogue.reused != 0 {
			t.Errorf("once the keys could be fetched: %d refreshes, %d reused", k.rogue.refreshes, k.rogue.reused)
		}
	})
}
