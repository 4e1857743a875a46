package surfaces

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/escrow"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/test/edge"
)

// escrowed is a site of secret escrow, with every kind of provider. It may not
// stand beside upstreams.
const escrowed = `
environment: test
store: {url: "@STORE@"}
masterKey: "{{file.master-key}}"
jwt: {secret: "{{file.jwt-secret}}"}
access: {teamDomain: acme.cloudflareaccess.com, audience: app, certsURL: "@CERTS@"}
apiKey: {}
machine: {}
tenantApi: false
mfa: false
escrow: {portalOrigin: "https://portal.example.com"}
tenants: {defaultFor: []}
rbac: {enabled: true, roles: [@ROLES@]}
`

// TestTheInventoryOfEscrowIsWhole: what the specification lists is served, by GET
// and POST alone, and what asks for no permission is what every row may see.
func TestTheInventoryOfEscrowIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, "sqlite", escrowed)
	var have []string
	for _, o := range w.ops {
		have = append(have, o.String())
		if o.Surface != "escrow" || o.Name == "" || !o.Tenant {
			t.Errorf("%s: %+v", o, o.OperationReport)
		}
		open := slices.Contains([]string{"GET /v1/tenant/key", "GET /v1/machines", "GET /v1/machines/:id", "GET /v1/runs", "GET /v1/fleet"}, o.String())
		if (len(o.Permissions) == 0) != open {
			t.Errorf("%s asks for %v", o, o.Permissions)
		}
		if o.Method == "POST" && (o.MaxBody == 0 || o.MaxBody > 1<<20) {
			t.Errorf("%s reads %d bytes", o, o.MaxBody)
		}
	}
	slices.Sort(have)
	want := strings.Split(`GET /v1/audit
GET /v1/config
GET /v1/configs
GET /v1/configs/:name
GET /v1/configs/:name/versions
GET /v1/fleet
GET /v1/machines
GET /v1/machines/:id
GET /v1/runs
GET /v1/secrets
GET /v1/tenant/key
GET /v1/tenant/pubkey
POST /v1/configs
POST /v1/configs/:name
POST /v1/report
POST /v1/secret
POST /v1/secrets/:id/reveal
POST /v1/tenant/key
POST /v1/tenant/key/:kid/wrapping
POST /v1/tenant/key/:kid/wrapping/:version/remove
POST /v1/tenant/key/challenge`, "\n")
	if !slices.Equal(have, want) {
		t.Errorf("served are %s", strings.Join(have, ", "))
	}
}

// TestWhoMayDoWhatInEscrow asks every operation as every kind of caller, with every
// way to name a tenant, and compares with the rules.
func TestWhoMayDoWhatInEscrow(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, "sqlite", escrowed)
	ours, theirs, strangers := w.callersOf(t, acme), w.callersOf(t, globex), w.strangers(t)
	w.never = append(w.never, w.stored(t)...)
	all := w.questions(ours, theirs, strangers)
	var opened, refused atomic.Int64
	w.each(all, func(q question) {
		if status := w.held(t, q); status == 401 || status == 403 {
			refused.Add(1)
		} else {
			opened.Add(1)
		}
	})
	t.Logf("%d operations, %d callers, %d questions: %d refused, %d heard", len(w.ops), len(ours)+len(theirs)+len(strangers), len(all), refused.Load(), opened.Load())
	if opened.Load() < 5*int64(len(w.ops)) || refused.Load() < 5*int64(len(w.ops)) {
		t.Error("the matrix decides nothing")
	}
	w.silent(t)
}

// onBothEscrowed runs a test on both engines, with a stock of machines, secrets and
// a key under the same names for each tenant.
func onBothEscrowed(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, name, escrowed)
			for _, of := range []string{acme, globex} {
				w.stock(t, of)
			}
			run(t, w)
		})
	}
}

// boss is an admin of a tenant, by its row.
func boss(w *world, of string) string {
	return edge.Bearer(w.jwt(map[string]any{"sub": "boss-" + of}))
}

// pairs are the keys of the stock: one of both tenants, and one of globex alone.
var pairs = sync.OnceValue(func() (out [2]*rsa.PrivateKey) {
	for i := range out {
		out[i] = must(rsa.GenerateKey(rand.Reader, 2048))
	}
	return out
})

func jwkOf(k *rsa.PublicKey) string {
	enc := base64.RawURLEncoding.EncodeToString
	return `{"kty":"RSA","n":"` + enc(k.N.Bytes()) + `","e":"` + enc(big.NewInt(int64(k.E)).Bytes()) + `"}`
}

func kidOf(k *rsa.PublicKey) string { return must(envelope.ParsePublic([]byte(jwkOf(k)), 2048)).Kid }

// stock gives a tenant an admin, a key, a machine, a secret and a configuration,
// under names that are the same for each tenant; globex has more, that acme has not.
func (w *world) stock(t *testing.T, of string) {
	t.Helper()
	h, b64 := w.host, base64.StdEncoding.EncodeToString
	w.user(t, of, tenant.NewUser{Bound: tenant.Binding{Provider: "jwt", Subject: "boss-" + of}, Roles: []string{"admin"}})
	mark := mark(of)
	by := escrow.By{Tenant: of, Actor: h.Actor()}
	wrapped := `{"iterations":310000,"salt":"` + b64(make([]byte, 16)) + `","iv":"` + b64(make([]byte, 12)) + `","ct":"` + b64([]byte(strings.Repeat(mark, 20))) + `"}`
	put := func(pair int, name string) {
		k := &pairs()[pair].PublicKey
		sealed := b64(must(rsa.EncryptOAEP(sha256.New(), rand.Reader, k, []byte("x"), nil)))
		if err := h.DB.Tx(t.Context(), func(tx *store.Tx) error {
			_, err := h.Escrow.ImportKey(tx, by, escrow.KeyRow{Public: jwkOf(k), Wrapped: wrapped})
			if err == nil {
				_, err = h.Escrow.ImportMachine(tx, by, escrow.MachineRow{ID: "m-" + name, Serial: "S" + name, Hostname: mark + "-pc-" + name})
			}
			if err == nil {
				_, err = h.Escrow.ImportSecret(tx, by, escrow.SecretRow{ID: "s-" + name, Machine: "m-" + name, Kind: "local-admin", Label: mark, Ciphertext: sealed, Kid: kidOf(k)})
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		w.wants(t, 201, "POST", "/v1/configs", `{"name":"`+name+`","match":{"group":"`+name+`"},"config":{"of":"`+mark+`"}}`, boss(w, of))
		w.own[of] = append(w.own[of], "m-"+name, "s-"+name, name, kidOf(k))
	}
	if of == globex {
		put(1, "theirs")
	}
	put(0, "lab")
}

// TestBadInputOfEscrow sends every operation what no client should.
func TestBadInputOfEscrow(t *testing.T) {
	onBothEscrowed(t, func(t *testing.T, w *world) {
		token := edge.Bearer(w.key(t, acme, true).Token.Reveal())
		admin := boss(w, acme)
		w.badInput(t, func(o operation) string {
			if slices.Contains(o.Permissions, "machine:ingest") {
				return token
			}
			return admin
		})
	})
}

// TestEscrowOfAnotherTenant: what another tenant has is 404, also for a machine's
// token, and nothing that is done under a name that both have touches the other's.
func TestEscrowOfAnotherTenant(t *testing.T) {
	onBothEscrowed(t, func(t *testing.T, w *world) {
		mail := "boss@" + mark(acme) + ".test"
		w.user(t, acme, tenant.NewUser{Email: mail, Roles: []string{"admin"}})
		admins := map[string]string{"stored": boss(w, acme), "access": assertion(must(w.access.Mint(mail, nil)))}
		token := edge.Bearer(w.key(t, acme, true).Token.Reveal())
		before, own := w.rows(t, globex), 0
		for by, fields := range admins {
			for _, o := range w.ops {
				if slices.Contains(o.Permissions, "machine:ingest") {
					continue
				}
				for _, id := range []string{"m-theirs", "s-theirs", "theirs", kidOf(&pairs()[1].PublicKey), "1"} {
					if !o.names() {
						break
					}
					a, what := w.Ask(t, o.Method, o.at(id), o.named(), fields), o.String()+" of "+id+" by "+by
					if a.Status != 404 {
						t.Errorf("%s: %d %s", what, a.Status, a.Body)
					}
					w.decent(t, what, a)
				}
				for _, id := range []string{"m-lab", "s-lab", "lab", kidOf(&pairs()[0].PublicKey)} {
					if o.Path == "/v1/tenant/key" || !o.reads() && !o.names() {
						continue
					}
					a, what := w.Ask(t, o.Method, o.at(id), o.named(), fields), o.String()+" of "+id+" by "+by
					if strings.Contains(whole(a), mark(globex)) || strings.Contains(whole(a), "theirs") || a.Status >= 500 || a.Status == 403 {
						t.Errorf("%s: %d %s", what, a.Status, a.Body)
					}
					if a.Status == 200 && strings.Contains(a.Body, mark(acme)) {
						own++
					}
					w.decent(t, what, a)
				}
			}
			for _, q := range []string{"/v1/secrets?machine=m-theirs", "/v1/runs?machine=m-theirs", "/v1/machines?search=theirs", "/v1/machines?search=" + mark(globex), "/v1/machines?search=%25", "/v1/audit?target=s-theirs", "/v1/audit?target=m-theirs"} {
				if a := w.Ask(t, "GET", q, "", fields); a.Status != 200 || !strings.Contains(a.Body, `"data":[]`) {
					t.Errorf("%s by %s: %d %s", q, by, a.Status, a.Body)
				}
			}
			a := w.Ask(t, "GET", "/v1/tenant/key", "", fields)
			if strings.Contains(a.Body, kidOf(&pairs()[1].PublicKey)) || !strings.Contains(a.Body, base64.StdEncoding.EncodeToString([]byte(strings.Repeat(mark(acme), 20)))) {
				t.Errorf("the keys: %s", a.Body)
			}
		}
		if own < 10 {
			t.Errorf("%d answers showed something of one's own", own)
		}
		// A machine of acme's that says it is one of globex's.
		sealed := base64.StdEncoding.EncodeToString(must(rsa.EncryptOAEP(sha256.New(), rand.Reader, &pairs()[0].PublicKey, []byte("x"), nil)))
		for _, id := range []string{"m-lab", "m-theirs"} {
			w.wants(t, 201, "POST", "/v1/report", `{"machine":{"id":"`+id+`","serial":"Stheirs","hostname":"`+mark(globex)+`-pc-theirs"},"run":{"id":"r-`+id+`","status":"failed"}}`, token)
			w.Ask(t, "POST", "/v1/secret", `{"machine":{"id":"`+id+`","hostname":"x"},"kind":"local-admin","ciphertext":"`+sealed+`"}`, token)
			if a := w.Ask(t, "GET", "/v1/config?machine="+id+"&group=theirs", "", token); a.Status != 404 {
				t.Errorf("a configuration: %d %s", a.Status, a.Body)
			}
		}
		if a := w.Ask(t, "POST", "/v1/secret", `{"machine":"x","kind":"k","kid":"`+kidOf(&pairs()[1].PublicKey)+`","ciphertext":"`+sealed+`"}`, token); a.Status != 400 {
			t.Errorf("a key of globex's: %d %s", a.Status, a.Body)
		}
		if diff := cmp.Diff(before, w.rows(t, globex)); diff != "" {
			t.Errorf("what acme's did changed globex:\n%s", diff)
		}
		w.silent(t)
	})
}

// TestMethodsOfEscrow: what a path does not answer is 405, whoever asks.
func TestMethodsOfEscrow(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, "sqlite", escrowed)
	w.stock(t, acme)
	token := edge.Bearer(w.key(t, acme, true).Token.Reveal())
	for _, o := range w.ops {
		for _, m := range []string{"PUT", "PATCH", "DELETE", "TRACE", "NOPE"} {
			for _, who := range []string{"X-Nobody: x", boss(w, acme), token} {
				a := w.Ask(t, m, o.at("m-lab"), "", who)
				if a.Status != 405 || !strings.Contains(a.Header.Get("Allow"), o.Method) {
					t.Errorf("%s %s: %d, Allow %q", m, o.Path, a.Status, a.Header.Get("Allow"))
				}
				w.decent(t, m+" "+o.Path, a)
			}
		}
	}
}
