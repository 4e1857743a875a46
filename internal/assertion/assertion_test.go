package assertion

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/jws"
)

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func mustNew(t *testing.T) *Keys {
	t.Helper()
	k, err := New(start)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// published reads the key set as an upstream would, with a library that is not
// ours.
func published(t *testing.T, k *Keys, now time.Time) map[string]jose.JSONWebKey {
	t.Helper()
	set, err := k.JWKS(now)
	if err != nil {
		t.Fatal(err)
	}
	var read jose.JSONWebKeySet
	if err := json.Unmarshal(set, &read); err != nil {
		t.Fatal(err)
	}
	out := map[string]jose.JSONWebKey{}
	for _, key := range read.Keys {
		if !key.IsPublic() || !key.Valid() {
			t.Errorf("key %s is not a public key", key.KeyID)
		}
		out[key.KeyID] = key
	}
	return out
}

// token is a verified assertion.
type token struct {
	header jose.Header
	claims map[string]any
}

// sign makes an assertion and verifies it with the key set of the same moment.
func sign(t *testing.T, k *Keys, f Facts, now time.Time) token {
	t.Helper()
	text, err := k.Sign(f, now)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	out := token{header: parsed.Signatures[0].Header}
	key, ok := published(t, k, now)[out.header.KeyID]
	if !ok {
		t.Fatal("the key that signs is not published")
	}
	payload, err := parsed.Verify(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &out.claims); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestClaims(t *testing.T) {
	t.Parallel()
	k := mustNew(t)
	whole := Facts{Issuer: "https://app.example", Audience: "billing", Subject: "alice", Email: "alice@example.com", Tenant: "acme",
		Roles: []string{"admin", "user"}, Provider: "jwt", Method: "POST", Host: "app.example", Path: "/a%2Fb", Query: "q=1", HasQuery: true}
	got := sign(t, k, whole, start)
	if typ := got.header.ExtraHeaders["typ"]; typ != Type {
		t.Errorf("typ %v", typ)
	}
	want := map[string]any{
		"iss": "https://app.example", "aud": "billing", "sub": "alice", "email": "alice@example.com", "tenant": "acme",
		"roles": []any{"admin", "user"}, "provider": "jwt", "htm": "POST", "hth": "app.example", "htp": "/a%2Fb",
		"iat": float64(start.Unix()), "exp": float64(start.Unix() + 60),
		"qh": QueryHash("q=1"),
	}
	if diff := cmp.Diff(want, got.claims); diff != "" {
		t.Error(diff)
	}
}

func TestQueryHash(t *testing.T) {
	t.Parallel()
	k := mustNew(t)
	// FIPS 180-4: the digest of the empty text.
	const empty = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
	for _, c := range []struct {
		query string
		has   bool
		want  any
	}{
		{"", false, nil}, {"", true, empty}, {"abc", true, "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"},
	} {
		got := sign(t, k, Facts{Query: c.query, HasQuery: c.has}, start).claims["qh"]
		if got != c.want {
			t.Errorf("%q (%v): %v, want %v", c.query, c.has, got, c.want)
		}
	}
}

// An assertion is no credential: our own parser refuses its type.
func TestAssertionIsNoCredential(t *testing.T) {
	t.Parallel()
	text, err := mustNew(t).Sign(Facts{Subject: "alice"}, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jws.Parse(text); err == nil {
		t.Error("an assertion was taken for a token of a caller")
	}
}

func has(keys map[string]jose.JSONWebKey, id string) bool { _, ok := keys[id]; return ok }

// RFC 8037 appendix A.3.
func TestKeyIDIsTheThumbprint(t *testing.T) {
	t.Parallel()
	public, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	if err != nil {
		t.Fatal(err)
	}
	if got := thumbprint(ed25519.PublicKey(public)); got != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Error(got)
	}
}

// A key is published at least ten minutes before it signs, and at least until
// what it signed has expired.
func TestRotation(t *testing.T) {
	t.Parallel()
	k := mustNew(t)
	seen := map[string]time.Time{} // since when each key was published
	for id := range published(t, k, start) {
		seen[id] = start.Add(-time.Hour)
	}
	signed := map[string]time.Time{} // when each key signed last
	for now := start; now.Before(start.Add(5 * Rotation)); now = now.Add(step(now)) {
		kid := sign(t, k, Facts{}, now).header.KeyID
		if at, ok := seen[kid]; !ok || now.Sub(at) < 10*time.Minute {
			t.Fatalf("%v: signed with a key that was published %v before", now, now.Sub(at))
		}
		signed[kid] = now
		keys := published(t, k, now)
		if len(keys) > 3 {
			t.Fatalf("%d keys are published", len(keys))
		}
		for id := range keys {
			if _, ok := seen[id]; !ok {
				seen[id] = now
			}
		}
		for id, last := range signed {
			if now.Sub(last) <= Life && !has(keys, id) {
				t.Fatalf("%v: a key is gone that signed %v before", now, now.Sub(last))
			}
			if now.Sub(last) > retention+11*time.Minute && has(keys, id) {
				t.Fatalf("%v: a key that signed %v before is still published", now, now.Sub(last))
			}
		}
	}
	if len(signed) != 5 {
		t.Errorf("%d keys signed in five rotations", len(signed))
	}
}

// step is small around a change of keys.
func step(now time.Time) time.Duration {
	if into := now.Sub(start) % Rotation; into < 20*time.Minute || into > Rotation-20*time.Minute {
		return 29 * time.Second
	}
	return 10 * time.Minute
}

// A process that slept for days goes on with a key that was published.
func TestLongSleep(t *testing.T) {
	t.Parallel()
	k := mustNew(t)
	before := published(t, k, start)
	late := start.Add(30 * Rotation)
	if kid := sign(t, k, Facts{}, late).header.KeyID; !has(before, kid) {
		t.Error("signed with a key that nobody could know")
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	k := mustNew(t)
	var all sync.WaitGroup
	kids := make([]string, 16)
	for i := range kids {
		all.Go(func() {
			text, err := k.Sign(Facts{}, start.Add(Rotation))
			if err != nil {
				t.Error(err)
				return
			}
			kids[i], _, _ = strings.Cut(text, ".")
		})
	}
	all.Wait()
	for _, kid := range kids {
		if kid != kids[0] {
			t.Error("two rotations at once")
		}
	}
}
