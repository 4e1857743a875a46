package vectors

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/escrow/shares"
)

var update = flag.Bool("update", false, "make the vectors anew")

const tenant = "11111111-1111-1111-1111-111111111111"

var (
	desk     = machine{ID: "mch_0b6d1f5e9c3a47d2801f6e2ab95c4d73", Serial: "5CG1234XYZ", Hostname: "DESK-0042"}
	reason   = "Tr0ub4dor&3 – ünïcode \U0001f511"
	times    = []string{"2026-01-02T03:04:05.000Z", "2026-06-07T08:09:10.011Z", "2026-11-21T12:00:05.000Z"}
	spelling = "ﬁve hundred Ångström lamps" // U+FB01 and U+212B: NFKC changes both
)

// TestMake makes the vectors, with -update alone.
func TestMake(t *testing.T) {
	if !*update {
		t.Skip("-update makes the vectors anew")
	}
	keys, plain := makeKeys(t)
	g := goMade(keys, plain)
	write(t, "good.json", g)
	made := runNode(t, "make").Made
	g.Sealed, g.Wrapped = append(g.Sealed, made.Sealed...), append(g.Wrapped, made.Wrapped...)
	g.Recovery, g.Chains = append(g.Recovery, made.Recovery...), append(g.Chains, made.Chains...)
	write(t, "good.json", g)
	writeExport(t, keys, g)
	write(t, "hostile.json", hostiles(keys, plain, g))
}

// makeKeys reads the keys, or makes them: two of a tenant that rotated, one that is
// another tenant's, and an imported one.
func makeKeys(t *testing.T) (map[string]*ends.Key, []tenantKey) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(folder, "keys.json")); errors.Is(err, fs.ErrNotExist) {
		var plain []tenantKey
		for _, name := range []string{"first", "second", "foreign", "imported"} {
			bits := envelope.NewBits
			if name == "imported" {
				bits = envelope.ImportedBits
			}
			k := must(ends.NewKey(bits))
			set := must(k.Set())
			if name == "imported" {
				var s jose.JSONWebKeySet
				_ = json.Unmarshal(set, &s)
				s.Keys = s.Keys[:1]
				set = must(json.Marshal(s))
			}
			plain = append(plain, tenantKey{name, k.Public.Kid, name + " passphrase of the vectors", set})
		}
		plain[0].Passphrase = spelling
		write(t, "keys.json", plain)
	}
	plain := read[[]tenantKey](t, "keys.json")
	keys := map[string]*ends.Key{}
	for _, p := range plain {
		// By way of a wrapping: nothing else reads a set.
		w := forgeWrapped(`{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":600000,"p2s":"AAAAAAAAAAAAAAAAAAAAAA"}`, "AAAAAAAAAAAAAAAAAAAAAA", "p", 600_000, p.Set)
		keys[p.Name] = must(ends.Unwrap(w, p.Kid, "p"))
	}
	return keys, plain
}

func goMade(keys map[string]*ends.Key, plain []tenantKey) (g good) {
	first := keys["first"]
	answer := func(k *ends.Key, m machine, ciphertext string) revealed {
		return revealed{k.Public.Kid, ciphertext, tenant, "bitlocker", m}
	}
	seal := func(name string, k *ends.Key, called string) {
		b := ends.Binding{Tenant: tenant, Machine: called, Kind: "bitlocker"}
		g.Sealed = append(g.Sealed, sealed{name, "go", answer(k, desk, must(ends.Seal(k.Public, b, []byte(reason)))), reason, true})
	}
	seal("by hostname, in other letters", first, "desk-0042.")
	seal("by serial", first, desk.Serial)
	seal("by id", keys["second"], desk.ID)
	seal("to an imported key", keys["imported"], "DESK-0042")
	for _, k := range []*ends.Key{first, keys["imported"]} {
		g.Sealed = append(g.Sealed, sealed{"RSA-OAEP alone", "go", answer(k, desk, must(ends.SealRaw(k.Public, []byte(reason)))), reason, false})
	}
	for i, p := range plain {
		k := keys[p.Name]
		if p.Name != "imported" {
			count := []int{envelope.LeastCount, envelope.MostCount, envelope.LeastCount}[i]
			g.Wrapped = append(g.Wrapped, wrapped{p.Name, "go", k.Public.Kid, must(ends.Wrap(k, p.Passphrase, count)), p.Passphrase})
			continue
		}
		g.Wrapped = append(g.Wrapped, importedWrappings(k, p)...)
	}
	for _, kn := range [][2]int{{2, 3}, {5, 16}} {
		compact, list, err := ends.SealRecovery(first, kn[0], kn[1])
		if err != nil {
			panic(err)
		}
		r := recovery{"of the first key", "go", first.Public.Kid, compact, nil, encode(must(shares.Combine(list)))}
		for _, s := range list {
			r.Shares = append(r.Shares, s.String())
		}
		g.Recovery = append(g.Recovery, r)
	}
	older, newer := listedAs(first, times[0], nil, nil), listedAs(keys["second"], times[1], first, first)
	g.Chains = []chain{
		{"a first key", "go", tenant, first.Signer.Kid, nil, []listedKey{older}},
		{"a rotation, by the old pin", "go", tenant, first.Signer.Kid, nil, []listedKey{newer, older}},
		{"a rotation, by the new pin", "go", tenant, keys["second"].Signer.Kid, nil, []listedKey{newer, older}},
		{"the same key again", "go", tenant, "", &seen{first.Public.Kid, first.Signer.Kid, times[0]}, []listedKey{older}},
		{"an imported key, unpinned", "go", tenant, "", nil, []listedKey{unsigned(keys["imported"], times[0])}},
	}
	return g
}

// listedAs is a key as a server lists it; before is the key whose place it took, by
// the key that says so.
func listedAs(k *ends.Key, createdAt string, before, by *ends.Key) listedKey {
	l := listedKey{PublicKey: k.Public.JWK, SigningKey: k.Signer.JWK, CreatedAt: createdAt}
	predecessor := ""
	if before != nil {
		predecessor = before.Public.Kid
		l.Predecessor = &predecessor
	}
	signature := must(k.State(tenant, createdAt, predecessor))
	l.Signature = &signature
	if by != nil {
		a := must(by.Authorize(tenant, k.Public.Kid, k.Signer.Kid))
		l.Authorization = &a
	}
	return l
}

func unsigned(k *ends.Key, createdAt string) listedKey {
	return listedKey{PublicKey: k.Public.JWK, SigningKey: json.RawMessage("null"), CreatedAt: createdAt}
}

// importedWrappings are the older system's, of each content that it may have had.
func importedWrappings(k *ends.Key, p tenantKey) (out []wrapped) {
	var set jose.JSONWebKeySet
	_ = json.Unmarshal(p.Set, &set)
	jwk := must(json.Marshal(set.Keys[0]))
	der := must(x509.MarshalPKCS8PrivateKey(set.Keys[0].Key))
	for name, content := range map[string][]byte{"a JWK": jwk, "a JWK set": p.Set, "PKCS #8": der, "PKCS #8 in base64": []byte(base64.StdEncoding.EncodeToString(der))} {
		out = append(out, wrapped{"imported: " + name, "go", k.Public.Kid, older(content, p.Passphrase, 210_000), p.Passphrase})
	}
	slices.SortFunc(out, func(a, b wrapped) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func older(content []byte, passphrase string, count int) string {
	salt, iv := drawn(16), drawn(12)
	gcm := must(cipher.NewGCM(must(aes.NewCipher(must(pbkdf2.Key(sha256.New, passphrase, salt, count, 32))))))
	text := base64.StdEncoding.EncodeToString
	return string(must(json.Marshal(envelope.Imported{Format: envelope.FormatImported, Hash: "SHA-256", Iterations: count, Salt: text(salt), IV: text(iv), Ciphertext: text(gcm.Seal(nil, iv, content, nil))})))
}
