package insight

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

// accessFile has a route of each kind of requirement.
const accessFile = `
rbac:
  roles:
    - {name: reader, permissions: ["docs:read"]}
    - {name: editor, permissions: ["docs:*"], parentRole: reader}
    - {name: ops, permissions: ["platform:read"]}
    - {name: super, permissions: ["platform:*"]}
routes:
  - {path: /open, method: get, data: {}}
  - {path: /signed-in, method: get, requireAuth: true, data: {}}
  - {path: /docs, method: get, requiredPermissions: ["docs:read"], data: {}, description: read the docs}
  - {path: /docs, method: post, requiredPermissions: ["docs:write"], data: {}}
  - {path: /docs, method: put, requiredRoles: [editor, admin], data: {}}
  - {path: /docs, method: delete, requiredPermissions: ["docs:write"], requireMfa: true, data: {}}
  - {path: /people, method: get, authProvider: jwt, data: {}}
  - {path: /machines, method: get, authProvider: machine, requiredPermissions: ["machine:ingest"], data: {}}
  - {path: /scoped, method: get, requiredScopes: ["docs:read"], data: {}}
  - {path: /friends, method: get, allow: {emails: [ann@example.com]}, data: {}}
  - {path: /quiet, method: get, deny: {emails: [mallory@example.com]}, data: {}}
  - {path: "/tenants/:tenant", method: get, tenant: "{{params.tenant}}", data: {}}
  - {path: /when, method: get, when: 'auth.sub == "ann"', data: {}}
  - {path: /platform, method: get, requiredPermissions: ["platform:read"], data: {}}
`

func TestWhatPeopleAndKeysCanDoIsWhatHappens(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, accessFile)
		admin := h.token("root", "role", "admin")
		h.user("ann", "reader")
		h.user("bob", "editor")
		h.user("olaf", "ops")
		h.user("mallory", "admin")
		h.user("gone", "admin")
		if _, err := h.users.SetUserDisabled(t.Context(), h.host(), "main", "u-gone", true); err != nil {
			t.Fatal(err)
		}
		reads, all := h.key(apikey.Draft{}, "docs:read"), h.key(apikey.Draft{}, "*")
		machine := h.key(apikey.Draft{Machine: true})
		far := h.key(apikey.Draft{AllowedIPs: input.Optional[[]string]{Set: true, Value: []string{"198.51.100.0/24"}}}, "docs:read")

		person := func(sub string) string { return h.token(sub, "email", sub+"@example.com") }
		trusted := "depends on the token's roles, which a shared secret is trusted for"
		for _, c := range []struct {
			by, id, token string
			want          map[string]string // what is not "no"
		}{
			{"user", "u-ann", person("ann"), map[string]string{"GET /open": "yes", "GET /signed-in": "yes", "GET /docs": "yes", "POST /docs": trusted, "PUT /docs": trusted,
				"DELETE /docs": "depends", "GET /people": "yes", "GET /quiet": "yes", "GET /scoped": "depends", "GET /friends": "yes", "GET /tenants/:tenant": "depends", "GET /when": "depends"}},
			{"user", "u-bob", person("bob"), map[string]string{"GET /open": "yes", "GET /signed-in": "yes", "GET /docs": "yes", "POST /docs": "yes", "PUT /docs": "yes",
				"DELETE /docs": "depends", "GET /people": "yes", "GET /quiet": "yes", "GET /scoped": "depends", "GET /tenants/:tenant": "depends", "GET /when": "depends"}},
			{"user", "olaf@example.com", person("olaf"), map[string]string{"GET /open": "yes", "GET /signed-in": "yes", "GET /docs": trusted, "POST /docs": trusted, "PUT /docs": trusted,
				"DELETE /docs": "depends", "GET /people": "yes", "GET /quiet": "yes", "GET /scoped": "depends", "GET /tenants/:tenant": "depends", "GET /when": "depends", "GET /platform": "yes"}},
			{"user", "u-mallory", person("mallory"), map[string]string{"GET /open": "yes", "GET /signed-in": "yes", "GET /docs": "yes", "POST /docs": "yes", "PUT /docs": "yes",
				"DELETE /docs": "depends", "GET /people": "yes", "GET /scoped": "depends", "GET /tenants/:tenant": "depends", "GET /when": "depends"}},
			{"user", "u-gone", person("gone"), map[string]string{"GET /open": "yes"}},
			{"key", reads.ID, reads.Token.Reveal(), map[string]string{"GET /open": "yes", "GET /signed-in": "yes", "GET /docs": "yes", "GET /quiet": "yes", "GET /scoped": "yes",
				"GET /tenants/:tenant": "depends", "GET /when": "depends"}},
			{"key", all.ID, all.Token.Reveal(), map[string]string{"GET /open": "yes", "GET /signed-in": "yes", "GET /docs": "yes", "POST /docs": "yes", "GET /quiet": "yes", "GET /scoped": "yes",
				"GET /tenants/:tenant": "depends", "GET /when": "depends"}},
			{"key", machine.ID, machine.Token.Reveal(), map[string]string{"GET /open": "yes", "GET /machines": "yes"}},
			{"key", far.ID, far.Token.Reveal(), map[string]string{"GET /open": "yes", "GET /signed-in": "depends", "GET /docs": "depends", "GET /quiet": "depends", "GET /scoped": "depends",
				"GET /tenants/:tenant": "depends", "GET /when": "depends"}},
		} {
			got := asked[Access](h, admin, "/access", c.by, c.id, "limit", "100")
			for _, r := range got.Routes {
				if r.Surface != "" {
					continue
				}
				want := c.want[r.Key]
				if want == trusted {
					want = "depends"
				}
				if want == "" {
					want = "no"
				}
				if r.Answer != want {
					t.Errorf("%s: %s: %s, want %s: %q", c.id, r.Key, r.Answer, want, r.Because)
				}
				if len(r.Because) == 0 {
					t.Errorf("%s: %s: %s, and nobody is told why", c.id, r.Key, r.Answer)
				}
				method, path, _ := strings.Cut(r.Key, " ")
				_, code := h.try(c.token, method, strings.Replace(path, ":tenant", "main", 1))
				if r.Answer == "yes" && code != "" && r.Because[0] != "open to everybody" || r.Answer == "no" && code == "" {
					t.Errorf("%s: %s: told %s (%q), and it comes to %q", c.id, r.Key, r.Answer, r.Because, code)
				}
			}
		}
	})
}

func TestWhatSomebodyHolds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, accessFile)
		admin := h.token("root", "role", "admin")
		h.user("bob", "editor")
		got := asked[Access](h, admin, "/access", "user", "u-bob", "limit", "1")
		got.Routes = nil
		want := Access{Who: Subject{Kind: "user", ID: "u-bob", Email: "bob@example.com"}, Tenant: "main", Roles: []string{"editor"},
			Permissions: []policy.Source{{Permission: "docs:*", From: []string{"role editor"}}, {Permission: "docs:read", From: []string{"role editor"}}},
			Scopes:      []string{}, Idle: []string{}, Pagination: input.Pagination{Limit: 1, Total: got.Pagination.Total}}
		if d := cmp.Diff(want, got); d != "" || got.Pagination.Total < 13 {
			t.Error(d)
		}

		k := h.key(apikey.Draft{}, "docs:read", "*")
		key := asked[Access](h, admin, "/access", "key", k.ID)
		if key.Who.Kind != "key" || key.Who.Prefix != k.Prefix || !slices.Equal(key.Scopes, []string{"docs:read", "*"}) || len(key.Idle) > 0 || len(key.Permissions) == 0 {
			t.Errorf("%+v", key)
		}
		if err := h.keys.Revoke(t.Context(), apikey.By{Host: true}, "main", k.ID); err != nil {
			t.Fatal(err)
		}
		key = asked[Access](h, admin, "/access", "key", k.ID)
		if key.Who.Refused != "the key is revoked" || len(key.Permissions) > 0 {
			t.Errorf("revoked: %+v", key)
		}
		for _, q := range []struct{ target, code string }{
			{"?user=nobody", "no_user"}, {"?key=nothing", "no_key"}, {"", "validation_failed"}, {"?user=u-bob&key=x", "validation_failed"}, {"?site=default&route=GET+/nowhere", "no_route"},
			{"?route=GET+/docs", "no_route"}, {"?user=u-bob&answer=perhaps", "validation_failed"}, {"?user=u-bob&limit=101", "validation_failed"},
		} {
			_, code := h.try(admin, "GET", "/.portreeve/insight/access"+q.target)
			if code != q.code {
				t.Errorf("%s: %q, want %s", q.target, code, q.code)
			}
		}
		if _, code := h.try(h.token("bob"), "GET", "/.portreeve/insight/access?user=u-bob"); code != "missing_permission" {
			t.Errorf("without rbac:read: %q", code)
		}
	})
}

func TestWhoCanUseARoute(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, accessFile, func(c *identity.JWTConfig) { no := false; c.TrustRoles = &no })
		// Nobody's token is believed about roles, so the admin has a row too.
		h.user("root", "admin")
		h.user("ann", "reader")
		h.user("bob", "editor")
		if _, err := h.users.AddUser(t.Context(), h.host(), "other", tenant.NewUser{Email: "eve@example.com", Roles: []string{"editor"}}); err != nil {
			t.Fatal(err)
		}
		h.key(apikey.Draft{}, "docs:write")
		got := asked[RouteAccess](h, h.token("root"), "/access", "site", "default", "route", "POST /docs")
		brief := func(list []SubjectAnswer) (out []string) {
			for _, a := range list {
				out = append(out, a.Kind+" "+a.Email+" "+a.Answer)
			}
			slices.Sort(out)
			return out
		}
		if d := cmp.Diff([]string{"user ann@example.com no", "user bob@example.com yes", "user root@example.com yes"}, brief(got.People)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"key  yes"}, brief(got.Keys)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"editor", "admin"}, got.Roles); d != "" {
			t.Error(d)
		}
		want := Needs{Texts: []string{"signed in", "permission docs:write"}, Providers: []string{"jwt", "apiKey"},
			Permissions: []string{"docs:write"}, Roles: []string{}}
		if d := cmp.Diff(want, got.Needs); d != "" {
			t.Error(d)
		}
		if got.Route.Key != "POST /docs" || got.Total != (Totals{3, 1}) || got.Pagination.Total != 3 {
			t.Errorf("%+v", got)
		}
		open := asked[RouteAccess](h, h.token("root"), "/access", "site", "default", "route", "GET /open", "limit", "1", "offset", "2")
		if len(open.People) != 1 || len(open.Keys) != 0 || open.Roles == nil {
			t.Errorf("%+v", open)
		}
	})
}

func TestRoutesAreFound(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), accessFile)
	admin := h.token("root", "role", "admin")
	list := asked[input.List[Route]](h, admin, "/routes", "search", "THE DOCS")
	want := []Route{{Site: "default", Methods: []string{"GET"}, Path: "/docs", Key: "GET /docs", Name: "read the docs"}}
	if d := cmp.Diff(want, list.Data); d != "" {
		t.Error(d)
	}
	all := asked[input.List[Route]](h, admin, "/routes", "limit", "100")
	seen := map[string]bool{}
	for _, r := range all.Data {
		if seen[r.Key] || r.Path == "/health" {
			t.Errorf("%s is there twice, or is nobody's to ask", r.Key)
		}
		seen[r.Key] = true
	}
	if !seen["GET /.portreeve/insight/access"] || !seen["DELETE /docs"] {
		t.Errorf("missing among %v", seen)
	}
	if none := asked[input.List[Route]](h, admin, "/routes", "site", "elsewhere"); len(none.Data) > 0 {
		t.Errorf("%v", none)
	}
}
