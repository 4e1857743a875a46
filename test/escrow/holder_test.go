package escrow

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/ends"
)

// TestTheStoreInTheWrongHands: who holds the store changes what it likes there. The
// server can only hand out what is stored; what matters is what the readers say.
func TestTheStoreInTheWrongHands(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		k := w.onboarded(t, "plinth gravel otter sunday mosaic tin")
		one := w.sealed(t, "PC-1", "local-admin", "Tr0ub4dor&3-of-PC-1")
		two := w.sealed(t, "PC-2", "local-admin", "c0rrect-horse-of-PC-2")
		disk := w.sealed(t, "PC-1", "bitlocker", "111111-222222-333333-444444")
		raw := func(machine, plain string) string {
			return str(w.want(t, 201, w.machine, "POST /v1/secret", object("machine", machine, "kind", "local-admin", "label", "raw",
				"ciphertext", must(ends.SealRaw(k.Public, []byte(w.plain("plaintext", plain)))))), "id")
		}
		rawOne, rawTwo := raw("PC-1", "raw-secret-of-PC-1"), raw("PC-2", "raw-secret-of-PC-2")
		said := func(what, id, words string) {
			t.Helper()
			o, err := w.opens(t, "member", id, k)
			if err == nil || !strings.Contains(err.Error(), words) || len(o.Secret) > 0 {
				t.Errorf("%s: %q, %v; want %q", what, o.Secret, err, words)
			}
		}

		w.swaps(t, one, two)
		var swap *ends.SwapError
		if _, err := w.opens(t, "member", one, k); !errors.As(err, &swap) || swap.Sealed != "PC-2" || swap.Listed != "PC-1" {
			t.Errorf("swapped between machines: %v", err)
		}
		said("swapped back to front", two, "swapped: it was sealed for the machine")
		w.swaps(t, one, two)
		w.swaps(t, one, disk)
		said("swapped between kinds", one, "sealed for the kind")
		w.swaps(t, one, disk)
		w.opensTo(t, "member", one, k, "Tr0ub4dor&3-of-PC-1", true)

		// Nothing in the other format says whose it is, and the reader says that.
		w.swaps(t, rawOne, rawTwo)
		w.opensTo(t, "member", rawOne, k, "raw-secret-of-PC-2", false)
		w.swaps(t, rawOne, rawTwo)

		// Listed under another machine; the machine renamed to fit is what gets through,
		// and the listing then names the machine that it is of.
		machines := map[string]string{}
		for _, m := range list(w.want(t, 200, w.as("viewer"), "GET /v1/machines", ""), "data") {
			machines[str(m, "hostname")] = str(m, "id")
		}
		w.change(t, `UPDATE escrow_secrets SET machine_id = $1 WHERE id = $2`, machines["PC-2"], one)
		said("listed under another machine", one, "listed under \"PC-2\"")
		w.change(t, `UPDATE escrow_secrets SET machine_id = $1 WHERE id = $2`, machines["PC-1"], one)

		// Another kid, and a ciphertext that was altered.
		w.change(t, `UPDATE escrow_secrets SET kid = 'another' WHERE id = $1`, one)
		said("another kid", one, "is sealed to the key another")
		w.change(t, `UPDATE escrow_secrets SET kid = $1 WHERE id = $2`, k.Public.Kid, one)
		was := w.column(t, `SELECT ciphertext FROM escrow_secrets WHERE id = $1`, one)[0]
		parts := strings.Split(was, ".")
		for what, altered := range map[string]string{
			"an altered ciphertext": strings.Join([]string{parts[0], parts[1], parts[2], flip(parts[3]), parts[4]}, "."),
			"an altered tag":        strings.Join([]string{parts[0], parts[1], parts[2], parts[3], flip(parts[4])}, "."),
			"an altered header":     strings.Join([]string{enc([]byte(decoded(parts[0]) + " ")), parts[1], parts[2], parts[3], parts[4]}, "."),
			"a header of PC-1":      strings.Join(append([]string{parts[0]}, strings.Split(w.column(t, `SELECT ciphertext FROM escrow_secrets WHERE id = $1`, two)[0], ".")[1:]...), "."),
		} {
			w.change(t, `UPDATE escrow_secrets SET ciphertext = $1 WHERE id = $2`, altered, one)
			said(what, one, "does not open with the key")
		}
		w.change(t, `UPDATE escrow_secrets SET ciphertext = $1 WHERE id = $2`, was, one)

		// A version that is gone is missed by nobody but the audit trail.
		w.change(t, `DELETE FROM escrow_secrets WHERE id = $1`, disk)
		w.says(t, 404, "Not Found", w.as("member"), "POST /v1/secrets/"+disk+"/reveal", `{"reason":"x"}`)
		if n := w.column(t, `SELECT target FROM audit_events WHERE action = 'secret.escrowed' AND target = $1`, disk); len(n) != 1 {
			t.Error("the audit trail does not say that it was there")
		}
		w.opensTo(t, "member", two, k, "c0rrect-horse-of-PC-2", true)
	})
}

// swaps exchanges two ciphertexts.
func (w *world) swaps(t *testing.T, a, b string) {
	t.Helper()
	one := w.column(t, `SELECT ciphertext FROM escrow_secrets WHERE id = $1`, a)[0]
	two := w.column(t, `SELECT ciphertext FROM escrow_secrets WHERE id = $1`, b)[0]
	w.change(t, `UPDATE escrow_secrets SET ciphertext = $1 WHERE id = $2`, two, a)
	w.change(t, `UPDATE escrow_secrets SET ciphertext = $1 WHERE id = $2`, one, b)
}

// flip changes the first character of some base64url.
func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

// TestKeysInTheWrongHands: public keys that were put in, put back, or mixed up, and
// what a pinning machine, a machine that remembers, and a person's chain of keys say.
func TestKeysInTheWrongHands(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first, evil := w.onboarded(t, "plinth gravel otter sunday mosaic tin"), w.key(3)
		before := w.published(t)
		second := w.key(1)
		body, _ := w.onboarding(t, "second", second, first, "")
		w.want(t, 201, w.as("second"), "POST /v1/tenant/key", text2(body))
		honest := w.published(t)
		seen := &ends.Seen{Kid: honest.Public.Kid, Signer: second.Signer.Kid, CreatedAt: honest.CreatedAt}
		pin := second.Signer.Kid
		says := func(what, words string, p ends.Published, pin string, seen *ends.Seen) {
			t.Helper()
			if err := p.Check(acme, pin, seen); words == "" && err != nil || words != "" && (err == nil || !strings.Contains(err.Error(), words)) {
				t.Errorf("%s: %v, want %q", what, err, words)
			}
		}
		chain := func(what, words, pin string) {
			t.Helper()
			if err := ends.CheckChain(w.chain(t, "viewer"), acme, pin); words == "" && err != nil || words != "" && (err == nil || !strings.Contains(err.Error(), words)) {
				t.Errorf("%s: the chain: %v, want %q", what, err, words)
			}
		}
		says("untouched", "", honest, pin, seen)
		chain("untouched", "", first.Signer.Kid)

		// Another public key under the kid that is there.
		is := w.column(t, `SELECT public_jwk FROM escrow_keys WHERE kid = $1`, second.Public.Kid)[0]
		w.change(t, `UPDATE escrow_keys SET public_jwk = $1 WHERE kid = $2`, string(evil.Public.JWK), second.Public.Kid)
		says("another key under its kid, pinned", "over another kid", w.published(t), pin, nil)
		says("another key under its kid, unpinned", "over another kid", w.published(t), "", nil)
		chain("another key under its kid", "over another kid", "")
		w.change(t, `UPDATE escrow_keys SET public_jwk = $1 WHERE kid = $2`, is, second.Public.Kid)

		// The kid of a row: what stands in it is another's.
		detach(t, w, second.Public.Kid)
		w.change(t, `UPDATE escrow_keys SET kid = 'renamed' WHERE kid = $1`, second.Public.Kid)
		says("a row that was renamed", "", w.published(t), pin, seen) // its key is the tenant's all the same
		w.change(t, `UPDATE escrow_keys SET kid = $1 WHERE kid = 'renamed'`, second.Public.Kid)

		// A key of the thief's own, newest of all, signed by a signing key of its own.
		at := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		ms := must(time.Parse(time.RFC3339, at)).UnixMilli()
		put := func(predecessor, authorization string) {
			w.change(t, `INSERT INTO escrow_keys (tenant_id, kid, n, public_jwk, signer, signing_jwk, signature, succession, predecessor, created_at) VALUES ($1, $2, 3, $3, $4, $5, $6, $7, $8, $9)`,
				acme, evil.Public.Kid, string(evil.Public.JWK), evil.Signer.Kid, string(evil.Signer.JWK), must(evil.State(acme, at, predecessor)), authorization, predecessor, ms)
		}
		put(second.Public.Kid, "")
		says("a thief's key, pinned", "not signed by the pinned signing key", w.published(t), pin, nil)
		says("a thief's key, unpinned", "", w.published(t), "", nil) // as the documentation says
		chain("a thief's key", "rotation is not signed", "")
		chain("a thief's key, pinned", "rotation is not signed", pin)
		w.change(t, `DELETE FROM escrow_keys WHERE kid = $1`, evil.Public.Kid)
		put(second.Public.Kid, must(evil.Authorize(acme, evil.Public.Kid, evil.Signer.Kid)))
		chain("a thief's word for it", "must be signed by the signing key", "")
		w.change(t, `DELETE FROM escrow_keys WHERE kid = $1`, evil.Public.Kid)
		put("", "")
		chain("a thief's first key", "not signed by the pinned signing key", pin)
		w.change(t, `DELETE FROM escrow_keys WHERE kid = $1`, evil.Public.Kid)

		// Rolled back: the key before is the current one again.
		w.change(t, `UPDATE escrow_keys SET n = 9 WHERE kid = $1`, first.Public.Kid)
		if p := w.published(t); p.Public.Kid != before.Public.Kid {
			t.Fatalf("%s", p.Public.Kid)
		}
		says("rolled back, to who has seen the newer one", "older than the one that was seen before", w.published(t), "", &ends.Seen{Kid: seen.Kid, CreatedAt: seen.CreatedAt})
		says("rolled back, to who pins the newer signer", "not signed by the pinned signing key", w.published(t), pin, seen)
		chain("rolled back", "rolled back", "")
		w.change(t, `UPDATE escrow_keys SET created_at = created_at + 3600000 WHERE kid = $1`, first.Public.Kid)
		says("and dated anew", "over another createdAt", w.published(t), "", seen)
		w.change(t, `UPDATE escrow_keys SET created_at = created_at - 3600000 WHERE kid = $1`, first.Public.Kid)
		w.change(t, `UPDATE escrow_keys SET n = 1 WHERE kid = $1`, first.Public.Kid)

		// Without its signature.
		sig := w.column(t, `SELECT signature FROM escrow_keys WHERE kid = $1`, second.Public.Kid)[0]
		w.change(t, `UPDATE escrow_keys SET signature = '', signing_jwk = '', signer = '' WHERE kid = $1`, second.Public.Kid)
		says("unsigned, pinned", "has no signature", w.published(t), pin, nil)
		says("unsigned, to who has seen it signed", "has no signature", w.published(t), "", seen)
		w.change(t, `UPDATE escrow_keys SET signature = $1, signing_jwk = $2, signer = $3 WHERE kid = $4`, sig, string(second.Signer.JWK), second.Signer.Kid, second.Public.Kid)

		w.wrappings(t, first, second)
	})
}

// detach lets a key's row be renamed: what hangs on it would hold it.
func detach(t testing.TB, w *world, kid string) {
	t.Helper()
	w.change(t, `DELETE FROM escrow_wrappings WHERE kid = $1`, kid)
	w.change(t, `DELETE FROM escrow_recoveries WHERE kid = $1`, kid)
}

// wrappings puts wrappings where they do not belong.
func (w *world) wrappings(t *testing.T, first, second *ends.Key) {
	t.Helper()
	kid := first.Public.Kid
	const passphrase = "plinth gravel otter sunday mosaic tin"
	says := func(what, wrapped, words string) {
		t.Helper()
		w.change(t, `UPDATE escrow_wrappings SET wrapped = $1 WHERE kid = $2 AND superseded_at = 0`, wrapped, kid)
		began := time.Now()
		if _, err := w.unwrapped(t, "admin", kid, passphrase); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %q", what, err, words)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s took %v", what, took)
		}
	}
	is := w.wrapping(t, "admin", kid)
	says("the wrapping of another key", wrap(second, passphrase), "that of the key")
	endless := func(count int) string {
		return jwe(object("alg", "PBES2-HS512+A256KW", "enc", "A256GCM", "p2s", enc(make([]byte, 16)), "p2c", count), 40)
	}
	says("2^31 rounds", endless(1<<31-1), "p2c a whole number")
	says("one round", endless(1), "p2c a whole number")
	parts := strings.Split(is, ".")
	says("an altered content", strings.Join([]string{parts[0], parts[1], parts[2], flip(parts[3]), parts[4]}, "."), "altered")
	says("an altered key", strings.Join([]string{parts[0], flip(parts[1]), parts[2], parts[3], parts[4]}, "."), "passphrase is wrong")
	says("an imported one with many rounds", `{"format":"pbkdf2-aesgcm","hash":"SHA-256","iterations":2000000000,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","iv":"AAAAAAAAAAAAAAAA","ciphertext":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`, "iterations a whole number")
	w.change(t, `UPDATE escrow_wrappings SET wrapped = $1 WHERE kid = $2 AND superseded_at = 0`, is, kid)
	if _, err := w.unwrapped(t, "admin", kid, passphrase); err != nil {
		t.Errorf("put back: %v", err)
	}
}
