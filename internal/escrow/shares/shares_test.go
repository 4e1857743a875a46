package shares_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/escrow/shares"
)

const kid = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

func TestAnyKRestore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, shares.Most).Draw(t, "n")
		k := rapid.IntRange(2, n).Draw(t, "k")
		key, list, err := shares.Split(kid, k, n)
		if err != nil {
			t.Fatal(err)
		}
		some := rapid.Permutation(list).Draw(t, "order")[:rapid.IntRange(k, n).Draw(t, "how many")]
		for i, s := range some { // by way of paper
			if some[i], err = shares.Parse(s.String()); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := shares.Combine(some); err != nil || !bytes.Equal(got, key) {
			t.Fatalf("%d of %d of %d: %v", len(some), k, n, err)
		}
		if _, err := shares.Combine(some[:k-1]); err == nil {
			t.Fatal("too few shares restore something")
		}
	})
}

// With one share too few every key is possible: k-1 shares and any claim about
// another one always agree on some polynomial. Shown on shares of the same
// numbers of two keys: exchanging one changes the result, silently.
func TestAForeignShareRestoresAnotherKey(t *testing.T) {
	t.Parallel()
	key, list, err := shares.Split(kid, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	bent := list[1]
	bent.Y[7] ^= 1
	got, err := shares.Combine([]shares.Share{list[0], bent})
	if err != nil || bytes.Equal(got, key) {
		t.Fatalf("%v", err)
	}
	if _, err := shares.Combine([]shares.Share{list[0], bent, list[2]}); err == nil || !strings.Contains(err.Error(), "disagree") {
		t.Errorf("a share more does not show it: %v", err)
	}
}

func TestSharesThatDoNotBelongTogether(t *testing.T) {
	t.Parallel()
	_, a, err := shares.Split(kid, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	_, b, _ := shares.Split(kid, 2, 3)
	_, c, _ := shares.Split(strings.Repeat("A", 43), 2, 3)
	c[1].Set = a[1].Set
	for want, list := range map[string][]shares.Share{
		"no shares": nil, "different sets": {a[0], b[1]}, "different keys": {a[0], c[1]}, "twice": {a[0], a[0]}, "2 of them are needed": {a[2]},
	} {
		if _, err := shares.Combine(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	for _, kn := range [][2]int{{1, 3}, {0, 0}, {3, 2}, {2, 17}} {
		if _, _, err := shares.Split(kid, kn[0], kn[1]); err == nil {
			t.Errorf("%v is taken", kn)
		}
	}
}

func TestTypingErrorsShow(t *testing.T) {
	t.Parallel()
	_, list, err := shares.Split(kid, 3, 5)
	if err != nil {
		t.Fatal(err)
	}
	text := list[2].String()
	if strings.Count(text, "-") != 13 || len(text) != 84+13 {
		t.Errorf("a share is printed as %d letters", len(text))
	}
	for _, same := range []string{strings.ToLower(text), strings.ReplaceAll(text, "-", " "), strings.ReplaceAll(text, "0", "o"), "  " + strings.ReplaceAll(strings.ReplaceAll(text, "-", ""), "1", "L") + "\n"} {
		if got, err := shares.Parse(same); err != nil || got != list[2] {
			t.Errorf("%v", err)
		}
	}
	for i := range text {
		for _, c := range "7Z" {
			if bent := text[:i] + string(c) + text[i+1:]; bent != text && text[i] != '-' {
				if _, err := shares.Parse(bent); err == nil {
					t.Fatalf("letter %d can be %c", i, c)
				}
			}
		}
	}
}

// What Vault's package made of the same random numbers, and what it restored.
func TestVaultAgrees(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../testdata/vectors/vault-shamir.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Splits []struct {
			K, N   int
			Key    string
			Shares []string // y, and x as the last byte
		}
	}
	if err := json.Unmarshal(raw, &v); err != nil || len(v.Splits) == 0 {
		t.Fatal(err)
	}
	for _, split := range v.Splits {
		list := make([]shares.Share, 0, split.K)
		for _, text := range split.Shares {
			b, err := hex.DecodeString(text)
			if err != nil || len(b) != shares.KeyBytes+1 {
				t.Fatal(err)
			}
			s := shares.Share{Set: "AAAAAAAA", K: split.K, N: split.N, X: int(b[shares.KeyBytes])}
			copy(s.Y[:], b)
			list = append(list, s)
		}
		got, err := shares.Combine(list)
		if err != nil || hex.EncodeToString(got) != split.Key {
			t.Errorf("%d of %d: %x, %v", split.K, split.N, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	_, list, err := shares.Split(base64.RawURLEncoding.EncodeToString(make([]byte, 32)), 2, 2)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(list[0].String())
	f.Add(strings.Repeat("0", 84))
	random := make([]byte, 52)
	_, _ = rand.Read(random)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := shares.Parse(text)
		if err != nil {
			return
		}
		again, err := shares.Parse(s.String())
		if err != nil || again != s {
			t.Fatalf("%q is read in two ways: %v", text, err)
		}
	})
}
