package escrow

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const reportOf = `{"machine":%s,"run":{"id":%q,"status":%q,"phases":[{"name":"disk","status":"passed"}]},"engine":"1.2"}`

func TestTheFirstAnswerIs409UntilThereIsAKey(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if got, _, text := h.ask(h.machine, "GET /v1/tenant/pubkey", ""); got != 409 || text != `{"error":"Conflict","message":"No tenant key yet"}` {
			t.Fatalf("%d %s", got, text)
		}
		h.says(401, "Unauthorized", "", "GET /v1/tenant/pubkey", "")
		h.says(401, "Unauthorized", "tok_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH", "GET /v1/tenant/pubkey", "")
		h.says(401, "Unauthorized", h.as("admin"), "GET /v1/tenant/pubkey", "") // people are no machines
		h.says(401, "Unauthorized", h.apiKey, "GET /v1/tenant/pubkey", "")
		b := h.onboarded("admin")
		m := h.want(200, h.machine, "GET /v1/tenant/pubkey", "")
		if m["kid"] != b.kid || m["alg"] != "RSA-OAEP-256" || m["use"] != "enc" || m["kty"] != "RSA" || m["tenant"] != "main" || strings.Count(m["signature"].(string), ".") != 2 || m["signingKey"] == nil {
			t.Errorf("%v", m)
		}
		h.says(409, "No tenant key yet", h.stranger, "GET /v1/tenant/pubkey", "")
		if got, _, text := h.ask("", "GET /health", ""); got != 200 || text != `{"ok":true,"version":"test"}` {
			t.Errorf("health: %d %s", got, text)
		}
	})
}

func TestMachinesAreFoundByIDElseSerialElseHostname(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		n := 0
		report := func(machine string) string {
			n++
			return h.want(201, h.machine, "POST /v1/report", fmt.Sprintf(reportOf, machine, fmt.Sprint("r", n), "running"))["machineId"].(string)
		}
		a := report(`"PC-1"`)
		for _, c := range []struct {
			machine string
			same    bool
		}{
			{`{"hostname":"pc-1."}`, true},
			{`{"hostname":"PC-1","serial":"Default string"}`, true}, // which many boards have
			{`{"hostname":"PC-1","serial":"S1"}`, true},             // its serial is known from here on
			{`{"hostname":"renamed","serial":"S1"}`, true},
			{`{"hostname":"PC-1","serial":"S2"}`, false}, // another machine of the same name
			{`{"hostname":"x","id":"` + a + `"}`, true},
			{`{"hostname":"pc-2","id":"unheard-of"}`, false},
		} {
			if got := report(c.machine); (got == a) != c.same {
				t.Errorf("%s is %s, the first is %s", c.machine, got, a)
			}
		}
		other := h.want(201, h.stranger, "POST /v1/report", fmt.Sprintf(reportOf, `{"hostname":"PC-1","id":"`+a+`"}`, "r1", "running"))
		if other["machineId"] == a {
			t.Error("another tenant's id finds the machine")
		}
		m := h.want(200, h.as("viewer"), "GET /v1/machines/"+a, "")
		if m["hostname"] != "PC-1" || m["serial"] != "S1" || m["lastHostname"] != "x" {
			t.Errorf("%v", m)
		}
		h.says(404, "Not Found", h.as("admin@other"), "GET /v1/machines/"+a, "")
	})
}

func TestARunIsReportedOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first := fmt.Sprintf(reportOf, `"PC-1"`, "r1", "running")
		a := h.want(201, h.machine, "POST /v1/report", first)
		b := h.want(200, h.machine, "POST /v1/report", first)
		h.want(200, h.machine, "POST /v1/report", fmt.Sprintf(reportOf, `"PC-1"`, "r1", "passed"))
		h.want(200, h.machine, "POST /v1/report", first)                                           // late
		h.want(200, h.machine, "POST /v1/report", fmt.Sprintf(reportOf, `"PC-1"`, "r1", "failed")) // it has ended
		if a["id"] != "r1" || a["machineId"] != b["machineId"] {
			t.Errorf("%v %v", a, b)
		}
		if other := h.want(201, h.machine, "POST /v1/report", fmt.Sprintf(reportOf, `"PC-2"`, "r1", "failed")); other["machineId"] == a["machineId"] {
			t.Error("a run of the same id on another machine is another run")
		}
		list := h.want(200, h.as("viewer"), "GET /v1/runs?machine="+a["machineId"].(string), "")["data"].([]any)
		run := list[0].(map[string]any)
		if len(list) != 1 || run["status"] != "succeeded" || run["reports"] != 3.0 || run["hostname"] != "PC-1" || run["extra"].(map[string]any)["engine"] != "1.2" ||
			run["phases"].([]any)[0].(map[string]any)["status"] != "succeeded" {
			t.Errorf("%v", list)
		}
		m := h.want(200, h.as("viewer"), "GET /v1/machines", "")
		if m["pagination"].(map[string]any)["total"] != 2.0 {
			t.Errorf("%v", m)
		}
	})
}

func TestBadReports(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for body, words := range map[string]string{
			``:                                    "machine",
			`[]`:                                  "not a JSON object",
			`{"machine":"PC-1"}`:                  `"field":"run"`,
			`{"machine":"","run":{}}`:             "machine.hostname",
			`{"machine":{"serial":"1"},"run":{}}`: "machine.hostname",
			`{"machine":7,"run":{}}`:              `"field":"machine"`,
			`{"machine":"a\u0000b","run":{}}`:     "machine.hostname",
			`{"machine":{"hostname":7},"run":{}}`: "must be a string",
			`{"machine":"a","run":[]}`:            `"field":"run"`,
			`{"machine":"a","run":{"id":"a b"}}`:  "run.id",
			`{"machine":"a","run":{"id":"1"}}`:    "run.status",
			`{"machine":"a","run":{"id":"1","status":"done"}}`:                                         "run.status",
			`{"machine":"a","run":{"id":"1","status":"failed","startedAt":"yesterday"}}`:               "run.startedAt",
			`{"machine":"a","run":{"id":"1","status":"failed","phases":{}}}`:                           "run.phases",
			`{"machine":"a","run":{"id":"1","status":"failed","phases":[{}]}}`:                         "run.phases[0].name",
			`{"machine":"a","run":{"id":"1","status":"failed"},"run":{"id":"2","status":"succeeded"}}`: "stands twice",
		} {
			h.says(400, words, h.machine, "POST /v1/report", body)
		}
		h.says(413, "64 KiB", h.machine, "POST /v1/report", `{"machine":"a","run":{"id":"1","status":"failed"},"log":"`+strings.Repeat("x", 70<<10)+`"}`)
		if n := h.rows(`SELECT COUNT(*) FROM machines`); n != 0 {
			t.Errorf("%d machines were made", n)
		}
	})
}

func (h *house) rows(query string, args ...any) (n int) {
	h.t.Helper()
	if err := h.db.Read(h.t.Context(), func(tx *store.Tx) (err error) { n, err = count(tx, query, args...); return err }); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func deposit(machine, kind, ciphertext string, more ...any) string {
	return object(append([]any{"machine", machine, "kind", kind, "ciphertext", ciphertext}, more...)...)
}

func TestSecretsOfBothFormats(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		public := &pairs()[0].PublicKey
		h.says(409, "No tenant key yet", h.machine, "POST /v1/secret", deposit("PC-1", "admin", raw(public, "hunter2")))
		b := h.onboarded("admin")
		jwe, plain := seal(public, headerFor("main", "pc-1", "admin"), "hunter2"), raw(public, "hunter2")
		first := h.want(201, h.machine, "POST /v1/secret", deposit("PC-1", "admin", jwe))["id"]
		if again := h.want(200, h.machine, "POST /v1/secret", deposit("PC-1", "admin", jwe, "kid", b.kid))["id"]; again != first {
			t.Errorf("the same again is %v, not %v", again, first)
		}
		second := h.want(201, h.machine, "POST /v1/secret", deposit("PC-1", "admin", plain, "label", "local"))["id"]
		third := h.want(201, h.machine, "POST /v1/secret", deposit("PC-1", "admin", raw(public, "hunter3"), "label", "local"))["id"]
		if first == second || second == third {
			t.Error("a new secret is no version beside the old")
		}
		list := h.want(200, h.as("member"), "GET /v1/secrets", "")
		text := fmt.Sprint(list)
		if strings.Contains(text, jwe) || strings.Contains(text, plain) || strings.Contains(text, "ciphertext") || len(list["data"].([]any)) != 3 {
			t.Errorf("%s", text)
		}
		h.clock.add(1)
		r := h.want(200, h.as("member"), "POST /v1/secrets/"+first.(string)+"/reveal", `{"reason":"locked out"}`)
		if r["ciphertext"] != jwe || r["format"] != "jwe" || r["kid"] != b.kid || r["auditId"] == "" || r["tenant"] != "main" || r["version"] != 1.0 {
			t.Errorf("%v", r)
		}
		if r := h.want(200, h.as("admin"), "POST /v1/secrets/"+third.(string)+"/reveal", `{"reason":"x"}`); r["format"] != "rsa-oaep" || r["version"] != 2.0 {
			t.Errorf("%v", r)
		}
		if h.events("main", "secret.revealed") != 2 || h.events("main", "secret.escrowed") != 3 {
			t.Error("the record does not hold each of them")
		}
	})
}

func TestBadSecrets(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.onboarded("admin")
		public := &b.rsa.PublicKey
		good := headerFor("main", "PC-1", "admin")
		sealed := seal(public, good, "x")
		parts := strings.Split(sealed, ".")
		for name, c := range map[string]struct{ body, words string }{
			"plaintext":             {deposit("PC-1", "admin", "hunter2"), "least of all a secret"},
			"base64 of a plaintext": {deposit("PC-1", "admin", "aHVudGVyMg=="), "least of all a secret"},
			"padded plaintext":      {deposit("PC-1", "admin", strings.Repeat("A", 512)), "no number of this size"},
			"base64url":             {deposit("PC-1", "admin", strings.NewReplacer("+", "-", "/", "_").Replace(raw(public, "x"))), ""},
			"of another key":        {deposit("PC-1", "admin", raw(&pairs()[3].PublicKey, "x")), "least of all a secret"},
			"none":                  {deposit("PC-1", "admin", ""), "ciphertext"},
			"another tenant":        {deposit("PC-1", "admin", seal(public, headerFor("other", "PC-1", "admin"), "x")), "another tenant"},
			"another machine":       {deposit("PC-1", "admin", seal(public, headerFor("main", "PC-2", "admin"), "x")), "another machine"},
			"another kind":          {deposit("PC-1", "admin", seal(public, headerFor("main", "PC-1", "bitlocker"), "x")), "another kind"},
			"RSA1_5":                {deposit("PC-1", "admin", seal(public, strings.Replace(good, "RSA-OAEP-256", "RSA1_5", 1), "x")), "alg RSA-OAEP-256"},
			"A128GCM":               {deposit("PC-1", "admin", seal(public, strings.Replace(good, "A256GCM", "A128GCM", 1), "x")), "enc A256GCM"},
			"zip":                   {deposit("PC-1", "admin", seal(public, strings.Replace(good, "{", `{"zip":"DEF",`, 1), "x")), "must not have zip"},
			"crit":                  {deposit("PC-1", "admin", seal(public, strings.Replace(good, "{", `{"crit":["x"],`, 1), "x")), "must not have crit"},
			"a member more":         {deposit("PC-1", "admin", seal(public, strings.Replace(good, "{", `{"x":1,`, 1), "x")), "nothing that is not described"},
			"no tenant":             {deposit("PC-1", "admin", seal(public, `{"alg":"RSA-OAEP-256","enc":"A256GCM","machine":"PC-1","kind":"admin"}`, "x")), "must have tenant"},
			"twice":                 {deposit("PC-1", "admin", seal(public, strings.Replace(good, "{", `{"tenant":"other",`, 1), "x")), "twice"},
			"cut":                   {deposit("PC-1", "admin", strings.Join(parts[:4], ".")), "5 parts"},
			"a short tag":           {deposit("PC-1", "admin", strings.Join(append(parts[:4:4], "AAAA"), ".")), "tag of 16"},
			"sealed to a weak key":  {deposit("PC-1", "admin", seal(&pairs()[3].PublicKey, good, "x")), "384 bytes"},
			"unknown kid":           {deposit("PC-1", "admin", raw(public, "x"), "kid", "nobody"), "not that of a key"},
			"unknown kid in it":     {deposit("PC-1", "admin", seal(public, strings.Replace(good, "{", `{"kid":"nobody",`, 1), "x")), "not that of a key"},
			"two kids":              {deposit("PC-1", "admin", seal(public, strings.Replace(good, "{", `{"kid":"nobody",`, 1), "x"), "kid", b.kid), "another one"},
			"long kind":             {deposit("PC-1", strings.Repeat("k", 65), sealed), `"field":"kind"`},
			"no machine":            {`{"kind":"admin","ciphertext":"x"}`, `"field":"machine"`},
		} {
			if got, _, text := h.ask(h.machine, "POST /v1/secret", c.body); got != 400 || !strings.Contains(text, c.words) || strings.Contains(text, "hunter2") {
				t.Errorf("%s: %d %s, want %q", name, got, text, c.words)
			}
		}
		h.says(413, "Payload Too Large", h.machine, "POST /v1/secret", deposit("PC-1", "admin", strings.Repeat("A", 65<<10)))
		if n := h.rows(`SELECT COUNT(*) FROM escrow_secrets`) + h.rows(`SELECT COUNT(*) FROM machines`); n != 0 {
			t.Errorf("%d rows were kept", n)
		}
	})
}

// Sixteen at once with one and the same secret make one row, and sixteen with a
// new machine one machine.
func TestManyMachinesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.onboarded("admin")
		one := deposit("PC-1", "admin", raw(&b.rsa.PublicKey, "x"))
		var made atomic.Int64
		h.want(201, h.machine, "POST /v1/report", fmt.Sprintf(reportOf, `"warm"`, "r", "running")) // the token is known
		storetest.Callers(t, 16, func(i int) error {
			for _, x := range [][2]string{{"POST /v1/secret", one}, {"POST /v1/report", fmt.Sprintf(reportOf, `{"hostname":"PC-1","serial":"S"}`, "r1", "running")}} {
				got, _, text := h.ask(h.machine, x[0], x[1])
				if got == 201 {
					made.Add(1)
				} else if got != 200 {
					return fmt.Errorf("%s: %d %s", x[0], got, text)
				}
			}
			return nil
		})
		if made.Load() != 2 || h.rows(`SELECT COUNT(*) FROM machines`) != 2 || h.rows(`SELECT COUNT(*) FROM escrow_secrets`) != 1 || h.rows(`SELECT COUNT(*) FROM machine_runs`) != 2 {
			t.Errorf("%d answers were 201", made.Load())
		}
	})
}

// A machine whose row has no serial yet may send one that is another row's.
func TestAKnownIDWithASerialOfAnotherMachine(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		report := func(machine, run string) (string, int) {
			got, _, text := h.ask(h.machine, "POST /v1/report", strings.NewReplacer("MACHINE", machine, "RUN", run).Replace(`{"machine":MACHINE,"run":{"id":"RUN","status":"running"}}`))
			var m map[string]any
			_ = json.Unmarshal([]byte(text), &m)
			id, _ := m["machineId"].(string)
			return id, got
		}
		a, _ := report(`"PC-1"`, "r1")
		b, _ := report(`{"hostname":"PC-2","serial":"S1"}`, "r2")
		got, status := report(`{"hostname":"PC-1","serial":"S1","id":"`+a+`"}`, "r3")
		if status != 201 || got != a || a == b {
			t.Errorf("%d %s, want %s", status, got, a)
		}
	})
}
