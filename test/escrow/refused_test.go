package escrow

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/test/edge"
)

// privateJWK is a key as nobody should send it.
func privateJWK(t testing.TB, k *ends.Key) map[string]any {
	t.Helper()
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(must(k.Set()), &set); err != nil {
		t.Fatal(err)
	}
	return set.Keys[0]
}

// Whatever is wrong with a key is said in words of its own, and no key is there
// afterwards. What a client sent of a private key by mistake is neither kept nor
// logged nor answered with; that it was sent is the client's fault, and is why this
// world is not searched for it in the traffic.
func TestRefusedKeys(t *testing.T) {
	t.Parallel()
	for name, url := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, url(t))
			k := w.key(0)
			sent := privateJWK(t, k)
			admin := w.as("admin")
			good, _ := w.onboarding(t, "admin", k, nil, "")
			with := func(name string, v any) string {
				m := maps.Clone(good)
				if m[name] = v; v == nil {
					delete(m, name)
				}
				return text2(m)
			}
			header := func(changes ...any) string {
				h := map[string]any{"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2s": enc(make([]byte, 16)), "p2c": envelope.LeastCount, "kid": k.Public.Kid}
				for i := 0; i < len(changes); i += 2 {
					if h[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
						delete(h, changes[i].(string))
					}
				}
				return jwe(text2(h), 40)
			}
			only := func(members ...string) map[string]any { // the public key and some private members
				m := map[string]any{"kty": "RSA", "n": sent["n"], "e": sent["e"]}
				for _, name := range members {
					m[name] = sent[name]
				}
				return m
			}
			odd := func(n, e string) string {
				return with("publicKey", map[string]any{"kty": "RSA", "n": n, "e": e})
			}
			short := must(ends.NewKey(2048))
			for what, c := range map[string]struct{ words, body string }{
				"a whole private key":      {"has a private member", with("publicKey", sent)},
				"d":                        {"has a private member", with("publicKey", only("d"))},
				"a prime":                  {"has a private member", with("publicKey", only("p"))},
				"the other prime":          {"has a private member", with("publicKey", only("q"))},
				"an exponent":              {"has a private member", with("publicKey", only("dp"))},
				"a private signing key":    {"has a private member", with("signingKey", map[string]any{"kty": "OKP", "crv": "Ed25519", "x": enc(make([]byte, 32)), "d": enc(make([]byte, 32))})},
				"a shared secret":          {"has a private member", with("publicKey", map[string]any{"kty": "oct", "k": "c2VjcmV0"})},
				"2048 bits":                {"at least 3072 bits", with("publicKey", short.Public.JWK)},
				"an exponent of 3":         {"exponent 65537", odd(str(sent, "n"), "Aw")},
				"an even modulus":          {"can be factored", odd(enc(append(append([]byte{0xff}, make([]byte, 382)...), 2)), "AQAB")},
				"a square":                 {"can be factored", odd(enc(square()), "AQAB")},
				"a modulus of zeros ahead": {"leading zeros", odd(enc(append([]byte{0}, must(base64.RawURLEncoding.DecodeString(str(sent, "n")))...)), "AQAB")},
				"an elliptic key":          {"must be an RSA key", with("publicKey", map[string]any{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"})},
				"a key for signing":        {"use enc", with("publicKey", map[string]any{"kty": "RSA", "n": sent["n"], "e": "AQAB", "use": "sig"})},
				"another alg":              {"alg RSA-OAEP-256", with("publicKey", map[string]any{"kty": "RSA", "n": sent["n"], "e": "AQAB", "alg": "RSA1_5"})},
				"another kid":              {"thumbprint", with("publicKey", map[string]any{"kty": "RSA", "n": sent["n"], "e": "AQAB", "kid": "mine"})},
				"PEM":                      {"must be a JWK", with("publicKey", "-----BEGIN PUBLIC KEY-----")},
				"no key":                   {"is required", with("publicKey", nil)},
				"no signing key":           {"public Ed25519 JWK", with("signingKey", nil)},
				"a signing key of nobody":  {"verifies what nobody signed", with("signingKey", map[string]any{"kty": "OKP", "crv": "Ed25519", "x": enc(make([]byte, 32))})},
				"no signature":             {"compact JWS", with("signature", nil)},
				"a signature of another":   {"must be signed by the signing key", with("signature", must(w.key(1).State(acme, "2026-01-01T00:00:00.000Z", "")))},
				"of another time":          {"createdAt that the challenge gave", with("signature", must(k.State(acme, "2026-01-01T00:00:00.000Z", "")))},
				"of another tenant":        {"tenant that the challenge gave", with("signature", must(k.State(globex, "2026-01-01T00:00:00.000Z", "")))},
				"no wrapping":              {"is required", with("wrappedPrivateKey", nil)},
				"an imported wrapping":     {"compact form", with("wrappedPrivateKey", `{"format":"pbkdf2-aesgcm","iterations":100000}`)},
				"few rounds":               {"p2c a whole number from 600000 to 1000000", with("wrappedPrivateKey", header("p2c", 599_999))},
				"endless rounds":           {"p2c a whole number from 600000 to 1000000", with("wrappedPrivateKey", header("p2c", 1_000_001))},
				"more rounds than numbers": {"p2c a whole number", with("wrappedPrivateKey", header("p2c", json.RawMessage("99999999999999999999")))},
				"rounds in parts":          {"p2c a whole number", with("wrappedPrivateKey", header("p2c", 600000.5))},
				"rounds as a power":        {"p2c a whole number", with("wrappedPrivateKey", header("p2c", json.RawMessage("6e5")))},
				"rounds as a text":         {"p2c a whole number", with("wrappedPrivateKey", header("p2c", "600000"))},
				"a short salt":             {"p2s a salt of 16 to 64 bytes", with("wrappedPrivateKey", header("p2s", enc(make([]byte, 15))))},
				"compressed":               {"must not have zip", with("wrappedPrivateKey", header("zip", "DEF"))},
				"critical":                 {"must not have crit", with("wrappedPrivateKey", header("crit", []string{"p2c"}))},
				"a key in the header":      {"nothing that is not described", with("wrappedPrivateKey", header("jwk", only("d")))},
				"the weaker algorithm":     {"alg PBES2-HS512+A256KW", with("wrappedPrivateKey", header("alg", "PBES2-HS256+A128KW"))},
				"dir":                      {"alg PBES2-HS512+A256KW", with("wrappedPrivateKey", header("alg", "dir"))},
				"of another key":           {"that of the key", with("wrappedPrivateKey", header("kid", w.key(1).Public.Kid))},
				"five parts":               {"5 parts", with("wrappedPrivateKey", "a.b.c")},
				"17 KiB":                   {"at most 16384 bytes", with("wrappedPrivateKey", header()+strings.Repeat("A", 17<<10))},
				"the key, not wrapped":     {"5 parts", with("wrappedPrivateKey", text2(sent))},
				"shares of one":            {"2 ≤ k ≤ n ≤ 16", with("recovery", recovery(k.Public.Kid, 1, 3))},
				"too many shares":          {"2 ≤ k ≤ n ≤ 16", with("recovery", recovery(k.Public.Kid, 2, 17))},
				"more than all shares":     {"2 ≤ k ≤ n ≤ 16", with("recovery", recovery(k.Public.Kid, 4, 3))},
				"recovery of another key":  {"that of the key", with("recovery", recovery(w.key(1).Public.Kid, 2, 3))},
				"half a proof":             {"32 bytes", with("proof", base64.StdEncoding.EncodeToString(make([]byte, 16)))},
				"no challenge":             {"challengeId", with("challengeId", nil)},
				"another's challenge":      {"challenge is not known", with("challengeId", "chl_00000000000000000000000000000000")},
				"a member twice":           {"publicKey", `{"publicKey":{},` + text2(good)[1:]},
			} {
				a := w.Ask(t, "POST", "/v1/tenant/key", c.body, admin)
				if a.Status != 400 || !strings.Contains(a.Body, c.words) {
					t.Errorf("%s: %d %s, want %q", what, a.Status, a.Body, c.words)
				}
			}
			for what, c := range map[string]struct {
				status                 int
				words, who, line, body string
			}{
				"by a machine":              {401, "Unauthorized", w.machine, "POST /v1/tenant/key", text2(good)},
				"by a member":               {403, "Forbidden", w.as("member"), "POST /v1/tenant/key", text2(good)},
				"by a viewer":               {403, "Forbidden", w.as("viewer"), "POST /v1/tenant/key/challenge", object("publicKey", k.Public.JWK)},
				"by nobody":                 {403, "Forbidden", w.as("stranger"), "POST /v1/tenant/key", text2(good)},
				"by the other admin":        {400, "challenge is not known", w.as("second"), "POST /v1/tenant/key", text2(good)},
				"by another tenant's admin": {400, "challenge is not known", w.as("boss"), "POST /v1/tenant/key", text2(good)},
				"replacing nothing":         {409, "does not name the current key", admin, "POST /v1/tenant/key", with("replaces", w.key(1).Public.Kid)},
				"replacing itself":          {409, "does not name the current key", admin, "POST /v1/tenant/key", with("replaces", k.Public.Kid)},
				"a challenge for 2048 bits": {400, "at least 3072 bits", admin, "POST /v1/tenant/key/challenge", object("publicKey", short.Public.JWK)},
				"a challenge for a secret":  {400, "has a private member", admin, "POST /v1/tenant/key/challenge", object("publicKey", sent)},
				"from a page of elsewhere":  {403, "Forbidden", admin + "\r\nOrigin: https://evil.example", "POST /v1/tenant/key", text2(good)},
			} {
				who, origin, _ := strings.Cut(c.who, "\r\n")
				if origin == "" {
					origin = "X-Nothing: x"
				}
				t.Run(what, func(t *testing.T) { w.says(t, c.status, c.words, who, c.line, c.body, origin) })
			}
			if n := w.column(t, `SELECT kid FROM escrow_keys`); len(n) != 0 {
				t.Errorf("a key was taken: %v", n)
			}
			// The honest one still goes in, once; and again it is refused.
			w.want(t, 201, admin, "POST /v1/tenant/key", text2(good))
			w.says(t, 409, "takes replaces and authorization", admin, "POST /v1/tenant/key", text2(good))

			// A wrong proof spends its challenge.
			next := w.key(2)
			body, _ := w.onboarding(t, "admin", next, k, "")
			right := body["proof"]
			body["proof"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
			w.says(t, 400, "proof is wrong", admin, "POST /v1/tenant/key", text2(body))
			body["proof"] = right
			w.says(t, 400, "challenge is not known", admin, "POST /v1/tenant/key", text2(body))
			if w.events(t, acme, "escrow.proof") != 1 {
				t.Error("the wrong proof is not in the record")
			}
			w.unsigned(t, k, next)
			w.keeps(ofKey(t, "the key that was sent", short)...)
			w.secret = w.secret[:len(w.secret):len(w.secret)]
			if found := find(append(w.dump(t), w.Log.String()...), w.secret); found != "" {
				t.Errorf("kept or logged: %s", found)
			}
			secret := needlesOf(w.secret)
			for _, answer := range w.proxy.answers() {
				if found := secret.deep(answer, depth); found != "" {
					t.Errorf("answered: %s", found)
				}
			}
		})
	}
}

// unsigned tries to replace a key without its word for it.
func (w *world) unsigned(t *testing.T, k, next *ends.Key) {
	t.Helper()
	admin := w.as("admin")
	body, _ := w.onboarding(t, "admin", next, k, "")
	for what, c := range map[string]struct {
		status int
		words  string
		change func(m map[string]any)
	}{
		"unsigned": {400, "authorization", func(m map[string]any) { delete(m, "authorization") }},
		"signed by the new": {400, "must be signed by the signing key", func(m map[string]any) {
			m["authorization"] = must(next.Authorize(acme, next.Public.Kid, next.Signer.Kid))
		}},
		"for another key": {400, "must sign the kid of the new key", func(m map[string]any) {
			m["authorization"] = must(k.Authorize(acme, w.key(3).Public.Kid, next.Signer.Kid))
		}},
		"for another signer": {400, "must sign the thumbprint of the new signing key", func(m map[string]any) { m["authorization"] = must(k.Authorize(acme, next.Public.Kid, k.Signer.Kid)) }},
		"for another tenant": {400, "must sign the tenant", func(m map[string]any) {
			m["authorization"] = must(k.Authorize(globex, next.Public.Kid, next.Signer.Kid))
		}},
		"a statement as one":  {400, "typ portreeve-escrow-successor", func(m map[string]any) { m["authorization"] = m["signature"] }},
		"in place of itself":  {409, "does not name the current key", func(m map[string]any) { m["replaces"] = next.Public.Kid }},
		"in place of nothing": {409, "takes replaces", func(m map[string]any) { delete(m, "replaces") }},
		"itself, by its proof": {409, "has or had this key", func(m map[string]any) {
			m["publicKey"], m["replaces"], m["recovery"] = k.Public.JWK, k.Public.Kid, nil
			m["wrappedPrivateKey"] = outside(k.Public.Kid)
		}},
	} {
		m := maps.Clone(body)
		c.change(m)
		a := w.Ask(t, "POST", "/v1/tenant/key", text2(m), admin)
		if a.Status != c.status || !strings.Contains(a.Body, c.words) {
			t.Errorf("%s: %d %s, want %d %q", what, a.Status, a.Body, c.status, c.words)
		}
	}
	if p := w.published(t); p.Public.Kid != k.Public.Kid {
		t.Error("the key was replaced")
	}
	w.want(t, 201, admin, "POST /v1/tenant/key", text2(body))
	w.says(t, 409, "does not name the current key", admin, "POST /v1/tenant/key", text2(body)) // a replay
}

func recovery(kid string, k, n int) string {
	return jwe(object("alg", "dir", "enc", "A256GCM", "typ", envelope.TypeRecovery, "kid", kid, "set", "ABCDEFGH", "k", k, "n", n), 0)
}

// square is the square of a number: a modulus whose factors are equal.
func square() []byte {
	n := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 1536), big.NewInt(3))
	return n.Mul(n, n).Bytes()
}

// Whatever is wrong with a secret is said in words of its own.
func TestRefusedSecrets(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		k := w.onboarded(t, "plinth gravel otter sunday mosaic tin")
		other := w.key(1)
		seal := func(b ends.Binding, to *ends.Key) string {
			return must(ends.Seal(to.Public, b, []byte(w.plain("plaintext", "Tr0ub4dor&3-of-PC-1"))))
		}
		of := ends.Binding{Tenant: acme, Machine: "PC-1", Kind: "local-admin"}
		good := seal(of, k)
		send := func(more ...any) string {
			return object(append([]any{"machine", "PC-1", "kind", "local-admin", "ciphertext", good}, more...)...)
		}
		sealed := func(b ends.Binding) string { return send("ciphertext", seal(b, k)) }
		number := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
		parts := strings.Split(good, ".")
		for what, c := range map[string]struct {
			status           int
			words, who, body string
		}{
			"a plaintext":            {400, "nothing else is kept, least of all a secret as it is", w.machine, send("ciphertext", "hunter2")},
			"in base64":              {400, "least of all a secret as it is", w.machine, send("ciphertext", base64.StdEncoding.EncodeToString([]byte("hunter2")))},
			"of its length":          {400, "RSA-OAEP", w.machine, send("ciphertext", number(384))},
			"padded with zeros":      {400, "RSA-OAEP", w.machine, send("ciphertext", base64.StdEncoding.EncodeToString(append(make([]byte, 384-7), "hunter2"...)))},
			"one byte short":         {400, "least of all", w.machine, send("ciphertext", number(383))},
			"one byte long":          {400, "least of all", w.machine, send("ciphertext", number(385))},
			"beyond the modulus":     {400, "no number of this size", w.machine, send("ciphertext", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xff", 384))))},
			"URL alphabet":           {400, "least of all", w.machine, send("ciphertext", strings.Repeat("-_", 256))},
			"line breaks":            {400, "least of all", w.machine, send("ciphertext", number(384)[:76]+"\n"+number(384)[76:])},
			"hex":                    {400, "least of all", w.machine, send("ciphertext", strings.Repeat("ab", 384))},
			"of another tenant":      {400, "another tenant", w.machine, sealed(ends.Binding{Tenant: globex, Machine: "PC-1", Kind: "local-admin"})},
			"of another machine":     {400, "another machine", w.machine, sealed(ends.Binding{Tenant: acme, Machine: "PC-2", Kind: "local-admin"})},
			"of another kind":        {400, "another kind", w.machine, sealed(ends.Binding{Tenant: acme, Machine: "PC-1", Kind: "bitlocker"})},
			"to a stranger's key":    {400, "kid", w.machine, send("ciphertext", seal(of, other))},
			"unknown kid":            {400, "is not that of a key of the tenant", w.machine, send("kid", other.Public.Kid, "ciphertext", must(ends.SealRaw(k.Public, []byte("x"))))},
			"two kids":               {400, "another one than that in the ciphertext's protected header", w.machine, send("kid", "x")},
			"cut":                    {400, "5 parts", w.machine, send("ciphertext", strings.Join(parts[:4], "."))},
			"nothing sealed":         {400, "A256GCM", w.machine, send("ciphertext", strings.Join([]string{parts[0], parts[1], parts[2], "", parts[4]}, "."))},
			"none":                   {400, "must say alg", w.machine, send("ciphertext", jwe(object("alg", "none", "enc", "A256GCM", "tenant", acme, "machine", "PC-1", "kind", "local-admin"), 384))},
			"RSA1_5":                 {400, "must say alg", w.machine, send("ciphertext", jwe(object("alg", "RSA1_5", "enc", "A256GCM", "tenant", acme, "machine", "PC-1", "kind", "local-admin"), 384))},
			"compressed":             {400, "must not have zip", w.machine, send("ciphertext", jwe(object("alg", "RSA-OAEP-256", "enc", "A256GCM", "zip", "DEF", "tenant", acme, "machine", "PC-1", "kind", "local-admin"), 384))},
			"the secret in a header": {400, "nothing that is not described", w.machine, send("ciphertext", jwe(object("alg", "RSA-OAEP-256", "enc", "A256GCM", "tenant", acme, "machine", "PC-1", "kind", "local-admin", "note", "x"), 384))},
			"no kind":                {400, "kind", w.machine, send("kind", "")},
			"a long kind":            {400, "at most 64", w.machine, send("kind", strings.Repeat("k", 65))},
			"no machine":             {400, "machine", w.machine, send("machine", nil)},
			"a machine of spaces":    {400, "hostname", w.machine, send("machine", "   ")},
			"65 KiB":                 {413, "Payload Too Large", w.machine, send("ciphertext", strings.Repeat("A", 65<<10))},
			"no key yet":             {409, "No tenant key yet", w.foreign, send()},
			"no token":               {401, "Unauthorized", "X-Nothing: x", send()},
			"a person":               {401, "Unauthorized", w.as("admin"), send()},
		} {
			a := w.Ask(t, "POST", "/v1/secret", c.body, c.who)
			if a.Status != c.status || !strings.Contains(a.Body, c.words) {
				t.Errorf("%s: %d %s, want %d %q", what, a.Status, a.Body, c.status, c.words)
			}
			if strings.Contains(a.Body, "hunter2") {
				t.Errorf("%s: the answer repeats it: %s", what, a.Body)
			}
		}
		if n := w.column(t, `SELECT id FROM escrow_secrets`); len(n) != 0 {
			t.Errorf("kept: %v", n)
		}
		if found := find(append(w.dump(t), w.Log.String()...), []private{{"a plaintext that was sent", []byte("hunter2")}}); found != "" {
			t.Errorf("kept: %s", found)
		}

		// Nothing that a machine sends replaces or removes anything.
		id := str(w.want(t, 201, w.machine, "POST /v1/secret", send()), "id")
		before := w.column(t, `SELECT id || ciphertext FROM escrow_secrets ORDER BY id`)
		w.want(t, 200, w.machine, "POST /v1/secret", send()) // the same again
		w.want(t, 201, w.machine, "POST /v1/secret", sealed(of))
		w.want(t, 201, w.machine, "POST /v1/report", `{"machine":"PC-1","run":{"id":"r","status":"failed"}}`)
		w.want(t, 200, w.machine, "POST /v1/report", `{"machine":"PC-1","run":{"id":"r","status":"succeeded"}}`)
		for _, m := range []string{"DELETE", "PUT", "PATCH"} {
			for _, path := range []string{"/v1/secret", "/v1/report", "/v1/secrets/" + id, "/v1/machines/PC-1", "/v1/tenant/pubkey", "/v1/tenant/key"} {
				if a := w.Ask(t, m, path, send(), w.machine); a.Status != 405 && a.Status != 404 {
					t.Errorf("%s %s: %d", m, path, a.Status)
				}
			}
		}
		if after := w.column(t, `SELECT id || ciphertext FROM escrow_secrets ORDER BY created_at, version`); len(after) != 2 || after[0] != before[0] {
			t.Errorf("kept are %d", len(after))
		}
		if run := list(w.want(t, 200, w.as("viewer"), "GET /v1/runs", ""), "data"); len(run) != 1 || run[0]["status"] != "failed" {
			t.Errorf("a run that has ended changed: %v", run)
		}
		w.strangers(t, id)
	})
}

// strangers are people without a row, of too low a role, of another tenant.
func (w *world) strangers(t *testing.T, id string) {
	t.Helper()
	machine := str(list(w.want(t, 200, w.as("viewer"), "GET /v1/machines", ""), "data")[0], "id")
	kid := w.published(t).Public.Kid
	for _, c := range []struct {
		status int
		who    string
		lines  []string
	}{
		{403, w.as("stranger"), []string{"GET /v1/machines", "GET /v1/machines/" + machine, "GET /v1/runs", "GET /v1/secrets", "GET /v1/tenant/key", "GET /v1/audit", "GET /v1/configs", "POST /v1/secrets/" + id + "/reveal"}},
		{404, w.as("boss"), []string{"GET /v1/machines/" + machine, "POST /v1/secrets/" + id + "/reveal", "POST /v1/tenant/key/" + kid + "/wrapping", "POST /v1/tenant/key/" + kid + "/wrapping/1/remove", "GET /v1/configs/none"}},
		{403, w.as("viewer"), []string{"GET /v1/secrets", "GET /v1/audit", "GET /v1/configs", "POST /v1/secrets/" + id + "/reveal", "POST /v1/tenant/key/" + kid + "/wrapping"}},
		{403, w.as("member"), []string{"GET /v1/audit", "GET /v1/configs", "POST /v1/configs", "POST /v1/tenant/key/" + kid + "/wrapping/1/remove"}},
		{401, w.machine, []string{"GET /v1/machines", "GET /v1/secrets", "POST /v1/secrets/" + id + "/reveal", "GET /v1/tenant/key"}},
		{401, "X-Nothing: x", []string{"GET /v1/machines", "GET /v1/tenant/pubkey", "POST /v1/secrets/" + id + "/reveal"}},
		{401, edge.Bearer("tok_" + strings.Repeat("A", 32)), []string{"GET /v1/tenant/pubkey", "POST /v1/report", "GET /v1/config?machine=PC-1"}},
	} {
		for _, line := range c.lines {
			method, path, _ := strings.Cut(line, " ")
			body := ""
			if method == "POST" {
				body = `{"reason":"curious"}`
			}
			if a := w.Ask(t, method, path, body, c.who); a.Status != c.status || strings.Contains(a.Body, "PC-1") || strings.Contains(a.Body, "eyJ") {
				t.Errorf("%s by %.30s: %d %s", line, c.who, a.Status, a.Body)
			}
		}
	}
	if all := list(w.want(t, 200, w.as("boss"), "GET /v1/secrets?machine="+machine, ""), "data"); len(all) != 0 {
		t.Errorf("another tenant sees %v", all)
	}
	if n := w.events(t, acme, "secret.revealed") + w.events(t, globex, "secret.revealed"); n != 0 {
		t.Error(fmt.Sprint(n) + " reveals are in the record")
	}
}
