package surfaces

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/rbac"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/secrets"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/test/edge"
)

// configuration has every kind of provider that can be a caller of a surface.
const configuration = `
environment: test
store: {url: "@STORE@"}
masterKey: "{{file.master-key}}"
jwt: {secret: "{{file.jwt-secret}}"}
access: {teamDomain: acme.cloudflareaccess.com, audience: app, certsURL: "@CERTS@"}
machine: {}
tenantApi: {}
tenants: {defaultFor: []}
rbac: {enabled: true, roles: [@ROLES@]}
upstream: {url: "@ECHO@", headers: {set: {X-Key: "{{file.upstream-key}}"}}}
routes:
  - {path: /signed, method: any, requireAuth: true}
  - {path: /engines, method: any, authProvider: machine}
  - {path: /reads, method: get, requiredPermissions: ["docs:read"]}
  - {path: /seals, method: get, requireAuth: true, upstream: {url: "@ECHO@", headers: {set: {X-Key: "{{secret:STRIPE}}"}}}}
`

// files are the secrets of the configuration, marked so that one is found
// wherever it comes to light.
func files() map[string]string {
	return map[string]string{
		"jwt-secret":   "zq8-jwt-secret-0123456789abcdef0123456789abcdef",
		"master-key":   "enE4LW1hc3Rlci1rZXktMDEyMzQ1Njc4OWFiY2RlZjA=", // base64 of 32 bytes
		"upstream-key": "zq8-upstream-key-0123456789abcdef",
	}
}

const acme, globex = "acme", "globex"

// mark stands in everything of a tenant that anybody could be shown.
func mark(of string) string { return "zq7-" + of }

// world is a Portreeve with two tenants that hold the same under equal names.
type world struct {
	*edge.Edge
	host   *app.Host
	access *standin.Access
	signs  *jws.Signer
	ops    []operation
	own    map[string][]string // ids and names of a tenant, whatever they are of
	tokens []string            // keys and machine tokens that were told
	never  []string            // what no answer may hold
}

// engines are the stores that a world can stand on.
var engines = map[string]func(testing.TB) string{
	"sqlite":   func(testing.TB) string { return "sqlite:portreeve.db" },
	"postgres": storetest.PostgresURL,
}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, newWorld(t, name))
		})
	}
}

func newWorld(t testing.TB, engine string) *world {
	t.Helper()
	return newWorldOf(t, engine, configuration)
}

// newWorldOf is newWorld with another configuration.
func newWorldOf(t testing.TB, engine, configuration string) *world {
	t.Helper()
	echo := standin.NewEcho(edge.Listen(t), standin.EchoOptions{})
	t.Cleanup(func() { _ = echo.Close() })
	w := &world{own: map[string][]string{}, signs: signs()}
	w.access = must(standin.NewAccess(edge.Listen(t), standin.AccessOptions{Team: "acme.cloudflareaccess.com", Audience: "app", RSA: edge.Keys(t)}))
	t.Cleanup(func() { _ = w.access.Close() })
	words := map[string]string{"STORE": engines[engine](t), "ECHO": echo.URL(), "CERTS": w.access.CertsURL(), "ROLES": ""}
	draft := edge.Prepare(t, edge.Setting{Text: configuration, Words: words, Files: files()})
	w.ops = inventory(t, draft.Source)
	words["ROLES"] = rolesOf(w.ops)
	w.Edge = edge.Start(t, edge.Setting{Text: configuration, Words: words, Files: files()})
	w.host = w.Host(t)
	for _, of := range []string{acme, globex} {
		w.fill(t, of)
	}
	w.never = append(insides(), slices.Collect(maps.Values(files()))...)
	w.never = append(w.never, w.stored(t)...)
	return w
}

// fill gives a tenant something of everything, under names that are the same
// for each tenant.
func (w *world) fill(t testing.TB, of string) {
	t.Helper()
	ctx, h, m := t.Context(), w.host, mark(of)
	must(h.Tenants.Create(ctx, h.By(), tenant.NewTenant{ID: of, Name: m}))
	must(h.Roles.Create(ctx, h.Caller(), of, draftOf("clerk", m)))
	must(h.Roles.AddEndUserRole(ctx, h.Caller(), of, draftOf("buyer", m)))
	must(h.Tenants.AddUser(ctx, h.By(), of, tenant.NewUser{ID: "u-clerk", Email: "clerk@" + m + ".test", Name: m, Roles: []string{"clerk"}}))
	must(h.Secrets.Create(ctx, h.By(), of, secrets.Fresh{Key: "STRIPE", Value: secret.New(sealedValue(of)), Metadata: json.RawMessage(`{"of":"` + m + `"}`)}))
	k := w.key(t, of, false, "docs:read")
	w.own[of] = append(w.own[of], "clerk", "buyer", "u-clerk", "STRIPE", k.ID, w.key(t, of, true).ID)
}

// sealedValue is the value of a tenant's secret, which no answer shows.
func sealedValue(of string) string { return "zq8-sealed-value-of-" + of + "-0123456789" }

func draftOf(name, description string) (d rbac.Draft) {
	d.Name = input.Optional[string]{Set: true, Value: name}
	d.Description = input.Optional[string]{Set: true, Value: description}
	d.Permissions = input.Optional[[]string]{Set: true, Value: []string{"docs:read"}}
	return d
}

// key makes a key, or a machine token, on the host.
func (w *world) key(t testing.TB, of string, machine bool, scopes ...string) apikey.Made {
	t.Helper()
	d := apikey.Draft{Name: input.Optional[string]{Set: true, Value: mark(of) + " key"}, Machine: machine}
	if !machine {
		d.Scopes = input.Optional[[]string]{Set: true, Value: scopes}
	}
	k := must(w.host.APIKeys.Create(t.Context(), w.host.KeyBy(), of, d))
	w.tokens = append(w.tokens, k.Token.Reveal())
	return k
}

// user adds a user on the host.
func (w *world) user(t testing.TB, of string, n tenant.NewUser) tenant.User {
	t.Helper()
	return must(w.host.Tenants.AddUser(t.Context(), w.host.By(), of, n))
}

// signs is the shared secret's signer.
func signs() *jws.Signer {
	return must(jws.NewSigner("HS256", "", secret.New(files()["jwt-secret"])))
}

// jwt is a token of the shared secret; nil leaves a claim out.
func (w *world) jwt(claims map[string]any) string {
	now := time.Now()
	all := map[string]any{"sub": "someone", "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return must(w.signs.Sign("JWT", all))
}

// admin is a token that administers a tenant by its claims alone.
func (w *world) admin(of string) string {
	return edge.Bearer(w.jwt(map[string]any{"sub": "root-of-" + of, "role": "admin", "tenant_id": of}))
}

// rolesOf are roles of the file, one for each permission that an operation asks
// for, and one that crosses tenants.
func rolesOf(ops []operation) string {
	var b strings.Builder
	for _, p := range permissionsOf(ops) {
		fmt.Fprintf(&b, "{name: %s, permissions: [%q]}, ", only(p), p)
	}
	return b.String() + `{name: operator, permissions: ["platform:*", "*:*"]}`
}

// only names the role that holds one permission.
func only(permission string) string { return "only-" + strings.ReplaceAll(permission, ":", "-") }

// must is for what cannot go wrong but in the test itself.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
