package escrow

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/escrow/shares"
	"github.com/portreeve/portreeve/test/edge"
)

// TestTheLifeOfAKey goes from the first passphrase to a restored key: what machines
// and people do, and who can open what when.
func TestTheLifeOfAKey(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		old := w.plain("first passphrase", "plinth gravel otter sunday mosaic tin")
		first := w.key(0)
		body, sheet := w.onboarding(t, "admin", first, nil, old)
		w.want(t, 201, w.as("admin"), "POST /v1/tenant/key", text2(body))

		// Machines that pin the signer, with tokens of both kinds.
		seen := w.published(t)
		if err := seen.Check(acme, first.Signer.Kid, nil); err != nil {
			t.Errorf("a pinning machine: %v", err)
		}
		imported, row := engineToken("t1", acme)
		w.importD1(t, row)
		engine := edge.Bearer(imported)
		edge.Until(t, "the imported token", func() bool { return w.Ask(t, "GET", "/v1/tenant/pubkey", "", engine).Status == 200 })
		admin := w.sealed(t, "PC-1", "local-admin", "Tr0ub4dor&3-of-PC-1")
		plain := w.plain("plaintext", "111111-222222-333333-444444-555555-666666-777777-888888")
		raw := object("machine", map[string]any{"hostname": "pc-1", "serial": "5CG1234"}, "kind", "bitlocker", "label", "C:", "ciphertext", must(ends.SealRaw(seen.Public, []byte(plain))))
		key := str(w.want(t, 201, engine, "POST /v1/secret", raw), "id")
		if again := str(w.want(t, 200, engine, "POST /v1/secret", raw), "id"); again != key {
			t.Errorf("the same again is %s", again)
		}
		next := object("machine", map[string]any{"hostname": "PC-1"}, "kind", "bitlocker", "label", "C:", "ciphertext", must(ends.SealRaw(seen.Public, []byte(plain))))
		w.want(t, 201, w.machine, "POST /v1/secret", next)
		w.want(t, 201, w.machine, "POST /v1/report", `{"machine":"PC-1","run":{"id":"r1","status":"running"}}`)
		w.want(t, 200, engine, "POST /v1/report", `{"machine":"PC-1","run":{"id":"r1","status":"passed"}}`)

		// Who sees what.
		if all := list(w.want(t, 200, w.as("viewer"), "GET /v1/machines", ""), "data"); len(all) != 1 || str(all[0], "serial") != "5CG1234" {
			t.Errorf("machines: %v", all)
		}
		w.says(t, 403, "Forbidden", w.as("viewer"), "GET /v1/secrets", "")
		w.says(t, 403, "Forbidden", w.as("viewer"), "POST /v1/secrets/"+admin+"/reveal", `{"reason":"x"}`)
		a := w.Ask(t, "GET", "/v1/secrets", "", w.as("member"))
		rows := list(edge.Decode[map[string]any](t, a), "data")
		if len(rows) != 3 || strings.Contains(a.Body, "ciphertext") || rows[0]["bound"] != false || rows[0]["version"] != 2.0 || rows[2]["bound"] != true {
			t.Errorf("secrets: %s", a.Body)
		}

		// A wrong passphrase says so, and nothing is sent.
		wrapped := w.wrapping(t, "member", first.Public.Kid)
		before := w.asked.Load()
		if _, err := unwrap(wrapped, first.Public.Kid, w.plain("wrong passphrase", "plinth gravel otter monday mosaic tin")); !errors.Is(err, ends.ErrPassphrase) || w.asked.Load() != before {
			t.Errorf("a wrong passphrase: %v", err)
		}
		mine := must(unwrap(wrapped, first.Public.Kid, old))
		w.opensTo(t, "member", admin, mine, "Tr0ub4dor&3-of-PC-1", true)
		w.opensTo(t, "member", key, mine, plain, false)
		if n := w.events(t, acme, "secret.revealed"); n != 2 {
			t.Errorf("%d reveals are in the record", n)
		}

		// A rotation: machines that saw the first key see that the second is its
		// successor; old secrets stay.
		second := w.key(1)
		body, _ = w.onboarding(t, "second", second, first, w.plain("second passphrase", "walnut ferry zinc lamp orbit pillow"))
		w.want(t, 201, w.as("second"), "POST /v1/tenant/key", text2(body))
		now := w.published(t)
		if err := now.Check(acme, second.Signer.Kid, &ends.Seen{Kid: first.Public.Kid, CreatedAt: seen.CreatedAt}); err != nil || now.Predecessor != first.Public.Kid {
			t.Errorf("after the rotation: %v", err)
		}
		if err := ends.CheckChain(w.chain(t, "viewer"), acme, first.Signer.Kid); err != nil {
			t.Errorf("the chain: %v", err)
		}
		third := w.sealed(t, "PC-1", "local-admin", "a-newer-password-of-PC-1")
		w.opensTo(t, "admin", third, second, "a-newer-password-of-PC-1", true)
		w.opensTo(t, "admin", admin, first, "Tr0ub4dor&3-of-PC-1", true)
		if _, err := w.opens(t, "admin", third, first); err == nil {
			t.Error("the old key opens what was sealed to the new one")
		}

		// A new passphrase, and the old one's end.
		c, proof := w.prove(t, "admin", second)
		fresh := w.plain("third passphrase", "cobalt ladder mint prairie sofa whistle")
		made := w.want(t, 201, w.as("admin"), "POST /v1/tenant/key/"+second.Public.Kid+"/wrapping",
			object("wrappedPrivateKey", wrap(second, fresh), "challengeId", c["challengeId"], "proof", proof))
		if made["version"] != 2.0 {
			t.Errorf("a new wrapping: %v", made)
		}
		gone := w.column(t, `SELECT wrapped FROM escrow_wrappings WHERE kid = $1 AND version = 1`, second.Public.Kid)[0]
		c, proof = w.prove(t, "admin", second)
		w.want(t, 200, w.as("admin"), "POST /v1/tenant/key/"+second.Public.Kid+"/wrapping/1/remove", object("challengeId", c["challengeId"], "proof", proof))
		if bytes.Contains(w.dump(t), []byte(gone)) {
			t.Error("a wrapping that was removed is there")
		}
		if _, err := unwrap(w.wrapping(t, "admin", second.Public.Kid), second.Public.Kid, fresh); err != nil {
			t.Errorf("the new passphrase: %v", err)
		}

		w.restores(t, first, sheet, admin)
		w.offline(t, map[string]*ends.Key{first.Public.Kid: first, second.Public.Kid: second}, 4)
	})
}

// opensTo reveals a secret and compares what it opens to.
func (w *world) opensTo(t *testing.T, who, id string, k *ends.Key, want string, bound bool) {
	t.Helper()
	o, err := w.opens(t, who, id, k)
	if err != nil || string(o.Secret) != want || o.Bound != bound {
		t.Errorf("%s opens to %q, bound %t: %v", id, o.Secret, o.Bound, err)
	}
}

// wrapping is the current wrapping of a key.
func (w *world) wrapping(t testing.TB, who, kid string) string {
	t.Helper()
	for _, k := range list(w.want(t, 200, w.as(who), "GET /v1/tenant/key", ""), "keys") {
		for _, x := range list(k, "wrappings") {
			if str(k, "kid") == kid && x["current"] == true {
				return str(x, "wrappedPrivateKey")
			}
		}
	}
	t.Fatalf("no wrapping of %s", kid)
	return ""
}

// chain is the tenant's keys as somebody is shown them.
func (w *world) chain(t testing.TB, who string) (out []ends.Published) {
	t.Helper()
	for _, k := range list(w.want(t, 200, w.as(who), "GET /v1/tenant/key?wrappings=false", ""), "keys") {
		public, _ := k["publicKey"].(map[string]any)
		p := ends.Published{Public: must(envelope.ParsePublic([]byte(text2(public)), envelope.ImportedBits)), Tenant: acme, CreatedAt: str(k, "createdAt"),
			Predecessor: str(k, "predecessor"), Signature: str(k, "signature"), Authorization: str(k, "authorization")}
		if s, ok := k["signingKey"].(map[string]any); ok {
			p.SigningKey = json.RawMessage(text2(s))
		}
		out = append(out, p)
	}
	return out
}

// restores opens the recovery copy by two of three shares, and wraps the key anew:
// the passphrase was forgotten.
func (w *world) restores(t *testing.T, was *ends.Key, sheet []shares.Share, secret string) {
	t.Helper()
	kid := was.Public.Kid
	var sealed string
	for _, k := range list(w.want(t, 200, w.as("second"), "GET /v1/tenant/key", ""), "keys") {
		if str(k, "kid") == kid {
			sealed = str(list(k, "recovery")[0], "sealed")
		}
	}
	if _, err := ends.Restore(sealed, kid, sheet[:1]); err == nil {
		t.Error("one share of two restores the key")
	}
	k := must(ends.Restore(sealed, kid, []shares.Share{sheet[2], sheet[0]}))
	c, proof := w.prove(t, "second", k)
	renewed := w.plain("passphrase after recovery", "ember quartz violin tundra maple hinge")
	made := w.want(t, 201, w.as("second"), "POST /v1/tenant/key/"+kid+"/wrapping",
		object("wrappedPrivateKey", wrap(k, renewed), "challengeId", c["challengeId"], "proof", proof))
	if made["version"] != 2.0 {
		t.Errorf("wrapped anew: %v", made)
	}
	w.opensTo(t, "member", secret, must(w.unwrapped(t, "second", kid, renewed)), "Tr0ub4dor&3-of-PC-1", true)
}

// offline opens all that is sealed from an export.
func (w *world) offline(t *testing.T, by map[string]*ends.Key, n int) {
	t.Helper()
	var export struct {
		Parts struct {
			Escrow struct {
				Tenant   string
				Machines []struct {
					ID, Serial, Hostname, LastHostname string
				}
				Secrets []struct {
					ID, MachineID, Kind, Kid, Ciphertext string
				}
			}
		}
	}
	if err := json.Unmarshal(must(json.Marshal(must(w.host.Export(t.Context(), acme)))), &export); err != nil {
		t.Fatal(err)
	}
	all := export.Parts.Escrow
	if len(all.Secrets) != n {
		t.Errorf("%d secrets in the export", len(all.Secrets))
	}
	for _, x := range all.Secrets {
		for _, m := range all.Machines {
			if m.ID != x.MachineID {
				continue
			}
			l := ends.Listed{Kid: x.Kid, Tenant: all.Tenant, Kind: x.Kind, MachineID: m.ID, Serial: m.Serial, Hostnames: []string{m.Hostname, m.LastHostname}}
			if o, err := by[x.Kid].Open(x.Ciphertext, l); err != nil || len(o.Secret) < 10 {
				t.Errorf("%s from the export: %v", strconv.Quote(x.ID), err)
			}
		}
	}
}
