package surfaces

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/test/edge"
)

// rolesToTry are the built-in roles and those of one permission each.
func rolesToTry(ops []operation) map[string][]string {
	out := builtIn()
	for _, p := range permissionsOf(ops) {
		out[only(p)] = []string{p}
	}
	return out
}

// callersOf are all kinds of callers of a tenant, each with every role or scope.
func (w *world) callersOf(t testing.TB, of string) (out []*caller) {
	t.Helper()
	add := func(kind, what string, holds []string, fields ...string) *caller {
		c := &caller{name: of + ": " + kind + " " + what, kind: kind, fields: fields, tenant: of, holds: holds}
		out = append(out, c)
		return c
	}
	roles := rolesToTry(w.ops)
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		add("jwt", role, roles[role], edge.Bearer(w.jwt(map[string]any{"sub": "j-" + role, "role": role, "tenant_id": of})))
		subject := "s-" + role + "-" + of
		w.user(t, of, tenant.NewUser{Bound: tenant.Binding{Provider: "jwt", Subject: subject}, Roles: []string{role}})
		add("stored", role, roles[role], edge.Bearer(w.jwt(map[string]any{"sub": subject})))
		mail := role + "@" + mark(of) + ".test"
		w.user(t, of, tenant.NewUser{Email: mail, Roles: []string{role}})
		add("access", role, roles[role], assertion(must(w.access.Mint(mail, nil))))
	}
	for role, holds := range builtIn() {
		id := role + "." + of + ".access"
		w.user(t, of, tenant.NewUser{ServiceToken: id, Roles: []string{role}})
		add("service", role, holds, assertion(must(w.access.MintService(id))))
	}
	for _, scope := range append(permissionsOf(w.ops), "*", "*:read", "*:*", "apikeys:*", "docs:read") {
		add("key", scope, []string{scope}, edge.Key(w.key(t, of, false, scope).Token.Reveal()))
	}
	add("key", "* as a bearer", []string{"*"}, edge.Bearer(w.key(t, of, false, "*").Token.Reveal()))
	add("jwt", "without a role", nil, edge.Bearer(w.jwt(map[string]any{"sub": "nobody", "tenant_id": of})))
	add("jwt", "operator by its claim", []string{"*:*"}, edge.Bearer(w.jwt(map[string]any{"sub": "j-op", "role": "operator", "tenant_id": of})))
	w.user(t, of, tenant.NewUser{Bound: tenant.Binding{Provider: "jwt", Subject: "op-" + of}, Roles: []string{"operator"}})
	add("stored", "operator", []string{"*:*", "platform:*"}, edge.Bearer(w.jwt(map[string]any{"sub": "op-" + of})))
	add("machine", "tok_", nil, edge.Bearer(w.key(t, of, true).Token.Reveal())).turned = 401
	return out
}

// strangers are callers that are refused whatever they ask, or belong nowhere.
func (w *world) strangers(t testing.TB) []*caller {
	t.Helper()
	of := acme
	revoked, disabled := w.key(t, of, false, "*", "apikeys:*"), w.key(t, of, false, "*", "apikeys:*")
	if err := w.host.APIKeys.Revoke(t.Context(), w.host.KeyBy(), of, revoked.ID); err != nil {
		t.Fatal(err)
	}
	must(w.host.APIKeys.Change(t.Context(), w.host.KeyBy(), of, disabled.ID, off()))
	good := w.tokens[0]
	w.user(t, of, tenant.NewUser{Bound: tenant.Binding{Provider: "jwt", Subject: "gone"}, Roles: []string{"admin"}, Disabled: true})
	admin := func(claims map[string]any) string {
		all := map[string]any{"role": "admin", "tenant_id": of}
		maps.Copy(all, claims)
		return edge.Bearer(w.jwt(all))
	}
	bad := func(name string, fields ...string) *caller {
		return &caller{name: name, kind: "bad", fields: fields, turned: 401}
	}
	known := func(name string, fields ...string) *caller {
		return &caller{name: name, kind: "refused", fields: fields, turned: 403}
	}
	two := func(fields ...string) *caller {
		c := known("credentials of two tenants", fields...)
		c.kind = "two"
		return c
	}
	return []*caller{
		{name: "nobody", kind: "anonymous", turned: 401},
		bad("an expired token", admin(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})),
		bad("a token that was changed", admin(nil)+"x"),
		bad("nonsense", "Authorization: Bearer nonsense"),
		bad("an empty bearer", "Authorization: Bearer "),
		bad("a mistyped key", edge.Key(good[:len(good)-1]+flip(good[len(good)-1]))),
		bad("half a key", edge.Key(good[:30])),
		bad("a key of another environment", edge.Key(strings.Replace(good, "prk_test", "prk_prod", 1))),
		{name: "a revoked key", kind: "bad", turned: 401, costs: true, fields: []string{edge.Key(revoked.Token.Reveal())}},
		bad("a disabled key", edge.Key(disabled.Token.Reveal())),
		bad("a bad key beside a good token", edge.Key(good[:30]), w.admin(of)),
		bad("a bad assertion", assertion("nonsense")),
		known("a disabled user", edge.Bearer(w.jwt(map[string]any{"sub": "gone", "role": "admin", "tenant_id": of}))),
		known("a claim of a tenant that does not exist", admin(map[string]any{"tenant_id": "nowhere"})),
		known("a claim of a tenant that cannot exist", admin(map[string]any{"tenant_id": "../acme"})),
		two(edge.Key(w.key(t, globex, false, "*").Token.Reveal()), w.admin(of)),
		{name: "an admin without a tenant", kind: "jwt", holds: []string{"*:*"}, fields: []string{edge.Bearer(w.jwt(map[string]any{"sub": "far", "role": "admin"}))}},
		{name: "a person whom nobody added", kind: "access", fields: []string{assertion(must(w.access.Mint("stranger@elsewhere.test", nil)))}},
		{name: "a service that nobody added", kind: "service", fields: []string{assertion(must(w.access.MintService("unknown.access")))}},
	}
}

func assertion(token string) string { return "Cf-Access-Jwt-Assertion: " + token }

// flip is another character of the alphabet.
func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}
