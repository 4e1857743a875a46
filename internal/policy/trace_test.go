package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// What a tired engineer reads: each failed check as one sentence.
func TestARefusalSaysWhatWouldHaveBeenEnough(t *testing.T) {
	t.Parallel()
	entra := func(p *principal.Principal) {
		p.Provider, p.ProviderKind, p.TrustRoles, p.TrustTenant, p.SharedSecret = "entra", "oidc", false, false, false
	}
	for name, c := range map[string]struct {
		route  string
		who    *principal.Principal
		view   *request.View
		params params
		want   string
	}{
		"nobody": {
			route: `{authProvider: jwt, requiredPermissions: ["docs:write"], requiredScopes: [a]}`, who: principal.Nobody(),
			want: `authProvider: wanted a caller signed in by jwt; found nobody: no credential that counts here; enough: a valid credential of jwt; then also: permission docs:write; scope a`,
		},
		"another provider": {
			route: `{authProvider: [firebase, entra]}`, who: alice(),
			want: `authProvider: wanted a caller signed in by firebase or entra; found a valid credential of jwt; enough: a valid credential of firebase or entra`,
		},
		"a permission that roles bring": {
			route: `{requiredPermissions: ["docs:write", "docs:read"]}`, who: alice(roles("reader")),
			want: `requiredPermissions: wanted docs:write and docs:read; found the caller has role reader; missing: docs:write; enough: a role that holds docs:write: editor or admin (in the token's role or roles claim)`,
		},
		"a misspelt role": {
			route: `{requiredPermissions: ["docs:write"]}`, who: alice(roles("edtor")),
			want: `requiredPermissions: wanted docs:write; found the caller has role user; the token also claims edtor, which no role of the file is called; missing: docs:write; enough: a role that holds docs:write: editor or admin (in the token's role or roles claim)`,
		},
		"a provider that is not trusted for roles": {
			route: `{requiredRoles: [editor, admin]}`, who: alice(roles("editor"), entra),
			want: `requiredRoles: wanted any of editor or admin; found the caller has role user; the token claims editor, but entra is not trusted for roles (trustRoles); enough: the roles editor or admin (entra is not trusted for roles: set trustRoles on it, or use a provider that is)`,
		},
		"a permission that no token brings": {
			route: `{requiredPermissions: ["platform:read"]}`, who: alice(roles("ops")),
			want: `requiredPermissions: wanted platform:read; found the caller has role ops; missing: platform:read; enough: platform:read, which no token can bring: permissions on platform are granted on the host`,
		},
		"permissions of two roles": {
			route: `{requiredPermissions: ["platform:read", "docs:read"]}`, who: alice(roles("viewer")),
			want: `requiredPermissions: wanted platform:read and docs:read; found the caller has role viewer; missing: platform:read and docs:read; enough: platform:read, which no token can bring: permissions on platform are granted on the host; and a role that holds docs:read: editor, reader or admin (in the token's role or roles claim)`,
		},
		"scopes": {
			route: `{requiredScopes: [a, b]}`, who: alice(func(p *principal.Principal) { p.Scopes = []string{"b", "c"} }),
			want: `requiredScopes: wanted a and b; found the token has scopes b and c; missing: a; enough: a token whose scope claim also holds a (roles do not bring scopes)`,
		},
		"the tenant": {
			route: `{tenant: "{{params.tenant}}"}`, who: alice(), params: params{"tenant": "acme"},
			want: `tenant: wanted {{params.tenant}} = acme; found the caller's tenant is main; enough: a caller of tenant acme, or a request about tenant main`,
		},
		"no tenant": {
			route: `{tenant: "{{params.tenant}}"}`, who: alice(entra), params: params{"tenant": "acme"},
			want: `tenant: wanted {{params.tenant}} = acme; found the caller has no tenant: the token names no tenant, and its provider is not in tenants.defaultFor; enough: a caller of tenant acme`,
		},
		"a tenant that the request does not name": {
			route: `{tenant: "{{query.t}}"}`, who: alice(),
			want: `tenant: wanted {{query.t}}; found the caller's tenant is main; the template has no value for this request; enough: a request that gives {{query.t}} exactly one value: the caller's tenant`,
		},
		"allow": {
			route: `{allow: {emails: [bob@example.com], emailDomains: [example.org], ips: [10.0.0.0/8]}}`, who: alice(),
			want: `allow: wanted e-mail bob@example.com, or e-mail domain example.org, or client address in 10.0.0.0/8; found e-mail alice@example.com, no groups, client address 192.0.2.7; enough: a caller with e-mail bob@example.com, or e-mail domain example.org, or client address in 10.0.0.0/8`,
		},
		"an unverified e-mail": {
			route: `{allow: {emails: [alice@example.com]}}`,
			who:   alice(func(p *principal.Principal) { p.EmailVerified, p.EmailFolded, p.EmailDomain = false, "", "" }),
			want:  `allow: wanted e-mail alice@example.com; found e-mail Alice@Example.com (unverified, so it does not count), no groups, client address 192.0.2.7; enough: a caller with e-mail alice@example.com`,
		},
		"deny": {
			route: `{deny: {groups: [ex]}}`, who: alice(func(p *principal.Principal) { p.Groups = []string{"ex"} }),
			want: `deny: wanted not group ex; found e-mail alice@example.com, group ex, client address 192.0.2.7; listed by its group; enough: a caller whom deny does not list by its group`,
		},
		"the part of a condition": {
			route: `{when: 'auth.sub == "alice" && auth.claims.level >= 3 && request.method == "GET"'}`, who: alice(claims("level", num("2"))),
			want: `when: wanted auth.claims.level >= 3; found auth.claims.level = 2; enough: a request for which this holds: auth.claims.level >= 3`,
		},
		"a claim that is missing": {
			route: `{when: 'auth.claims.level >= 3'}`, who: alice(),
			want: `when: wanted auth.claims.level >= 3; found could not be worked out: no such key: level; auth.claims.level is missing; enough: a request for which this holds: auth.claims.level >= 3; what it reads has to be there (has(…) asks first whether it is)`,
		},
		"what may be a secret": {
			route: `{when: 'request.headers["x-api-key"] == "a" && query.token == "b"'}`, who: alice(),
			view: get("/?token=hunter2", "X-Api-Key: hunter2"),
			want: `when: wanted request.headers["x-api-key"] == "a"; found request.headers.x-api-key is there (not shown); enough: a request for which this holds: request.headers["x-api-key"] == "a"
when: wanted query.token == "b"; found query.token is there (not shown); enough: a request for which this holds: query.token == "b"`,
		},
		"all that failed, at once": {
			route: `{requiredRoles: editor, requiredScopes: a}`, who: alice(roles("editor2")),
			want: `requiredRoles: wanted any of editor; found the caller has role user; the token also claims editor2, which no role of the file is called; enough: the role editor (in the token's role or roles claim)
requiredScopes: wanted a; found the token has no scope claim; missing: a; enough: a token whose scope claim also holds a (roles do not bring scopes)`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := mustLoad(t, editors+"\nroute: "+c.route)
			if c.view == nil {
				c.view = get("/")
			}
			_, steps := l.ask(t, c.who, c.view, c.params)
			if diff := cmp.Diff(c.want+"\n", failed(steps)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestWhatACallerSentCannotForgeALineOfTheTrace(t *testing.T) {
	t.Parallel()
	evil := "x\n\x1b[2Jdecide ok" + strings.Repeat("y", 500)
	l := mustLoad(t, editors+`
route:
  requiredRoles: editor
  requiredScopes: a
  tenant: "{{query.t}}"
  allow: {groups: g}
  when: auth.claims.c == "1" && query.q == "1" && auth.sub == "1"
`)
	who := alice(roles(evil), claims("c", evil), func(p *principal.Principal) {
		p.Subject, p.Email, p.EmailVerified, p.Groups, p.Scopes = evil, evil, false, []string{evil}, []string{evil}
	})
	v := get("/")
	v.Query = "t=" + strings.ReplaceAll(evil, "\n", "%0A") + "&q=%0Ax"
	_, steps := l.ask(t, who, v, nil)
	for _, s := range steps {
		for _, text := range []string{s.Wanted, s.Found, s.Enough} {
			if strings.ContainsAny(text, "\n\x1b") || len(text) > 600 {
				t.Errorf("%s: %q", s.Check, text)
			}
		}
	}
}
