package rbac

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// Whatever sequence of requests is sent by callers none of whom holds a
// permission, none of them holds it afterwards. The permission is secret:read;
// admin holds it, and so do roles that the host made, some of them assigned to
// bystanders, who send nothing.
func TestNoSequenceOfRequestsGrantsWhatNobodyOfThemHeld(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), `
roles:
  - {name: base, permissions: ["docs:read"]}
  - {name: manager, permissions: ["rbac:read", "rbac:write"], parentRole: base}
  - {name: keeper, permissions: ["secret:*"], parentRole: base}
  - {name: reader, permissions: ["*:read"]}
`)
	const forbidden = "secret:read"
	names := []string{"a", "b", "c", "d", "e"}
	file := []string{"base", "manager", "keeper", "reader", "admin", "viewer"}
	actors := []string{"ann", "ben", "cleo"}
	bystander := "zoe"
	texts := []string{"docs:read", "docs:*", "docs:write", "rbac:write", "rbac:read", forbidden, "secret:*", "*:read", "*:*", "x:y"}
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		id := fmt.Sprintf("t%d", run)
		if err := h.users.Ensure(t.Context(), id); err != nil {
			rt.Fatal(err)
		}
		h.poll()
		pick := func(label string, from []string) string { return rapid.SampledFrom(from).Draw(rt, label) }
		list := func(label string, from []string, most int) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, most, rapid.ID).Draw(rt, label)
		}
		// The host makes a graph: any one. A name may end up without a role.
		for _, name := range names[:3] {
			parent := pick("parent", append([]string{""}, append(slices.Clone(names[:3]), file...)...))
			own := texts[:5] // few that hold it, so that many can be assigned
			if rapid.IntRange(0, 5).Draw(rt, "dangerous") == 0 {
				own = texts
			}
			_, _ = h.rbac.Create(t.Context(), host(), id, newRole(name, parent, list("permissions", own, 2)...))
		}
		harmless := func(name string) bool {
			ok := false
			_ = h.db.Read(t.Context(), func(tx *store.Tx) error {
				w := must(h.rbac.world(tx, id))
				ok = w.tree.has(name) && !covers(w.holds([]string{name}), forbidden)
				return nil
			})
			return ok
		}
		for _, who := range append(slices.Clone(actors), bystander) {
			for _, role := range append(list("roles", append(slices.Clone(names[:3]), file...), 3), "manager") {
				if who == bystander || harmless(role) {
					_, err := h.rbac.Assign(t.Context(), host(), id, Assignment{User: who, Role: role, Provider: "jwt", Named: true})
					if err != nil && harmless(role) {
						rt.Fatal(err)
					}
				}
			}
		}
		for range rapid.IntRange(1, 16).Draw(rt, "requests") {
			who := pick("who", actors)
			name := pick("name", append(slices.Concat(names, names), file...))
			user := pick("user", append(slices.Clone(actors), bystander))
			fields := `"permissions":` + quoted(list("permissions", texts, 2))
			if parent := pick("parent", append([]string{"", "-"}, append(slices.Clone(names), file...)...)); parent != "-" {
				fields += `,"parentRole":"` + parent + `"`
			}
			var line, body string
			switch rapid.IntRange(0, 4).Draw(rt, "what") {
			case 0:
				line, body = "POST /rbac/roles", `{"name":"`+name+`",`+fields+`}`
			case 1:
				line, body = "PUT /rbac/roles/"+name, `{`+fields+`}`
			case 2:
				line = "DELETE /rbac/roles/" + name
			case 3:
				line, body = "POST /rbac/assign", `{"provider":"jwt","userId":"`+user+`","role":"`+name+`"}`
			case 4:
				line, body = "DELETE /rbac/assign", `{"provider":"jwt","userId":"`+user+`","role":"`+name+`"}`
			}
			status, got := h.ask(h.token(who, "tenant_id="+id), line, body)
			rt.Logf("%s: %s %s: %d %s", who, line, body, status, got)
			if status >= 300 {
				continue
			}
			for _, a := range actors {
				if p := h.stand(h.token(a, "tenant_id="+id)).Permissions(); covers(p, forbidden) {
					rt.Fatalf("%s holds %q after that", a, p)
				}
			}
		}
	})
}

// covers is written out anew here, so that the test does not believe what it tests.
func covers(held []string, permission string) bool {
	resource, action, _ := strings.Cut(permission, ":")
	for _, h := range held {
		r, a, _ := strings.Cut(h, ":")
		if (r == resource || r == "*") && (a == action || a == "*") {
			return true
		}
	}
	return false
}

func quoted(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	return `["` + strings.Join(list, `","`) + `"]`
}
