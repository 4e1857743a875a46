package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/secret"
)

// keyOf makes a master key of a word, so that tests can name keys.
func keyOf(word string) secret.Value {
	sum := sha256.Sum256([]byte(word))
	return secret.New(base64.StdEncoding.EncodeToString(sum[:]))
}

func keys(t testing.TB, list ...Key) *Keys {
	t.Helper()
	k, err := New(list)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var place = Place{Purpose: "mfa", Table: "factors", Column: "secret", Tenant: "acme", Row: "17"}

func sealed(t testing.TB, k *Keys, p Place, plain string) []byte {
	t.Helper()
	b, err := k.Seal(p, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatIsSealedOpens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		k, err := New([]Key{{ID: "k1", Secret: keyOf("one")}})
		if err != nil {
			r.Fatal(err)
		}
		text := rapid.StringMatching(`[ -~]{1,40}`)
		p := Place{Purpose: text.Draw(r, "purpose"), Table: text.Draw(r, "table"), Column: text.Draw(r, "column"), Tenant: rapid.String().Draw(r, "tenant"), Row: text.Draw(r, "row")}
		plain := rapid.SliceOf(rapid.Byte()).Draw(r, "plain")
		b, err := k.Seal(p, plain)
		if err != nil {
			r.Fatal(err)
		}
		got, err := k.Open(p, b)
		if err != nil || !bytes.Equal(got, plain) {
			r.Fatalf("opens as %q, %v", got, err)
		}
		if k.KeyID(b) != "k1" {
			r.Fatalf("names the key %q", k.KeyID(b))
		}
		if len(plain) > 8 && bytes.Contains(b, plain) {
			r.Fatal("the plain value stands in the sealed one")
		}
	})
}

func TestAValueOpensNowhereElse(t *testing.T) {
	t.Parallel()
	k := keys(t, Key{"k1", keyOf("one")}, Key{"k2", keyOf("two")})
	b := sealed(t, k, place, "JBSWY3DPEHPK3PXP")
	for what, other := range map[string]Place{
		"purpose":                           {"session", "factors", "secret", "acme", "17"},
		"table":                             {"mfa", "sessions", "secret", "acme", "17"},
		"column":                            {"mfa", "factors", "backup", "acme", "17"},
		"tenant":                            {"mfa", "factors", "secret", "globex", "17"},
		"row":                               {"mfa", "factors", "secret", "acme", "18"},
		"a boundary between fields":         {"mfa", "factors", "secret", "acme1", "7"},
		"another boundary":                  {"mfa", "factorss", "ecret", "acme", "17"},
		"no tenant":                         {"mfa", "factors", "secret", "", "17"},
		"tenant and row taken for a longer": {"mfa", "factors", "secret", "", "acme17"},
	} {
		if _, err := k.Open(other, b); !errors.Is(err, ErrDamaged) {
			t.Errorf("with another %s: %v", what, err)
		}
	}
	renamed := bytes.Clone(b)
	copy(renamed[2:], "k2")
	if _, err := k.Open(place, renamed); !errors.Is(err, ErrDamaged) {
		t.Errorf("with another key id: %v", err)
	}
	// The same key under another id: the id itself is authenticated.
	swapped := keys(t, Key{"k2", keyOf("one")})
	if _, err := swapped.Open(place, renamed); !errors.Is(err, ErrDamaged) {
		t.Errorf("with the key renamed: %v", err)
	}
}

func TestAnyChangeOrCutIsRefused(t *testing.T) {
	t.Parallel()
	k := keys(t, Key{"k1", keyOf("one")})
	b := sealed(t, k, place, "JBSWY3DPEHPK3PXP")
	for i := range b {
		for bit := range 8 {
			c := bytes.Clone(b)
			c[i] ^= 1 << bit
			if plain, err := k.Open(place, c); err == nil || plain != nil {
				t.Fatalf("bit %d of byte %d flipped: opens as %q", bit, i, plain)
			}
		}
		if _, err := k.Open(place, b[:i]); err == nil {
			t.Fatalf("cut to %d bytes: opens", i)
		}
		if _, err := k.Open(place, b[i+1:]); err == nil {
			t.Fatalf("without its first %d bytes: opens", i+1)
		}
	}
	if _, err := k.Open(place, append(bytes.Clone(b), 0)); err == nil {
		t.Error("lengthened: opens")
	}
}

func TestTheFirstSealsAllOpen(t *testing.T) {
	t.Parallel()
	old := keys(t, Key{"2025", keyOf("one")})
	both := keys(t, Key{"2026", keyOf("two")}, Key{"2025", keyOf("one")})
	late := keys(t, Key{"2026", keyOf("two")})
	before, after := sealed(t, old, place, "before"), sealed(t, both, place, "after")
	if both.KeyID(after) != "2026" || both.First() != "2026" || fmt.Sprint(both.IDs()) != "[2026 2025]" || !both.Has("2025") || both.Has("2024") {
		t.Errorf("seals with %q of %v", both.KeyID(after), both.IDs())
	}
	for _, b := range [][]byte{before, after} {
		if _, err := both.Open(place, b); err != nil {
			t.Error(err)
		}
	}
	if _, err := late.Open(place, before); !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), `"2025" is not listed`) {
		t.Errorf("without the old key: %v", err)
	}
	changed := keys(t, Key{"2025", keyOf("three")})
	if _, err := changed.Open(place, before); !errors.Is(err, ErrDamaged) {
		t.Errorf("with a changed key of the same id: %v", err)
	}
}

func TestWithoutKeysNothingSealsOrOpens(t *testing.T) {
	t.Parallel()
	k := keys(t)
	if k != nil {
		t.Fatal("no keys are keys")
	}
	if _, err := k.Seal(place, nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("seals: %v", err)
	}
	if _, err := k.Open(place, []byte("x")); !errors.Is(err, ErrNoKey) {
		t.Errorf("opens: %v", err)
	}
	if _, err := k.Derive("audit", ""); !errors.Is(err, ErrNoKey) {
		t.Errorf("derives: %v", err)
	}
	if k.First() != "" || k.IDs() != nil || k.Has("") {
		t.Error("has ids")
	}
}

func TestAPlaceMustSayWhere(t *testing.T) {
	t.Parallel()
	k := keys(t, Key{"k1", keyOf("one")})
	for _, p := range []Place{{}, {"", "t", "c", "x", "r"}, {"p", "", "c", "x", "r"}, {"p", "t", "", "x", "r"}, {"p", "t", "c", "x", ""}} {
		if _, err := k.Seal(p, []byte("x")); err == nil {
			t.Errorf("%+v seals", p)
		}
	}
	if _, err := k.Seal(place, make([]byte, Longest+1)); err == nil {
		t.Error("a value that is too long seals")
	}
}

func TestRowsOfSeveralColumnsNeverMeet(t *testing.T) {
	t.Parallel()
	if RowOf("a", "bc") == RowOf("ab", "c") || RowOf("a", "") == RowOf("", "a") || RowOf("a") != "a" {
		t.Error("different keys make one row")
	}
}

func TestEqualValuesSealDifferently(t *testing.T) {
	t.Parallel()
	k := keys(t, Key{"k1", keyOf("one")})
	if bytes.Equal(sealed(t, k, place, "x"), sealed(t, k, place, "x")) {
		t.Error("the same twice")
	}
}
