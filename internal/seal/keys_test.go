package seal

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/secret"
)

func TestKeysThatAreRefusedAreNeverQuoted(t *testing.T) {
	t.Parallel()
	good := keyOf("one")
	b64 := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct {
		keys []Key
		says string
	}{
		"empty":               {[]Key{{}}, "the master key has 0 bytes"},
		"31 bytes":            {[]Key{{"k1", secret.New(b64(bytes.Repeat([]byte{7}, 31)))}}, `master key "k1" has 31 bytes; it must be 32 bytes in base64, as portreeve masterkey new`},
		"33 bytes":            {[]Key{{"k1", secret.New(b64(bytes.Repeat([]byte{7}, 33)))}}, "has 33 bytes"},
		"a passphrase":        {[]Key{{"", secret.New("correct horse battery staple")}}, "the master key is not base64"},
		"hex":                 {[]Key{{"", secret.New(strings.Repeat("0a", 32))}}, "has 48 bytes"},
		"stray bits":          {[]Key{{"", secret.New(strings.Repeat("A", 42) + "B=")}}, "is not base64"},
		"broken over lines":   {[]Key{{"", secret.New(good.Reveal()[:20] + "\n" + good.Reveal()[20:])}}, "is not base64"},
		"id with a space":     {[]Key{{"my key", good}}, "the id of master key 1 must be 1 to 32 letters"},
		"id that is too long": {[]Key{{strings.Repeat("k", 33), good}}, "must be 1 to 32"},
		"id twice":            {[]Key{{"k1", good}, {"k1", keyOf("two")}}, `two master keys have the id "k1"`},
		"key twice":           {[]Key{{"k1", good}, {"k2", good}}, `"k1" and "k2" are the same key`},
		"second without base": {[]Key{{"k1", good}, {"", secret.New("%%")}}, "master key 2 is not base64"},
		"too many":            {make([]Key, 65), "at most 64"},
	} {
		k, err := New(c.keys)
		if err == nil || k != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
			continue
		}
		for _, key := range c.keys {
			if v := key.Secret.Reveal(); len(v) > 4 && (strings.Contains(err.Error(), v) || strings.Contains(err.Error(), v[:8])) {
				t.Errorf("%s: the text quotes the key: %v", name, err)
			}
		}
	}
}

func TestAKeyIsReadWithAndWithoutPadding(t *testing.T) {
	t.Parallel()
	padded := keyOf("one").Reveal()
	a := keys(t, Key{"", secret.New(padded)})
	for _, other := range []string{strings.TrimRight(padded, "="), padded + "\n", " " + padded} {
		b := keys(t, Key{"", secret.New(other)})
		if a.First() != b.First() {
			t.Errorf("%d characters are another key", len(other))
		}
		if _, err := b.Open(place, sealed(t, a, place, "x")); err != nil {
			t.Error(err)
		}
	}
}

func TestAKeyWithoutIDGetsOneOfItsOwn(t *testing.T) {
	t.Parallel()
	a, b := keys(t, Key{"", keyOf("one")}), keys(t, Key{"", keyOf("two")})
	if a.First() == b.First() || len(a.First()) != 8 || !ValidID(a.First()) {
		t.Errorf("ids %q and %q", a.First(), b.First())
	}
	if got, want := a.First(), "fbc2ba96"; got != want {
		t.Errorf("the id is %q, was %q: stores would no longer find their key", got, want)
	}
	named := keys(t, Key{a.First(), keyOf("one")})
	if _, err := named.Open(place, sealed(t, a, place, "x")); err != nil {
		t.Errorf("listed under its derived id: %v", err)
	}
}

func TestNewKeysAreKeys(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		text := NewKey()
		if _, err := New([]Key{{"", secret.New(text)}}); err != nil || seen[text] {
			t.Fatalf("%v, twice %t", err, seen[text])
		}
		seen[text] = true
	}
}

func TestUsesOfAKeyAreApart(t *testing.T) {
	t.Parallel()
	k := keys(t, Key{"k1", keyOf("one")}, Key{"k2", keyOf("two")})
	seen := map[string]string{}
	for _, purpose := range []string{"audit", "mfa", "tenant-secret:a", "tenant-secret:ab"} {
		for _, id := range []string{"k1", "k2"} {
			d, err := k.Derive(purpose, id)
			if err != nil || len(d) != 32 {
				t.Fatal(len(d), err)
			}
			for what, b := range map[string][]byte{"derived": d, "sealing": expand(k.byID[id][:], labelSeal, purpose)} {
				name := fmt.Sprint(what, " ", purpose, " ", id)
				if other, twice := seen[string(b)]; twice {
					t.Errorf("%s and %s are one key", name, other)
				}
				seen[string(b)] = name
			}
		}
	}
	first, _ := k.Derive("audit", "")
	named, _ := k.Derive("audit", "k1")
	if !bytes.Equal(first, named) {
		t.Error("no id is not the first")
	}
	if _, err := k.Derive("audit", "k3"); err == nil {
		t.Error("derives of a key that is not listed")
	}
	if _, err := k.Derive("", ""); err == nil {
		t.Error("derives for no purpose")
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	t.Parallel()
	key := Key{"k1", keyOf("one")}
	if s := fmt.Sprintf("%+v %#v", key, key); strings.Contains(s, key.Secret.Reveal()) {
		t.Error(s)
	}
	k := keys(t, key)
	raw, _ := decode(key.Secret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%p"} {
		s := fmt.Sprintf(verb, k) + fmt.Sprintf(verb, *k)
		for _, shown := range []string{fmt.Sprintf("%x", raw[:4]), fmt.Sprintf("%d", raw[:3])[1:9], string(raw[:4])} {
			if strings.Contains(strings.ToLower(s), shown) {
				t.Errorf("%s prints the key: %s", verb, s)
			}
		}
	}
}
