package surfaces

import (
	"slices"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/app"
)

// operation is one of the inventory: what a path does for a method.
type operation struct {
	Method, Path string
	app.OperationReport
}

// inventory lists the operations that a configuration serves.
func inventory(t testing.TB, source app.Source) (out []operation) {
	t.Helper()
	r, err := app.Check(source)
	if err != nil || !r.OK {
		t.Fatal(err, r)
	}
	for _, route := range r.Routes {
		if route.Operation == nil {
			continue
		}
		if route.Public {
			if !slices.Contains(forAnybody(), route.Path) {
				t.Errorf("%s %s is open to everybody", route.Methods, route.Path)
			}
			continue
		}
		if strings.HasPrefix(route.Path, "/.portreeve/") {
			continue // pages for people in browsers, and what leads to them
		}
		for _, m := range route.Methods {
			out = append(out, operation{m, route.Path, *route.Operation})
		}
	}
	return out
}

func (o operation) String() string { return o.Method + " " + o.Path }

// at is the path with a value in the place of each parameter.
func (o operation) at(value string) string {
	segments := strings.Split(o.Path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, ":") {
			segments[i] = value
		}
	}
	return strings.Join(segments, "/")
}

// names reports whether the path names something.
func (o operation) names() bool { return strings.Contains(o.Path, ":") }

// reads reports whether it changes nothing.
func (o operation) reads() bool { return o.Method == "GET" }

// body is what is sent where nothing in particular is meant.
func (o operation) body() string {
	if o.MaxBody == 0 {
		return ""
	}
	return "{}"
}

// permissionsOf are all that some operation asks for.
func permissionsOf(ops []operation) (out []string) {
	for _, o := range ops {
		out = append(out, o.Permissions...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestTheInventoryIsWhole: what the specification lists is served, and what is
// served asks for a permission, or says here that it does not.
func TestTheInventoryIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite")
	var have []string
	for _, o := range w.ops {
		have = append(have, o.String())
		if len(o.Permissions) == 0 && !o.byOtherRules() {
			t.Errorf("%s asks for no permission", o)
		}
		if o.Surface == "" || o.Name == "" || !o.Tenant && !o.byOtherRules() {
			t.Errorf("%s: %+v", o, o.OperationReport)
		}
	}
	for _, line := range []string{
		"GET POST /tenant/api-keys", "GET PATCH DELETE /tenant/api-keys/:id", "POST /tenant/api-keys/:id/rotate", "GET /tenant/api-keys/:id/usage",
		"GET POST /tenant/machine-tokens", "GET DELETE /tenant/machine-tokens/:id", "POST /tenant/machine-tokens/:id/rotate",
		"GET POST /tenant/secrets", "DELETE /tenant/secrets/:key", "POST /tenant/secrets/rotate", "GET POST /tenant/users", "PATCH /tenant/users/:id", "GET DELETE /tenant/users/:id/sessions", "DELETE /tenant/users/:id/sessions/:session",
		"GET /usage/summary", "GET /usage/history", "GET POST /tenant/config",
		"GET POST /rbac/roles", "PUT DELETE /rbac/roles/:name", "GET /rbac/permissions", "POST DELETE /rbac/assign",
		"GET PUT POST DELETE /tenant/rbac", "GET POST /tenant/rbac/roles", "GET PUT DELETE /tenant/rbac/roles/:name",
	} {
		words := strings.Fields(line)
		for _, m := range words[:len(words)-1] {
			if o := m + " " + words[len(words)-1]; !slices.Contains(have, o) {
				t.Errorf("%s is not served", o)
			}
		}
	}
}

func (o operation) byOtherRules() bool { return slices.Contains(byOtherRules(), o.Surface) }

// forAnybody are the paths that tell nobody anything: what pages are made of.
func forAnybody() []string { return []string{"/.portreeve/mfa.js", "/.portreeve/style.css"} }

// byOtherRules are surfaces whose operations ask for something else than a
// permission: who the caller is, or a role on one resource.
func byOtherRules() []string { return []string{"mfa", "agents"} }
