package flows

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/portreeve/portreeve/internal/standin"
)

// Three sites that give the same token to providers with different settings.
const sameTokens = `
environment: test
tenants: {defaultFor: []}
rbac: {roles: [{name: editor, permissions: ["docs:*"]}]}
sites:
  - hosts: [trusting.example.test]
    oidc: [{name: issuer, issuer: "@ISSUER@", audience: [api, a], trustRoles: true, trustTenant: true, trustEmail: {domains: [example.com]}}]
    upstream: "@ECHO@"
    routes: @ROUTES@
  - hosts: [wary.example.test]
    oidc: [{name: issuer, issuer: "@ISSUER@", audience: [api, b]}]
    upstream: "@ECHO@"
    routes: @ROUTES@
  - hosts: [other.example.test]
    oidc: [{name: other, issuer: "@ISSUER@", audience: [api], trustTenant: true, tenantClaim: org, maxTokenAge: 5m}]
    upstream: "@ECHO@"
    routes: @ROUTES@
`

const sameRoutes = `[
    {path: /in, method: get, requireAuth: true},
    {path: /docs, method: get, requiredPermissions: ["docs:read"]},
    {path: /scope, method: get, requiredScopes: [read]},
    {path: /acme, method: get, tenant: acme}]`

// P4: whatever is remembered, and whoever shares a verification, two sites, two
// requirements and two nearly equal tokens never get each other's answer. All
// ask at once, so that verifications are shared and the memory is cold.
func TestWhatIsSharedHoldsAllThatItDependsOn(t *testing.T) {
	t.Parallel()
	i := issuer(t, standin.IssuerOptions{Alg: "EdDSA"})
	e := start(t, setting{Text: sameTokens, Words: map[string]string{"ISSUER": i.URL(), "ROUTES": sameRoutes}})
	for round := range 12 {
		claims := func(more map[string]any) map[string]any {
			all := map[string]any{"sub": fmt.Sprint("u", round), "role": "editor", "tenant_id": "acme", "org": "globex",
				"scope": "read", "email": "u@example.com", "aud": "api"}
			for k, v := range more {
				all[k] = v
			}
			return all
		}
		long := mint(t, i, claims(nil))
		short := mint(t, i, claims(map[string]any{"exp": e.Clock.Now().Unix() + 200}))
		forA := mint(t, i, claims(map[string]any{"aud": "a"}))
		noScope := mint(t, i, claims(map[string]any{"scope": nil}))
		head, payload, _ := strings.Cut(noScope, ".")
		payload, _, _ = strings.Cut(payload, ".")
		signature := short[strings.LastIndexByte(short, '.')+1:]
		cases := []struct {
			token, site, path string
			status            int
			tenant, mail      string
		}{
			{long, "trusting", "/in", 200, "acme", "u@example.com"},
			{long, "trusting", "/docs", 200, "acme", "u@example.com"},
			{long, "trusting", "/acme", 200, "acme", "u@example.com"},
			{long, "wary", "/in", 200, "", ""},
			{long, "wary", "/docs", 403, "", ""},
			{long, "wary", "/acme", 403, "", ""},
			{long, "other", "/in", 401, "", ""}, // longer than maxTokenAge there
			{short, "other", "/in", 200, "globex", ""},
			{short, "other", "/acme", 403, "", ""},
			{short, "trusting", "/acme", 200, "acme", "u@example.com"},
			{forA, "trusting", "/in", 200, "acme", "u@example.com"},
			{forA, "wary", "/in", 401, "", ""},
			{forA, "other", "/in", 401, "", ""},
			{short, "wary", "/scope", 200, "", ""},
			{noScope, "wary", "/scope", 403, "", ""},
			{noScope, "wary", "/in", 200, "", ""},
			{changed(short), "wary", "/in", 401, "", ""},                         // same claims, another signature
			{head + "." + payload + "." + signature, "wary", "/in", 401, "", ""}, // same signature, other claims
		}
		var all sync.WaitGroup
		for range 3 {
			for _, c := range cases {
				all.Go(func() {
					ans, err := e.try(t.Context(), "GET", c.path, "Host: "+c.site+".example.test", bearer(c.token))
					if err != nil || ans.Status != c.status {
						t.Errorf("%s%s: %d, want %d (%v)", c.site, c.path, ans.Status, c.status, err)
						return
					}
					if c.status != 200 {
						return
					}
					r := decode[standin.Received](t, ans)
					if got(t, &r, "X-Portreeve-Tenant") != c.tenant || got(t, &r, "X-Portreeve-Email") != c.mail {
						t.Errorf("%s%s: the application was told %v", c.site, c.path, r.Headers)
					}
				})
			}
		}
		all.Wait()
		if t.Failed() {
			return
		}
	}
}
