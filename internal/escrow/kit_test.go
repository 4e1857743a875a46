package escrow

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/gateway/gatewaytest"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

const sharedSecret = "0123456789abcdef0123456789abcdef"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// clock is a time that tests move; it begins at the real one, since tokens end by
// it.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time      { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) add(d time.Duration) { c.ahead.Add(int64(d)) }

// anyRole grants whatever it is asked for.
type anyRole struct{}

func (anyRole) Grant(*store.Tx, string, []string, []string) error { return nil }

// second is a stand-in for second factors: those who have one must say "shown".
type second struct{ has map[string]bool }

func (f second) Shown(_ context.Context, c *gateway.Call, token string) error {
	if f.has[c.Who.EmailFolded] && token != "shown" {
		return fault.New(fault.Forbidden, policy.CodeMFA, "Second factor required")
	}
	return nil
}

func (f second) Demanded(ctx context.Context, c *gateway.Call, token string) error {
	if !f.has[c.Who.EmailFolded] {
		token = ""
	}
	if token != "shown" {
		return fault.New(fault.Forbidden, policy.CodeMFA, "Second factor required")
	}
	return nil
}

// house is the surface behind a gateway, as the application wires it.
type house struct {
	t        testing.TB
	db       *store.DB
	s        *Service
	audit    *audit.Log
	users    *tenant.Service
	keys     *apikey.Service
	feed     *change.Feed
	gate     *gateway.Gate
	snap     *gateway.Snapshot
	sign     *jws.Signer
	clock    *clock
	asked    atomic.Int64
	machine  string // token of tenant main
	stranger string // token of tenant other
	apiKey   string // of tenant main, that may do everything
}

const portal = "https://portal.example.com"

func each(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newHouse(t, db)) })
}

// newHouse is one whose site asks for a second factor for permissions.
func newHouse(t testing.TB, db *store.DB, requireMFA ...string) *house {
	t.Helper()
	h := &house{t: t, db: db, clock: &clock{}, feed: change.NewFeed(db, change.Options{MaxStale: time.Hour})}
	h.audit = audittest.New(t, db)
	h.users = tenant.New(tenant.Deps{DB: db, Audit: h.audit, Now: time.Now})
	h.keys = apikey.New(apikey.Deps{DB: db, Audit: h.audit, Env: "prod", Now: time.Now})
	h.s = New(Deps{DB: db, Audit: h.audit, Factors: second{map[string]bool{"careful@main.example": true}}, Version: "test", Now: h.clock.now})
	if err := h.users.Ensure(t.Context(), "main", "other"); err != nil {
		t.Fatal(err)
	}
	host := tenant.By{Actor: audit.Actor{Kind: audit.Host}, Grants: anyRole{}, Host: true}
	for _, u := range [][3]string{{"main", "admin", "admin"}, {"main", "member", "member"}, {"main", "viewer", "viewer"}, {"main", "odd", "engineer"},
		{"main", "careful", "admin"}, {"other", "admin", "admin"}} {
		must(h.users.AddUser(t.Context(), host, u[0], tenant.NewUser{ID: u[1], Email: u[1] + "@" + u[0] + ".example", Roles: []string{u[2]}}))
	}
	by := apikey.By{Actor: host.Actor, Host: true}
	token := func(of string, d apikey.Draft) string {
		return must(h.keys.Create(t.Context(), by, of, d)).Token.Reveal()
	}
	h.machine = token("main", apikey.Draft{Machine: true, Name: some2("engine")})
	h.stranger = token("other", apikey.Draft{Machine: true, Name: some2("engine")})
	h.apiKey = token("main", apikey.Draft{Name: some2("all"), Scopes: some2([]string{"*", "escrow:reveal", "escrow:admin", "escrow:read", "escrow:write", "audit:read"})})
	h.sign = must(jws.NewSigner("HS256", "", secret.New(sharedSecret)))
	jwt := must(identity.NewJWT(&identity.JWTConfig{Name: "people", Secret: secret.New(sharedSecret)}, identity.Deps{Env: "prod"}))
	id, _ := identity.NewSite([]*identity.Provider{jwt, identity.NewAPIKey("", h.keys), identity.NewMachine(h.keys)}, identity.SiteOptions{Memory: identity.NewMemory(64)})
	var none struct{}
	doc := config.Decode([]byte("{}"), &none, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	off := false
	c := &Config{PortalOrigin: portal}
	site := gateway.BuildSite(gateway.SiteInput{
		Name: "api.example.com", Hosts: []string{"api.example.com"}, Identity: id, Book: policy.NewBook(nil, root), CORS: c.CORS(),
		Surfaces: h.users.Guard(h.s.Routes(c, Place{Identity: id, Health: true})), RateLimit: &limit.Config{Enabled: &off}, RequireMFA: requireMFA,
		At: root, Inherited: func(string) *config.Reporter { return root }, Upstreams: map[string]gateway.UpstreamSettings{},
	})
	if doc.Failed() {
		t.Fatalf("the site has problems: %v", doc.Problems())
	}
	h.snap = gateway.NewSnapshot(site, nil)
	h.snap.Tenants = policy.NewTenants(&policy.TenantsConfig{}, []policy.Provider{{Name: "people", Kind: "jwt"}}, root)
	h.snap.Trusted = client.Compile(nil, root)
	h.snap.Directory = tenant.NewDirectory(h.users, tenant.DirectoryDeps{Feed: h.feed, Keys: h.keys})
	h.gate = &gateway.Gate{Limits: limit.NewTable(1024), Lot: park.NewLot(park.Options{}), Now: time.Now}
	h.poll()
	return h
}

func some2[T any](v T) input.Optional[T] { return input.Optional[T]{Set: true, Value: v} }

func (h *house) poll() {
	h.t.Helper()
	if err := h.feed.Poll(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// as is the credential of somebody: "admin", "admin@other", "nobody".
func (h *house) as(who string) string {
	name, of, ok := strings.Cut(who, "@")
	if !ok {
		of = "main"
	}
	email := name + "@" + of + ".example"
	return must(h.sign.Sign("JWT", map[string]any{"sub": email, "email": email, "tenant_id": of, "role": "admin", "exp": time.Now().Add(time.Hour).Unix()}))
}

// ask sends one request and returns the status, the head and the body.
func (h *house) ask(token, line, body string, fields ...string) (int, request.Header, string) {
	h.t.Helper()
	a := gatewaytest.Arrival(token, line, body, fields...)
	a.ID, a.TLS = fmt.Sprint("req-", h.asked.Add(1)), true
	reply, err := gatewaytest.Ask(h.t.Context(), h.gate, h.snap, a, body)
	if err != nil {
		h.t.Errorf("%s: %v", line, err)
	}
	return reply.Status, reply.Header, strings.TrimSuffix(string(reply.Body), "\n")
}

// want asks and compares the status; the answer is returned as JSON.
func (h *house) want(status int, token, line, body string) map[string]any {
	h.t.Helper()
	got, _, text := h.ask(token, line, body)
	if got != status {
		h.t.Fatalf("%s %.300s: %d %s, want %d", line, body, got, text, status)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		h.t.Fatalf("%s: %s: %v", line, text, err)
	}
	return m
}

// says asks and wants a status and words in the answer.
func (h *house) says(status int, words, token, line, body string) {
	h.t.Helper()
	got, _, text := h.ask(token, line, body)
	if got != status || !strings.Contains(text, words) {
		h.t.Errorf("%s %.300s: %d %s, want %d %q", line, body, got, text, status, words)
	}
}

// events counts the audit events of a kind.
func (h *house) events(of, action string) int {
	h.t.Helper()
	_, n, err := h.audit.Page(h.t.Context(), of, audit.Filter{Action: action}, 1, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return int(n)
}

// browser is what an admin's browser holds: a key pair and a signing key.
type browser struct {
	rsa    *rsa.PrivateKey
	public string // JWK
	kid    string
	sign   ed25519.PrivateKey
	signer envelope.Signer
}

// pairs are made once: making them is what takes time.
var pairs = sync.OnceValue(func() [4]*rsa.PrivateKey {
	var out [4]*rsa.PrivateKey
	for i, bits := range []int{3072, 3072, 3072, 2048} {
		out[i] = must(rsa.GenerateKey(rand.Reader, bits))
	}
	return out
})

func newBrowser(pair int) *browser {
	b := &browser{rsa: pairs()[pair]}
	b.public = jwkOf(&b.rsa.PublicKey)
	b.kid = must(envelope.ParsePublic([]byte(b.public), 2048)).Kid
	_, b.sign, _ = ed25519.GenerateKey(rand.Reader)
	b.signer = must(envelope.ParseSigner([]byte(`{"kty":"OKP","crv":"Ed25519","x":"` + enc(b.sign.Public().(ed25519.PublicKey)) + `"}`)))
	return b
}

func jwkOf(k *rsa.PublicKey) string {
	return `{"kty":"RSA","alg":"RSA-OAEP-256","ext":true,"key_ops":["encrypt"],"n":"` + enc(k.N.Bytes()) + `","e":"` + enc(big.NewInt(int64(k.E)).Bytes()) + `"}`
}

func enc(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func object(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		if raw, ok := pairs[i+1].(json.RawMessage); ok && raw == nil {
			continue
		}
		m[pairs[i].(string)] = pairs[i+1]
	}
	return string(must(json.Marshal(m)))
}

// jwsOf signs a payload.
func jwsOf(key ed25519.PrivateKey, kid, typ, payload string) string {
	signed := enc([]byte(object("alg", "EdDSA", "typ", typ, "kid", kid))) + "." + enc([]byte(payload))
	return signed + "." + enc(ed25519.Sign(key, []byte(signed)))
}

// jweOf is the outside of a JWE with a header.
func jweOf(header string, key []byte) string {
	return strings.Join([]string{enc([]byte(header)), enc(key), enc(make([]byte, 12)), enc([]byte("opaque")), enc(make([]byte, 16))}, ".")
}

func wrapped(kid string) string {
	return jweOf(object("alg", "PBES2-HS512+A256KW", "enc", "A256GCM", "p2s", enc(make([]byte, 16)), "p2c", 600000, "kid", kid, "cty", "jwk-set+json"), make([]byte, 40))
}

func recoveryOf(kid string) string {
	return jweOf(object("alg", "dir", "enc", "A256GCM", "typ", envelope.TypeRecovery, "kid", kid, "set", "s1", "k", 2, "n", 3), nil)
}

// challenge asks for a challenge for the browser's key and opens it.
func (h *house) challenge(who string, b *browser) (answer map[string]any, proof string) {
	h.t.Helper()
	answer = h.want(200, h.as(who), "POST /v1/tenant/key/challenge", `{"publicKey":`+b.public+`}`)
	sealed := must(base64.StdEncoding.DecodeString(answer["ciphertext"].(string)))
	opened := must(rsa.DecryptOAEP(sha256.New(), nil, b.rsa, sealed, nil))
	return answer, base64.StdEncoding.EncodeToString(opened)
}

// keyFor is the body of POST /v1/tenant/key as an honest browser sends it.
func (h *house) keyFor(who string, b *browser, before *browser) map[string]any {
	h.t.Helper()
	c, proof := h.challenge(who, b)
	body := map[string]any{
		"publicKey": json.RawMessage(b.public), "signingKey": b.signer.JWK, "wrappedPrivateKey": wrapped(b.kid), "recovery": recoveryOf(b.kid),
		"challengeId": c["challengeId"], "proof": proof,
		"signature": jwsOf(b.sign, b.signer.Kid, envelope.TypeStatement, object("kid", b.kid, "tenant", c["tenant"], "createdAt", c["createdAt"], "predecessor", c["predecessor"])),
	}
	if before != nil {
		body["replaces"] = before.kid
		body["authorization"] = jwsOf(before.sign, before.signer.Kid, envelope.TypeSuccession,
			object("kid", b.kid, "signer", b.signer.Kid, "tenant", c["tenant"], "predecessor", before.kid))
	}
	return body
}

func text(m map[string]any) string { return string(must(json.Marshal(m))) }

// onboarded is a house whose tenant main has a key.
func (h *house) onboarded(who string) *browser {
	h.t.Helper()
	b := newBrowser(0)
	h.want(201, h.as(who), "POST /v1/tenant/key", text(h.keyFor(who, b, nil)))
	return b
}

// seal is what a machine sends of a secret, as a JWE.
func seal(k *rsa.PublicKey, header, plain string) string {
	cek := make([]byte, 32)
	iv := make([]byte, 12)
	_, _ = rand.Read(cek)
	_, _ = rand.Read(iv)
	gcm := must(cipher.NewGCM(must(aes.NewCipher(cek))))
	head := enc([]byte(header))
	out := gcm.Seal(nil, iv, []byte(plain), []byte(head))
	at := len(out) - gcm.Overhead()
	return strings.Join([]string{head, enc(must(rsa.EncryptOAEP(sha256.New(), rand.Reader, k, cek, nil))), enc(iv), enc(out[:at]), enc(out[at:])}, ".")
}

func headerFor(of, machine, kind string) string {
	return object("alg", "RSA-OAEP-256", "enc", "A256GCM", "tenant", of, "machine", machine, "kind", kind)
}

// raw is the other format.
func raw(k *rsa.PublicKey, plain string) string {
	return base64.StdEncoding.EncodeToString(must(rsa.EncryptOAEP(sha256.New(), rand.Reader, k, []byte(plain), nil)))
}
