package escrow

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// Every operation of the portal side, and from which role on it is open.
func TestWhoMayDoWhat(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.onboarded("admin")
		id := h.want(201, h.machine, "POST /v1/secret", deposit("PC-1", "admin", raw(&b.rsa.PublicKey, "x")))["id"].(string)
		mac := h.want(200, h.as("viewer"), "GET /v1/machines", "")["data"].([]any)[0].(map[string]any)["id"].(string)
		ranks := map[string]int{"viewer": 1, "odd": 1, "member": 2, "admin": 3}
		for line, least := range map[string]int{
			"GET /v1/fleet": 1, "GET /v1/machines": 1, "GET /v1/machines/" + mac: 1, "GET /v1/runs": 1, "GET /v1/tenant/key": 1,
			"GET /v1/secrets": 2, "POST /v1/secrets/" + id + "/reveal": 2,
			"POST /v1/tenant/key/challenge": 3, "POST /v1/tenant/key": 3, "POST /v1/tenant/key/" + b.kid + "/wrapping": 3,
			"POST /v1/tenant/key/" + b.kid + "/wrapping/1/remove": 3, "GET /v1/audit": 3, "GET /v1/configs": 3, "POST /v1/configs": 3, "POST /v1/configs/x": 3, "GET /v1/configs/x": 3, "GET /v1/configs/x/versions": 3,
		} {
			for who, rank := range ranks {
				body := ""
				if strings.HasPrefix(line, "POST") {
					body = "{}"
				}
				got, _, text := h.ask(h.as(who), line, body)
				if (got == 403) == (rank >= least) || got == 401 {
					t.Errorf("%s as %s: %d %s", line, who, got, text)
				}
			}
			for name, token := range map[string]string{"nobody": "", "a machine": h.machine, "an API key": h.apiKey} {
				if got, _, text := h.ask(token, line, "{}"); got != 401 {
					t.Errorf("%s by %s: %d %s", line, name, got, text)
				}
			}
			if got, _, text := h.ask(h.as("stranger"), line, "{}"); got != 403 { // a token that says admin, and no users row
				t.Errorf("%s by an unknown e-mail: %d %s", line, got, text)
			}
		}
		for _, line := range []string{"GET /v1/machines/" + mac, "POST /v1/secrets/" + id + "/reveal", "POST /v1/tenant/key/" + b.kid + "/wrapping", "POST /v1/tenant/key/" + b.kid + "/wrapping/1/remove"} {
			if got, _, text := h.ask(h.as("admin@other"), line, `{"reason":"x"}`); got != 404 {
				t.Errorf("%s by another tenant's admin: %d %s", line, got, text)
			}
		}
	})
}

func TestAFirstKey(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b, other := newBrowser(0), newBrowser(1)
		weak := newBrowser(3)
		admin := h.as("admin")
		h.says(400, "at least 3072", admin, "POST /v1/tenant/key/challenge", `{"publicKey":`+weak.public+`}`)
		good := h.keyFor("admin", b, nil)
		with := func(k string, v any) string {
			m := maps.Clone(good)
			if m[k] = v; v == nil {
				delete(m, k)
			}
			return text(m)
		}
		private := strings.Replace(b.public, "{", `{"d":"AQAB",`, 1)
		said := func(key *browser, typ string, pairs ...any) string {
			return jwsOf(key.sign, b.signer.Kid, typ, object(pairs...))
		}
		payload := []any{"kid", b.kid, "tenant", "main", "createdAt", "2020-01-01T00:00:00.000Z", "predecessor", nil}
		for name, c := range map[string]struct{ body, words string }{
			"nothing":             {`{}`, "publicKey"},
			"no JSON":             {`x`, "not JSON"},
			"a private key":       {with("publicKey", json.RawMessage(private)), "private member"},
			"a private signer":    {with("signingKey", json.RawMessage(`{"kty":"OKP","crv":"Ed25519","x":"`+enc(make([]byte, 32))+`","d":"AAAA"}`)), "private member"},
			"a weak key":          {with("publicKey", json.RawMessage(weak.public)), "at least 3072"},
			"exponent 3":          {with("publicKey", json.RawMessage(strings.Replace(b.public, `"e":"AQAB"`, `"e":"Aw"`, 1))), "65537"},
			"an even modulus":     {with("publicKey", json.RawMessage(strings.Replace(b.public, `","e"`, `A","e"`, 1))), "publicKey"},
			"a signing RSA key":   {with("publicKey", json.RawMessage(strings.Replace(b.public, `"key_ops":["encrypt"]`, `"use":"sig"`, 1))), "use enc"},
			"members twice":       {with("publicKey", json.RawMessage(strings.Replace(b.public, "{", `{"e":"AQAB",`, 1))), "twice"},
			"an EC key":           {with("publicKey", json.RawMessage(`{"kty":"EC"}`)), "RSA"},
			"a low-order signer":  {with("signingKey", json.RawMessage(`{"kty":"OKP","crv":"Ed25519","x":"`+enc(make([]byte, 32))+`"}`)), "nobody signed"},
			"X25519":              {with("signingKey", json.RawMessage(`{"kty":"OKP","crv":"X25519","x":"`+enc(make([]byte, 32))+`"}`)), "Ed25519"},
			"no signature":        {with("signature", nil), `"field":"signature"`},
			"another's signature": {with("signature", said(other, envelope.TypeStatement, payload...)), "must be signed by the signing key"},
			"another type":        {with("signature", said(b, envelope.TypeSuccession, payload...)), "typ portreeve-escrow-key"},
			"another time":        {with("signature", said(b, envelope.TypeStatement, payload...)), "createdAt that the challenge gave"},
			"another tenant":      {with("signature", said(b, envelope.TypeStatement, "kid", b.kid, "tenant", "other", "createdAt", "x", "predecessor", nil)), "tenant that the challenge gave"},
			"a member more":       {with("signature", said(b, envelope.TypeStatement, append(payload, "x", "y")...)), "exactly"},
			"no wrapping":         {with("wrappedPrivateKey", nil), `"field":"wrappedPrivateKey"`},
			"hostile p2c":         {with("wrappedPrivateKey", jweOf(object("alg", "PBES2-HS512+A256KW", "enc", "A256GCM", "p2s", enc(make([]byte, 16)), "p2c", 2000000000), make([]byte, 40))), "p2c"},
			"a plain wrapping":    {with("wrappedPrivateKey", `{"kty":"RSA"}`), "5 parts"},
			"bad recovery":        {with("recovery", wrapped(b.kid)), `"field":"recovery"`},
			"no challenge":        {with("challengeId", nil), "challengeId"},
			"unknown challenge":   {with("challengeId", "chl_0"), "challenge is not known"},
			"no proof":            {with("proof", nil), "proof"},
			"a short proof":       {with("proof", "AAAA"), "32 bytes"},
			"replaces nothing":    {with("replaces", b.kid), ""},
		} {
			if got, _, text := h.ask(admin, "POST /v1/tenant/key", c.body); got != 400 && name != "replaces nothing" || !strings.Contains(text, c.words) {
				t.Errorf("%s: %d %s, want %q", name, got, text, c.words)
			}
		}
		h.says(409, "replaces does not name", admin, "POST /v1/tenant/key", with("replaces", other.kid))
		h.says(400, "challenge is not known", h.as("careful"), "POST /v1/tenant/key", with("stepUp", "shown")) // it was given to somebody else
		wrong := base64.StdEncoding.EncodeToString(make([]byte, 32))
		h.says(400, "proof is wrong", admin, "POST /v1/tenant/key", with("proof", wrong))
		h.says(400, "challenge is not known", admin, "POST /v1/tenant/key", text(good)) // spent by the wrong one
		if h.rows(`SELECT COUNT(*) FROM escrow_keys`) != 0 || h.events("main", "escrow.proof") != 1 {
			t.Error("a key was taken, or the wrong proof is not in the record")
		}
		late := h.keyFor("admin", b, nil)
		h.clock.add(6 * time.Minute)
		h.says(400, "challenge is not known", admin, "POST /v1/tenant/key", text(late))
		good = h.keyFor("admin", b, nil)
		h.want(201, admin, "POST /v1/tenant/key", text(good))
		h.says(409, "takes replaces and authorization", admin, "POST /v1/tenant/key", text(good))
		h.says(409, "takes replaces and authorization", admin, "POST /v1/tenant/key", text(h.keyFor("admin", other, nil)))
		m := h.want(200, h.as("viewer"), "GET /v1/tenant/key", "")["keys"].([]any)[0].(map[string]any)
		if m["kid"] != b.kid || m["current"] != true || m["wrappings"] != nil || m["recovery"] != nil || strings.Contains(text(m), "p2s") {
			t.Errorf("a viewer sees %v", m)
		}
		said2, err := envelope.VerifyStatement(m["signature"].(string), b.signer)
		if err != nil || said2.Kid != b.kid || said2.CreatedAt != m["createdAt"] {
			t.Errorf("%v %v", said2, err)
		}
	})
}

func TestAKeyInPlaceOfAnother(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.as("admin")
		first, second, third := h.onboarded("admin"), newBrowser(1), newBrowser(2)
		good := h.keyFor("admin", second, first)
		for name, c := range map[string]struct {
			status int
			words  string
			change func(m map[string]any)
		}{
			"unsigned": {400, `"field":"authorization"`, func(m map[string]any) { delete(m, "authorization") }},
			"by the new key": {400, "must be signed by the signing key", func(m map[string]any) {
				m["authorization"] = jwsOf(second.sign, first.signer.Kid, envelope.TypeSuccession, object("kid", second.kid, "signer", second.signer.Kid, "tenant", "main", "predecessor", first.kid))
			}},
			"of another key": {400, "kid of the new key", func(m map[string]any) {
				m["authorization"] = jwsOf(first.sign, first.signer.Kid, envelope.TypeSuccession, object("kid", third.kid, "signer", second.signer.Kid, "tenant", "main", "predecessor", first.kid))
			}},
			"of another signer": {400, "thumbprint of the new signing key", func(m map[string]any) {
				m["authorization"] = jwsOf(first.sign, first.signer.Kid, envelope.TypeSuccession, object("kid", second.kid, "signer", third.signer.Kid, "tenant", "main", "predecessor", first.kid))
			}},
			"a statement for one":    {400, "typ portreeve-escrow-successor", func(m map[string]any) { m["authorization"] = m["signature"] }},
			"in place of a stranger": {409, "does not name the current key", func(m map[string]any) { m["replaces"] = third.kid }},
			"in place of nothing":    {409, "takes replaces", func(m map[string]any) { delete(m, "replaces") }},
			"as the first of a chain": {400, "predecessor that the challenge gave", func(m map[string]any) {
				var p map[string]any
				_ = json.Unmarshal(must(base64.RawURLEncoding.DecodeString(strings.Split(m["signature"].(string), ".")[1])), &p)
				p["predecessor"] = nil
				m["signature"] = jwsOf(second.sign, second.signer.Kid, envelope.TypeStatement, text(p))
			}},
		} {
			m := maps.Clone(good)
			c.change(m)
			if got, _, text := h.ask(admin, "POST /v1/tenant/key", text(m)); got != c.status || !strings.Contains(text, c.words) {
				t.Errorf("%s: %d %s, want %d %q", name, got, text, c.status, c.words)
			}
		}
		h.want(201, admin, "POST /v1/tenant/key", text(good))
		h.says(409, "does not name the current key", admin, "POST /v1/tenant/key", text(good))
		h.says(409, "has or had this key", admin, "POST /v1/tenant/key", text(h.keyFor("admin", first, second))) // back to the old one
		m := h.want(200, h.machine, "GET /v1/tenant/pubkey", "")
		by, err := envelope.VerifySuccession(m["authorization"].(string), first.signer)
		if err != nil || by.Kid != second.kid || m["kid"] != second.kid {
			t.Errorf("%v %v", m, err)
		}
		// What was sealed to the old key still goes in, and comes out.
		id := h.want(201, h.machine, "POST /v1/secret", deposit("PC-1", "admin", raw(&first.rsa.PublicKey, "x"), "kid", first.kid))["id"].(string)
		if r := h.want(200, admin, "POST /v1/secrets/"+id+"/reveal", `{"reason":"x"}`); r["kid"] != first.kid {
			t.Errorf("%v", r)
		}
		if keys := h.want(200, admin, "GET /v1/tenant/key", "")["keys"].([]any); len(keys) != 2 || keys[0].(map[string]any)["kid"] != second.kid {
			t.Errorf("%v", keys)
		}
	})
}

func TestTheSecondFactor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b, careful := newBrowser(0), h.as("careful")
		m := h.keyFor("careful", b, nil)
		h.says(403, "Second factor required", careful, "POST /v1/tenant/key", text(m))
		m["stepUp"] = "shown"
		h.want(201, careful, "POST /v1/tenant/key", text(m))
		h.says(403, "Second factor required", careful, "POST /v1/tenant/key/"+b.kid+"/wrapping", `{}`)
		h.says(403, "Second factor required", careful, "POST /v1/tenant/key/"+b.kid+"/wrapping/1/remove", `{}`)
	})
}

func TestWrappings(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b, admin := h.onboarded("admin"), h.as("admin")
		path := "POST /v1/tenant/key/" + b.kid + "/wrapping"
		post := func(line string, more ...any) (int, string) {
			c, proof := h.challenge("admin", b)
			got, _, text := h.ask(admin, line, object(append([]any{"challengeId", c["challengeId"], "proof", proof}, more...)...))
			return got, text
		}
		h.says(400, "wrappedPrivateKey", admin, path, `{}`)
		h.says(404, "Not Found", admin, "POST /v1/tenant/key/nobody/wrapping", `{}`)
		if got, text := post(path, "wrappedPrivateKey", wrapped("another")); got != 400 || !strings.Contains(text, "kid") {
			t.Errorf("%d %s", got, text)
		}
		for i := 2; i <= 8; i++ {
			if got, text := post(path, "wrappedPrivateKey", wrapped(b.kid)); got != 201 || !strings.Contains(text, fmt.Sprint(i)) {
				t.Fatalf("%d %s", got, text)
			}
			h.clock.add(6 * time.Minute) // challenges end
		}
		versions := func() (out []float64) {
			h.clock.add(61 * time.Minute)
			m := h.want(200, h.as("member"), "GET /v1/tenant/key", "")["keys"].([]any)[0].(map[string]any)
			for _, w := range m["wrappings"].([]any) {
				out = append(out, w.(map[string]any)["version"].(float64))
			}
			return out
		}
		if got := fmt.Sprint(versions()); got != "[8 7 6 5 4 3]" {
			t.Errorf("kept are %s", got)
		}
		for line, want := range map[string]int{path + "/8/remove": 409, path + "/2/remove": 404, path + "/99/remove": 404, path + "/x/remove": 404, path + "/07/remove": 404, path + "/7/remove": 200} {
			if got, text := post(line); got != want {
				t.Errorf("%s: %d %s", line, got, text)
			}
		}
		h.clock.add(6 * time.Minute)
		h.says(400, "challengeId", admin, path+"/6/remove", `{}`)
		if got := fmt.Sprint(versions()); got != "[8 6 5 4 3]" {
			t.Errorf("kept are %s", got)
		}
		h.clock.add(91 * 24 * time.Hour)
		if err := h.s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := h.rows(`SELECT COUNT(*) FROM escrow_wrappings`); n != 1 {
			t.Errorf("after their time %d are kept", n)
		}
	})
}

func TestWrappingsAreHandedOutTenTimesAnHour(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.onboarded("admin")
		member := h.as("member")
		h.want(200, member, "GET /v1/tenant/key?wrappings=false", "")
		var ok, over atomic.Int64
		storetest.Callers(t, 16, func(int) error {
			switch got, head, text := h.ask(member, "GET /v1/tenant/key", ""); {
			case got == 200 && strings.Contains(text, "wrappedPrivateKey"):
				ok.Add(1)
			case got == 429 && !strings.Contains(text, "p2s") && head.Get("Retry-After") != "":
				over.Add(1)
			default:
				return fmt.Errorf("%d %s", got, text)
			}
			return nil
		})
		if ok.Load() != 10 || over.Load() != 6 || h.events("main", "escrow.wrappings_read") != 10 {
			t.Errorf("%d were answered, %d refused", ok.Load(), over.Load())
		}
		h.want(200, h.as("admin"), "GET /v1/tenant/key", "")
		h.want(200, member, "GET /v1/tenant/key?wrappings=false", "")
		h.clock.add(time.Hour + time.Second)
		h.want(200, member, "GET /v1/tenant/key", "")
	})
}

// Of sixteen who bring a first key at once, one has it.
func TestManyFirstKeys(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, b := text(h.keyFor("admin", newBrowser(0), nil)), text(h.keyFor("admin", newBrowser(1), nil))
		admin := h.as("admin")
		var made atomic.Int64
		storetest.Callers(t, 16, func(i int) error {
			got, _, answer := h.ask(admin, "POST /v1/tenant/key", []string{a, b}[i%2])
			if got == 201 {
				made.Add(1)
			} else if got != 409 && got != 400 {
				return fmt.Errorf("%d %s", got, answer)
			}
			return nil
		})
		if made.Load() != 1 || h.rows(`SELECT COUNT(*) FROM escrow_keys`) != 1 || h.rows(`SELECT COUNT(*) FROM escrow_wrappings`) != 1 {
			t.Errorf("%d keys were taken", made.Load())
		}
	})
}

func TestChallengesAreBounded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := newBrowser(0)
		for range mostChallenges {
			h.challenge("admin", b)
		}
		h.says(429, "challenges are open", h.as("admin"), "POST /v1/tenant/key/challenge", `{"publicKey":`+b.public+`}`)
		h.challenge("careful", b)
	})
}

func TestARevealNeedsAReason(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.onboarded("admin")
		line := "POST /v1/secrets/" + h.want(201, h.machine, "POST /v1/secret", deposit("PC-1", "admin", raw(&b.rsa.PublicKey, "x")))["id"].(string) + "/reveal"
		member := h.as("member")
		for _, body := range []string{`{}`, `{"reason":""}`, `{"reason":"   "}`, `{"reason":7}`, `{"reason":"a\nb"}`, object("reason", strings.Repeat("x", 501))} {
			h.says(400, "reason", member, line, body)
		}
		h.says(404, "Not Found", member, "POST /v1/secrets/sec_0/reveal", `{"reason":"x"}`)
		if h.events("main", "secret.revealed") != 0 {
			t.Error("a refusal is in the record as a reveal")
		}
		r := h.want(200, member, line, object("reason", strings.Repeat("ä", 500)))
		list := h.want(200, h.as("admin"), "GET /v1/audit?action=secret.revealed", "")
		e := list["data"].([]any)[0].(map[string]any)
		if e["id"] != r["auditId"] || e["detail"].(map[string]any)["reason"] != strings.Repeat("ä", 500) || e["actor"].(map[string]any)["email"] != "member@main.example" {
			t.Errorf("%v", e)
		}
	})
}

func TestPagesOfElsewhere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.as("admin")
		for _, c := range []struct {
			fields []string
			want   int
		}{
			{nil, 400},
			{[]string{"Origin: " + portal, "Sec-Fetch-Site: same-site"}, 400},
			{[]string{"Origin: https://api.example.com"}, 400},
			{[]string{"Origin: https://evil.example"}, 403},
			{[]string{"Origin: null"}, 403},
			{[]string{"Sec-Fetch-Site: cross-site"}, 403},
			{[]string{"Origin: " + portal + ".evil.example"}, 403},
		} {
			if got, _, text := h.ask(admin, "POST /v1/configs", "{}", c.fields...); got != c.want {
				t.Errorf("%v: %d %s", c.fields, got, text)
			}
		}
		preflight := func(origin string) request.Header {
			got, head, _ := h.ask("", "OPTIONS /v1/secrets", "", "Origin: "+origin, "Access-Control-Request-Method: POST")
			if got != 204 {
				t.Errorf("a preflight: %d", got)
			}
			return head
		}
		head := preflight(portal)
		if head.Get("Access-Control-Allow-Methods") != "GET, POST, OPTIONS" || head.Get("Access-Control-Allow-Headers") != "Content-Type" {
			t.Errorf("%v", head)
		}
		for line := range map[string]bool{"DELETE /v1/configs/x": true, "PUT /v1/configs/x": true, "PATCH /v1/machines": true, "DELETE /v1/secrets": true} {
			if got, _, _ := h.ask(admin, line, ""); got != 405 {
				t.Errorf("%s: %d", line, got)
			}
		}
	})
}

func TestConfigurations(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.as("admin")
		for name, body := range map[string]string{
			"all":  `{"name":"all","match":{},"config":{"n":1}}`,
			"lab":  `{"name":"lab","match":{"group":"lab"},"config":{"n":2}}`,
			"pc-1": `{"name":"pc-1","match":{"machine":"PC-1"},"config":{"n":3}}`,
			"both": `{"name":"both","match":{"machine":"pc-1","group":"lab"},"config":{"n":4}}`,
		} {
			if m := h.want(201, admin, "POST /v1/configs", body); m["name"] != name || m["version"] != 1.0 {
				t.Errorf("%v", m)
			}
		}
		h.want(201, h.machine, "POST /v1/report", fmt.Sprintf(reportOf, `{"hostname":"PC-9","group":"lab"}`, "r", "running"))
		for query, n := range map[string]float64{"machine=nobody": 1, "machine=x&group=lab": 2, "machine=pc-9": 2, "machine=Pc-1": 3, "machine=PC-1&group=lab": 4, "machine=PC-1&group=x": 3} {
			if m := h.want(200, h.machine, "GET /v1/config?"+query, ""); m["config"].(map[string]any)["n"] != n {
				t.Errorf("%s: %v", query, m)
			}
		}
		h.says(404, "Not Found", h.stranger, "GET /v1/config?machine=PC-1", "")
		h.says(400, "machine", h.machine, "GET /v1/config", "")
		_, head, _ := h.ask(h.machine, "GET /v1/config?machine=PC-1", "")
		etag := head.Get("ETag")
		if got, head, text := h.ask(h.machine, "GET /v1/config?machine=PC-1", "", "If-None-Match: W/"+etag); got != 304 || text != "" || head.Get("ETag") != etag {
			t.Errorf("%d %q", got, text)
		}
		for body, c := range map[string]struct {
			status int
			words  string
		}{
			`{}`:                          {400, "name"},
			`{"name":"A B","config":{}}`:  {400, "name"},
			`{"name":"n"}`:                {400, "config"},
			`{"name":"n","config":null}`:  {400, "config"},
			`{"name":"all","config":{}}`:  {409, "of this name"},
			`{"name":"all2","config":{}}`: {409, "same machines"},
			`{"name":"n","match":{"machine":"p","group":7},"config":{}}`: {400, "match"},
			object("name", "n", "config", strings.Repeat("x", 257<<10)):  {413, "256 KiB"},
		} {
			h.says(c.status, c.words, admin, "POST /v1/configs", body)
		}
		h.says(404, "Not Found", admin, "POST /v1/configs/none", `{"config":{}}`)
		h.says(400, "another one", admin, "POST /v1/configs/all", `{"name":"lab","config":{}}`)
		if m := h.want(200, admin, "POST /v1/configs/pc-1", `{"match":{"machine":"PC-1"},"config":{"n":5},"version":1}`); m["version"] != 2.0 {
			t.Errorf("%v", m)
		}
		h.says(409, "newer version", admin, "POST /v1/configs/pc-1", `{"match":{"machine":"PC-1"},"config":{"n":6},"version":1}`)
		if got, head, _ := h.ask(h.machine, "GET /v1/config?machine=PC-1", "", "If-None-Match: "+etag); got != 200 || head.Get("ETag") == etag {
			t.Errorf("a changed configuration: %d", got)
		}
		h.want(200, admin, "POST /v1/configs/pc-1", `{"match":{"machine":"PC-1"},"config":{},"disabled":true}`)
		if m := h.want(200, h.machine, "GET /v1/config?machine=PC-1", ""); m["name"] != "all" {
			t.Errorf("%v", m)
		}
		if list := h.want(200, admin, "GET /v1/configs?limit=2", ""); len(list["data"].([]any)) != 2 || list["pagination"].(map[string]any)["total"] != 4.0 {
			t.Errorf("%v", list)
		}
		if m := h.want(200, admin, "GET /v1/configs/lab", ""); m["config"].(map[string]any)["n"] != 2.0 {
			t.Errorf("%v", m)
		}
	})
}

// A key is never older than the one whose place it takes.
func TestAChallengeOfBeforeTheCurrentKey(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		old, next := newBrowser(3), newBrowser(1)
		h.importKey(old, time.Time{})
		late := h.keyFor("admin", next, old)
		h.clock.add(time.Minute)
		v := h.keyFor("admin", old, nil)
		v["replaces"] = old.kid
		h.want(201, h.as("admin"), "POST /v1/tenant/key", text(v))
		h.says(400, "challenge from before the current key", h.as("admin"), "POST /v1/tenant/key", text(late))
	})
}

// Pages of elsewhere do not use up what a person may unwrap.
func TestPagesOfElsewhereDoNotUnwrap(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.onboarded("admin")
		for range 10 {
			h.ask(h.as("member"), "GET /v1/tenant/key", "", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors")
		}
		h.want(200, h.as("member"), "GET /v1/tenant/key", "")
	})
}

func TestAReasonOfBlanks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.onboarded("admin")
		id := h.want(201, h.machine, "POST /v1/secret", deposit("PC-1", "admin", raw(&b.rsa.PublicKey, "x")))["id"].(string)
		for _, reason := range []string{"\u00a0", "\u200b", "\u3000 \u2003"} {
			if got, _, text := h.ask(h.as("admin"), "POST /v1/secrets/"+id+"/reveal", object("reason", reason)); got != 400 {
				t.Errorf("%q: %d %s", reason, got, text)
			}
		}
	})
}

// Who has no room for another copy for recovery may still change the passphrase, by
// the same challenge.
func TestTooManyCopiesForRecovery(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b, admin := h.onboarded("admin"), h.as("admin")
		line := "POST /v1/tenant/key/" + b.kid + "/wrapping"
		for n := 1; n < mostRecoveries; n++ {
			c, proof := h.challenge("admin", b)
			h.want(201, admin, line, object("wrappedPrivateKey", wrapped(b.kid), "recovery", recoveryOf(b.kid), "challengeId", c["challengeId"], "proof", proof))
		}
		c, proof := h.challenge("admin", b)
		h.says(409, "no room", admin, line, object("wrappedPrivateKey", wrapped(b.kid), "recovery", recoveryOf(b.kid), "challengeId", c["challengeId"], "proof", proof))
		h.want(201, admin, line, object("wrappedPrivateKey", wrapped(b.kid), "challengeId", c["challengeId"], "proof", proof))
	})
}
