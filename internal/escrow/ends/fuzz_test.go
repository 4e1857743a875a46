package ends_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// seeds are the ciphertexts of the vectors.
func seeds(f *testing.F, list, member string) (out []string) {
	f.Helper()
	raw, err := os.ReadFile("../testdata/vectors/good.json")
	if err != nil {
		f.Fatal(err)
	}
	var all map[string][]map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		f.Fatal(err)
	}
	for _, v := range all[list] {
		if answer, ok := v["answer"].(map[string]any); ok {
			v = answer
		}
		out = append(out, v[member].(string))
	}
	return out
}

// Whatever is read, what is read is one thing: no panic, and what opens is what was
// sealed.
func FuzzOpen(f *testing.F) {
	k, err := ends.NewKey(envelope.NewBits)
	if err != nil {
		f.Fatal(err)
	}
	want := ends.Listed{Kid: k.Public.Kid, Tenant: "t", Kind: "k", MachineID: "m"}
	honest, err := ends.Seal(k.Public, ends.Binding{Tenant: "t", Machine: "m", Kind: "k"}, []byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range append(seeds(f, "sealed", "ciphertext"), honest) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if o, err := k.Open(text, want); err == nil && text != honest && o.Bound {
			t.Fatalf("%q opens", text)
		}
	})
}

// No wrapping is derived from whose count is out of bounds; wrong ones open nothing.
func FuzzUnwrap(f *testing.F) {
	for _, s := range seeds(f, "wrapped", "wrapped") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if envelope.CheckWrapping(text, "kid") == nil {
			return // it would be derived, which takes long and is tested elsewhere
		}
		if w, err := envelope.ParseImported([]byte(text)); strings.HasPrefix(strings.TrimSpace(text), "{") && err == nil && w.Iterations > 2000 {
			return
		}
		if k, err := ends.Unwrap(text, "kid", "passphrase"); err == nil {
			t.Fatalf("%v opens", k.Public.Kid)
		}
	})
}

func FuzzReadPublished(f *testing.F) {
	for _, name := range []string{"pubkey.json", "pubkey-next.json"} {
		raw, err := os.ReadFile("../testdata/vectors/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw))
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ends.ReadPublished([]byte(text))
		if err != nil {
			return
		}
		const pin = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		if p.Check(p.Tenant, pin, nil) == nil {
			t.Fatalf("%q hangs on a pin that nobody has", text)
		}
		_ = ends.CheckChain([]ends.Published{p}, p.Tenant, "")
	})
}
