package surfaces

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/secrets"
	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/test/edge"
)

// admins are the callers of a tenant who may do everything there, by each kind of
// credential that can.
func (w *world) admins(t testing.TB, of string) map[string]string {
	t.Helper()
	mail := "boss@" + mark(of) + ".test"
	w.user(t, of, tenant.NewUser{Email: mail, Roles: []string{"admin"}})
	w.user(t, of, tenant.NewUser{ServiceToken: "boss." + of, Roles: []string{"admin"}})
	k := w.key(t, of, false, "*", "apikeys:*", "users:*", "rbac:*", "secrets:*", "usage:*")
	return map[string]string{
		"jwt":     w.admin(of),
		"access":  assertion(must(w.access.Mint(mail, nil))),
		"service": assertion(must(w.access.MintService("boss." + of))),
		"key":     edge.Key(k.Token.Reveal()),
	}
}

// TestIdsOfAnotherTenant: what stands under a name in one's own tenant is found
// and changed there; what stands under it elsewhere is neither seen nor touched,
// and a name that only another tenant has is nobody's.
func TestIdsOfAnotherTenant(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx, h := t.Context(), w.host
		// What globex has and acme has not.
		must(h.Roles.Create(ctx, h.Caller(), globex, draftOf("g-role", mark(globex))))
		must(h.Roles.AddEndUserRole(ctx, h.Caller(), globex, draftOf("g-buyer", mark(globex))))
		w.user(t, globex, tenant.NewUser{ID: "g-user", Email: "g@" + mark(globex) + ".test", Name: mark(globex)})
		must(h.Secrets.Create(ctx, h.By(), globex, secrets.Fresh{Key: "G_SECRET", Value: secret.New(sealedValue(globex))}))
		theirs := []string{"g-role", "g-buyer", "g-user", "G_SECRET", w.key(t, globex, false, "docs:read").ID, w.key(t, globex, true).ID, w.own[globex][4]}
		admins := w.admins(t, acme)
		before := w.rows(t, globex)

		found := 0
		for by, fields := range admins {
			for _, o := range w.ops {
				for _, id := range theirs {
					if !o.names() {
						break
					}
					a, what := w.Ask(t, o.Method, o.at(id), specimens()[o.String()], fields), o.String()+" of "+id+" by "+by
					if a.Status != 404 && !(a.Status == 403 && o.byOtherRules()) {
						t.Errorf("%s: %d %s", what, a.Status, a.Body)
					}
					w.decent(t, what, a)
				}
				if !o.reads() {
					continue
				}
				for _, id := range append([]string{""}, w.own[acme]...) {
					if (id == "") == o.names() {
						continue
					}
					a, what := w.Ask(t, o.Method, o.at(id), "", fields), o.String()+" of "+id+" by "+by
					if strings.Contains(whole(a), mark(globex)) || a.Status != 200 && a.Status != 404 && !(a.Status == 403 && o.byOtherRules()) {
						t.Errorf("%s: %d %s", what, a.Status, a.Body)
					}
					if strings.Contains(a.Body, mark(acme)) {
						found++
					}
					w.decent(t, what, a)
				}
			}
		}
		if found < 5*len(admins) {
			t.Errorf("%d answers showed something of one's own", found)
		}
		w.inBodies(t, admins, theirs)

		// Now everything of one's own is changed, by names that globex has too.
		changed := 0
		for _, o := range w.ops {
			for _, id := range w.own[acme] {
				if o.reads() || !o.names() && id != "clerk" {
					continue
				}
				a, what := w.Ask(t, o.Method, o.at(id), specimens()[o.String()], admins["jwt"]), o.String()+" of "+id
				if a.Status < 300 {
					changed++
				} else if a.Status != 404 && a.Status != 409 && a.Status != 400 {
					t.Errorf("%s: %d %s", what, a.Status, a.Body)
				}
				w.decent(t, what, a)
			}
		}
		if changed < 15 {
			t.Errorf("only %d changes were made", changed)
		}
		if diff := cmp.Diff(before, w.rows(t, globex)); diff != "" {
			t.Errorf("what acme's did changed globex:\n%s", diff)
		}
		w.silent(t)
	})
}

// inBodies names in bodies what another tenant has.
func (w *world) inBodies(t *testing.T, admins map[string]string, theirs []string) {
	t.Helper()
	for by, fields := range admins {
		for _, id := range theirs {
			for _, r := range [][3]string{
				{"POST", "/rbac/assign", `{"userId":"` + id + `","role":"g-role"}`},
				{"POST", "/rbac/assign", `{"userId":"u-clerk","role":"g-role"}`},
				{"DELETE", "/rbac/assign", `{"userId":"` + id + `","role":"g-role"}`},
				{"POST", "/tenant/secrets/rotate", `{"key":"` + id + `","newValue":"zq9kx7wv3"}`},
				{"PATCH", "/tenant/users/u-clerk", `{"roles":["g-role"]}`},
				{"POST", "/rbac/roles", `{"name":"mine","permissions":["docs:read"],"parentRole":"g-role"}`},
			} {
				a := w.Ask(t, r[0], r[1], r[2], fields)
				if a.Status != 404 && a.Status != 400 || strings.Contains(a.Body, mark(globex)) {
					t.Errorf("%s %s %s by %s: %d %s", r[0], r[1], r[2], by, a.Status, a.Body)
				}
			}
		}
	}
}
