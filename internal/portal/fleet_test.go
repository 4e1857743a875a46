package portal_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// fleet is a house with people who have rows, and a machine token.
type fleet struct {
	*house
	admin, member, viewer *reader
	machine               *reader
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	h := open(t)
	f := &fleet{house: h}
	for role, into := range map[string]**reader{"admin": &f.admin, "member": &f.member, "viewer": &f.viewer} {
		who := role + "@example.com"
		h.admin().api("POST", "/tenant/users", map[string]any{"email": who, "roles": []string{role}}, nil)
		*into = h.as(who, role)
	}
	var made struct{ Token, Key string }
	f.admin.api("POST", "/tenant/machine-tokens", map[string]any{"name": "engine"}, &made)
	f.machine = h.nobody()
	f.machine.fields.Set("Authorization", "Bearer "+made.Token+made.Key)
	return f
}

// report is what a machine says of a run; it returns the machine's id.
func (f *fleet) report(machine any, run, status string, phases ...map[string]any) string {
	f.t.Helper()
	var out struct{ MachineID string }
	began := time.Now().Add(-time.Minute).UTC()
	in := map[string]any{"id": run, "status": status, "startedAt": began, "phases": phases}
	if status != "running" {
		in["finishedAt"] = began.Add(42 * time.Second)
	}
	f.machine.api("POST", "/v1/report", map[string]any{"machine": machine, "run": in}, &out)
	return out.MachineID
}

var pair = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		panic(err)
	}
	return k
})

// key sets the tenant's key, as a browser does.
func (f *fleet) key() {
	f.t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	k := pair()
	public := json.RawMessage(fmt.Sprintf(`{"kty":"RSA","n":%q,"e":%q}`, enc(k.N.Bytes()), enc(big.NewInt(int64(k.E)).Bytes())))
	var c struct{ ChallengeID, Ciphertext, Kid, Tenant, CreatedAt string }
	f.admin.api("POST", "/v1/tenant/key/challenge", map[string]any{"publicKey": public}, &c)
	sealed, _ := base64.StdEncoding.DecodeString(c.Ciphertext)
	opened, err := rsa.DecryptOAEP(sha256.New(), nil, k, sealed, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	header, _ := json.Marshal(map[string]any{"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2s": enc(make([]byte, 16)), "p2c": 600000, "kid": c.Kid, "cty": "jwk-set+json"})
	jwe := strings.Join([]string{enc(header), enc(make([]byte, 40)), enc(make([]byte, 12)), enc([]byte("opaque")), enc(make([]byte, 16))}, ".")
	half, own, _ := ed25519.GenerateKey(rand.Reader)
	signer, err := envelope.ParseSigner([]byte(`{"kty":"OKP","crv":"Ed25519","x":"` + enc(half) + `"}`))
	if err != nil {
		f.t.Fatal(err)
	}
	head, _ := json.Marshal(map[string]any{"alg": "EdDSA", "typ": envelope.TypeStatement, "kid": signer.Kid})
	said, _ := json.Marshal(map[string]any{"kid": c.Kid, "tenant": c.Tenant, "createdAt": c.CreatedAt, "predecessor": nil})
	signature := enc(head) + "." + enc(said)
	signature += "." + enc(ed25519.Sign(own, []byte(signature)))
	f.admin.api("POST", "/v1/tenant/key", map[string]any{"publicKey": public, "signingKey": signer.JWK, "signature": signature, "wrappedPrivateKey": jwe, "challengeId": c.ChallengeID,
		"proof": base64.StdEncoding.EncodeToString(opened)}, nil)
}

// secret is what a machine hands over; it returns the secret's id.
func (f *fleet) secret(machine any, kind, label string) string {
	f.t.Helper()
	sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &pair().PublicKey, []byte("hunter2"), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.machine.id("/v1/secret", map[string]any{"machine": machine, "kind": kind, "label": label, "ciphertext": base64.StdEncoding.EncodeToString(sealed)})
}

func TestTheOverviewSaysWhatToDoFirst(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.admin.see("/").says("First-time setup", "Set up the escrow key", "Make a machine token", "done", "1 token", "Report a first run", "/v1/report").holds(`href="/escrow/setup"`, `href="/machine-tokens"`, f.url+"/v1/report")
	made := f.admin.post("/machine-tokens/new", "name", "engine").is(200).says("Report a first run").holds("/v1/report")
	if token := shownToken.FindString(made.body); strings.Count(made.body, token) < 3 || strings.Contains(made.body, "$TOKEN") {
		t.Errorf("the line of a first report has not the token: %s", made.words())
	}
	f.admin.see("/").says("2 tokens").hides(`href="/machine-tokens/new"`)
	f.viewer.see("/").says("First-time setup", "escrow:admin").hides(`href="/escrow/setup"`)
	for _, path := range []string{"/machines", "/runs"} {
		f.viewer.see(path).says("yet")
	}
	f.admin.see("/configs").says("No configurations yet")

	f.report("pc-1", "r1", "succeeded")
	f.admin.see("/").says("First-time setup", "1 machine").hides("Report a first run")
	f.key()
	f.admin.see("/").hides("First-time setup")
	// Whoever has no row among the users is told so, and not shown numbers.
	f.as("stranger@example.com", "admin").see("/").says("not among the users of this tenant").hides("1 machine", `class="figure"`)
}

func TestTheOverviewCounts(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.key()
	f.report("pc-1", "r1", "succeeded")
	f.report("pc-2", "r1", "failed", map[string]any{"name": "updates", "status": "failed", "message": "HTTP 503\nsecond line"})
	f.report("pc-3", "r1", "failed")
	f.report("pc-3", "r2", "running")
	f.secret("pc-1", "local-admin", "Administrator")
	p := f.member.see("/").says("3 machines", "3 seen in the last 24 hours", "0 not seen for 7 days", "1 whose last run failed", "1 secret handed over", "pc-2", "updates", "HTTP 503")
	p.holds(`href="/machines?status=failed"`, `href="/machines?seen=quiet"`, "<svg", "<caption>Runs by day</caption>").hides("second line", ">pc-3<")
	today := time.Now().UTC().Format("2 Jan 2006")
	if row := strings.Split(p.body, `<th scope="row">`+today+`</th>`); len(row) != 2 || !strings.HasPrefix(row[1], "<td>1</td><td>2</td><td>1</td>") {
		t.Errorf("the chart's table has no row of today with 1, 2 and 1")
	}
	f.viewer.see("/").says("3 machines").hides("handed over</span>")
}

func TestMachinesAreFound(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	for i := range 23 {
		f.report(map[string]any{"hostname": fmt.Sprintf("desk-%02d", i), "group": "desks"}, "r1", "succeeded")
	}
	lab := f.report(map[string]any{"hostname": "lab-1", "serial": "5CG1", "group": "lab"}, "r1", "failed")
	f.report(map[string]any{"hostname": hostileMarkup, "group": `"><script>`}, `<i>&run="1"</i>/..`, "running")
	f.report(hostileRTL, "r1", "succeeded")
	first := f.viewer.see("/machines").says("1–20 of 26", "lab-1", "Next").inert(hostileMarkup).inert(hostileRTL).hides("<script>\"", "Secrets</th>")
	first.holds(`href="/machines?offset=20"`)
	f.viewer.see("/machines?offset=20").says("21–26 of 26", "Previous")
	for query, want := range map[string]string{"search=lab": "lab-1", "search=5CG1": "lab-1", "group=lab": "lab-1", "status=failed": "lab-1", "search=" + lab: "lab-1", "status=running": hostileMarkup,
		"group=" + url.QueryEscape(`"><script>`): hostileMarkup} {
		f.viewer.see("/machines?"+query).says(want, "1–1 of 1").hides("desk-01").inert("")
	}
	f.viewer.see("/machines?seen=quiet").says("No machine matches")
	f.viewer.see("/machines?seen=day&group=desks").says("1–20 of 23").holds("group=desks&amp;offset=20&amp;seen=day")
	f.viewer.see("/machines?offset=900").says("The list is shorter than that")
	f.viewer.get("/machines?status=odd").is(400)
	f.member.see("/machines").holds("Secrets</th>")
	// Another tenant's admin sees none of it.
	f.nobody().get("/machines").hides("lab-1")

	f.viewer.see("/runs").says("lab-1", "failed", "1–20 of 26").inert(hostileMarkup)
	body := f.viewer.see("/runs").words()
	if strings.Index(body, "lab-1") > strings.Index(body, "desk-") {
		t.Error("a run that went well stands before one that failed")
	}
	f.viewer.see("/runs?search=lab").says("1–1 of 1")
	f.viewer.see("/runs?search=zz").says("No run matches")
	f.report(map[string]any{"hostname": "lab-1", "serial": "5CG1"}, "r2", "succeeded")
	f.viewer.see("/runs?status=failed").says("No run matches")
	f.viewer.see("/runs?status=failed&which=all").says("lab-1").holds("/machines/" + lab + "?run=r1#run")
}

func TestAMachine(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.key()
	pc := map[string]any{"hostname": "pc-1", "serial": "5CG1", "group": "lab"}
	id := f.report(pc, "r1", "failed", map[string]any{"name": "inventory", "status": "succeeded", "message": "512 GB", "durationMs": 420},
		map[string]any{"name": hostileMarkup, "status": "failed", "message": "</pre><script>alert(1)</script>\nline two"})
	f.report(map[string]any{"hostname": "pc-one", "serial": "5CG1"}, "r2", "running")
	at := "/machines/" + id
	f.viewer.see(at).says("pc-one", "Also called pc-1", "5CG1", "lab", "Last run", "running", "escrow:read").hides("data-reveal", "reveal.js", "512 GB")
	old := f.viewer.see(at+"?run=r1").says("512 GB", "420 ms", "42.0 s", "line two", "Output, 2 lines").inert(hostileMarkup).hides("<script>alert")
	old.holds(`<details class="fold" open>`)
	f.viewer.see(at + "?run=none").says("no run of that id")
	f.member.see(at).says("no secrets yet").hides("reveal.js")

	first := f.secret(pc, "local-admin", hostileMarkup)
	second := f.secret(pc, "local-admin", hostileMarkup)
	p := f.member.see(at).says("local-admin", "Version 2", "1 older version", "Never revealed", "not bound to its machine").inert(hostileMarkup)
	p.holds(`data-reveal="`+first+`"`, `data-reveal="`+second+`"`, `data-kind="local-admin"`, "/reveal.js").hides("hunter2", "ciphertext")
	f.member.api("POST", "/v1/secrets/"+second+"/reveal", map[string]any{"reason": "locked out"}, nil)
	f.admin.see(at).says("Revealed last by member@example.com")
	f.viewer.see(at).says("escrow:read").hides("local-admin", "data-reveal", "member@example.com")
	f.member.see(at+"/secrets").says("Version 1", "Version 2", "1–2 of 2")
	f.viewer.get(at + "/secrets").is(200).says("escrow:read").hides("local-admin")

	f.viewer.get("/machines/mac_none").is(404)
	f.viewer.get("/machines/mac_none/secrets").is(404)
	f.viewer.get("/machines/..%2F..%2Fv1%2Fconfigs").hides("data-reveal")
	stranger := f.in("other", "eve@example.com", "admin").get(at)
	if stranger.status == 200 {
		t.Errorf("somebody of another tenant sees the machine: %s", stranger.words())
	}
	stranger.hides("pc-one", "5CG1")
}

func TestConfigurations(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.viewer.get("/configs").locked("escrow:write")
	f.member.get("/configs/new").is(200).says("escrow:write").hides(`name="config"`)
	new := "/configs/new"
	a := f.admin

	// What is wrong stands beside its field, and what was written stays.
	a.post(new, "name", "Bad Name", "config", "{\"a\": 1,\n  oops}", "group", "lab").is(422).says("line 2, character 3").holds(`value="Bad Name"`, "oops}", `aria-describedby="config-hint config-issue"`, `value="lab"`)
	a.post(new, "name", "Bad Name", "config", "{}").is(422).holds(`id="name-issue"`)
	a.post(new, "name", "big", "config", `"`+strings.Repeat("x", 257<<10)+`"`).is(422).says("Has more than 256 KiB").holds(`id="config-issue"`)
	a.post(new, "name", "lab").is(422).holds(`id="config-issue"`)

	note := `{"note": "a < b & c > d", "n": 1}`
	p := a.post(new, "name", "lab", "group", "lab", "config", note).follow().says("Created.", "group lab", "Version 1").inert("")
	if !strings.Contains(p.body, "a &lt; b &amp; c &gt; d") {
		t.Error("the configuration is not shown as it was written")
	}
	var stored struct {
		Config  json.RawMessage
		Version int
	}
	a.api("GET", "/v1/configs/lab", nil, &stored)
	var kept map[string]any
	if err := json.Unmarshal(stored.Config, &kept); err != nil || kept["note"] != "a < b & c > d" {
		t.Errorf("kept: %s", stored.Config)
	}
	a.post(new, "name", "lab", "machine", "x", "config", "{}").is(422).says("Another configuration is called so").holds(`id="name-issue"`)
	a.post(new, "name", "lab2", "group", "lab", "config", "{}").is(422).holds(`id="machine-issue"`)
	a.post(new, "name", "every", "config", `{"who": "<img src=x onerror=alert(1)>"}`).follow().says("every machine").inert("")
	a.post(new, "name", "new", "machine", "pc-9", "config", "{}").follow().says("pc-9") // its page is not that of making one

	edit := "/configs/edit/lab"
	open, older := a.see(edit), a.see(edit)
	a.sendForm(edit, open.form(edit, "group", "lab", "config", `{"n": 2}`)).follow().says("Saved.", "Version 2")
	// Somebody else has saved meanwhile: nothing is lost on either side.
	late := a.sendForm(edit, older.form(edit, "group", "lab", "config", `{"n": 3}`)).is(409).says("It was changed meanwhile")
	late.holds("&#34;n&#34;: 3")
	a.see(edit+"?version=1").says("This is version 1", "Saving it makes version 3").holds("a &lt; b")
	a.post(edit, "group", "lab", "config", "{}", "disabled", "yes").follow().says("handed out to nobody").holds("checked")
	a.see("/configs?search=lab").says("lab", "1–1 of 1").hides(">every<")
	a.see("/configs?search=zz").says("No configuration matches")
	a.get(edit + "?version=99").is(404)
	a.get(edit + "?version=x").is(400)
	a.get("/configs/edit/none").is(404)

	// A form counts once.
	form := a.see(edit).filled(edit, "group", "lab", "config", `{"n": 4}`)
	one, two := a.sendForm(edit, form), a.sendForm(edit, form)
	if one.status != 303 || two.status != 303 {
		t.Errorf("a double click: %d and %d", one.status, two.status)
	}
	if a.api("GET", "/v1/configs/lab", nil, &stored); stored.Version != 4 {
		t.Errorf("a double click made version %d", stored.Version)
	}
}
