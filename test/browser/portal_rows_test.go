package browser

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/rbac"
	"github.com/portreeve/portreeve/test/edge"
)

// Names that try what a page makes of them: markup, a text that turns the ones
// after it round, and one without an end.
const (
	spite  = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	turned = "a\u202Egnp.exe"
)

// rows are what the desk's lists hold, by what tests ask for.
type rows struct {
	key, token, user, config, agent string // an id of each
	hostile                         map[string]string
	foreign                         map[string]string // pages of another tenant's rows
}

// full is more than a page of a list shows.
const full = 21

// fill makes rows of every kind, and some with hostile names, by the operations.
func (d *desk) fill(t *testing.T) {
	t.Helper()
	r := &d.rows
	r.hostile, r.foreign = map[string]string{}, map[string]string{}
	made := func(path string, in map[string]any) string { t.Helper(); return d.api(t, d.admin, "POST", path, in) }
	wide := func(n int) string { return strings.Repeat("W", n) }

	made("/tenant/users", map[string]any{"email": "filler@example.com", "roles": []string{"admin"}}) // configurations are people's
	edge.Until(t, "the row of a token's bearer counts", func() bool {
		return d.Ask(t, "GET", "/tenant/users", "", edge.Bearer(d.admin)).Status == 200
	})
	for _, p := range []struct{ who, role string }{{"ada", "admin"}, {"kim", "admin"}, {"mel", "member"}, {"vic", "viewer"}, {"ann", "admin"}, {"acc", "admin"}} {
		made("/tenant/users", map[string]any{"email": p.who + "@example.com", "roles": []string{p.role}})
	}
	for i := range full {
		n := fmt.Sprintf("%02d", i)
		r.key = made("/tenant/api-keys", map[string]any{"name": "invoices-" + n, "scopes": []string{"docs:read", "docs:write", "machines:read", "users:read"}, "allowedIPs": []string{"192.0.2." + n[1:]}, "expiresAt": d.clock.now().AddDate(1, 0, 0).UTC().Format(time.RFC3339)})
		r.user = made("/tenant/users", map[string]any{"email": "person-" + n + "@example.com", "name": "Person " + n, "roles": []string{"member", "viewer"}})
		made("/rbac/roles", map[string]any{"name": "team-" + n, "description": "Of team " + n, "permissions": []string{"docs:read", "docs:write"}, "parentRole": "viewer"})
		r.config = "config-" + n
		made("/v1/configs", map[string]any{"name": r.config, "match": map[string]any{"group": "group-" + n}, "config": map[string]any{"packages": []string{"git", "curl"}, "n": i}})
		r.agent = "agent-" + n
		made("/api/agents", map[string]any{"name": r.agent, "description": "Looks after queue " + n, "public": true, "settings": map[string]any{"queue": n}})
	}
	owned := func(agent string) {
		t.Helper()
		for _, who := range []string{"ada", "kim"} {
			d.api(t, d.admin, "POST", "/api/agents/"+agent+"/admins", map[string]any{"role": "owner", "email": who + "@example.com"})
		}
	}
	owned(r.agent)
	host := d.Host(t)
	if _, err := host.Roles.Assign(t.Context(), host.Caller(), host.DefaultTenant(), rbac.Assignment{User: "kim@example.com", Role: "operator"}); err != nil {
		t.Fatal(err)
	}
	machineToken := func(name string) (id, token string) {
		t.Helper()
		made, err := host.APIKeys.Create(t.Context(), host.KeyBy(), host.DefaultTenant(), apikey.Draft{Machine: true, Name: input.Optional[string]{Set: true, Value: name}})
		if err != nil {
			t.Fatal(err)
		}
		return made.ID, made.Token.Reveal()
	}
	var engine string
	for i := range full {
		r.token, engine = machineToken(fmt.Sprintf("engine-%02d", i))
	}
	report := func(machine, run any) string {
		t.Helper()
		return d.api(t, engine, "POST", "/v1/report", map[string]any{"machine": machine, "run": run})
	}
	phases := func(status, message string) []any {
		out := []any{}
		for _, n := range []string{"disk", "network", "packages", "users", "hardening"} {
			out = append(out, map[string]any{"name": n, "status": status, "message": message, "durationMs": 1200})
		}
		return out
	}
	for i := range full {
		status := []string{"succeeded", "failed", "running"}[i%3]
		report(map[string]any{"hostname": fmt.Sprintf("laptop-%02d", i), "serial": fmt.Sprintf("C02F91XJ%02d", i), "group": fmt.Sprintf("group-%02d", i)},
			map[string]any{"id": fmt.Sprintf("run-%02d", i), "status": status, "phases": phases(status, "It went\nas it goes\n")})
	}
	for i := range full {
		report("laptop-00", map[string]any{"id": fmt.Sprintf("again-%02d", i), "status": "succeeded", "phases": phases("succeeded", "")})
	}

	// Hostile ones, in every field that takes a text.
	for what, name := range map[string]string{"markup": spite, "turned": turned, "long": wide(100)} {
		r.hostile["key "+what] = "/keys/" + made("/tenant/api-keys", map[string]any{"name": name, "scopes": []string{"docs:read"}, "expiresAt": nil})
		id, _ := machineToken(name)
		r.hostile["token "+what] = "/machine-tokens/" + id
		r.hostile["user "+what] = "/users/" + made("/tenant/users", map[string]any{"email": "x-" + what + "@example.com", "name": name})
		made("/rbac/roles", map[string]any{"name": "role-" + what, "description": name + name, "permissions": []string{"docs:read"}})
		r.hostile["role "+what] = "/roles/role-" + what
		made("/v1/configs", map[string]any{"name": "hostile-" + what, "match": map[string]any{"machine": name, "group": name[:min(len(name), 60)]}, "config": map[string]any{name: name}})
		r.hostile["config "+what] = "/configs/edit/hostile-" + what
		made("/api/agents", map[string]any{"name": "hostile-" + what, "description": strings.Repeat(name, 2000/len([]rune(name))), "public": true, "settings": map[string]any{name: name}})
		r.hostile["agent "+what] = "/agents/hostile-" + what
		d.api(t, d.admin, "POST", "/api/agents/hostile-"+what+"/admins", map[string]any{"role": "viewer", "serviceToken": strings.Map(visibly, name)})
		owned("hostile-" + what)
		report(map[string]any{"hostname": name, "group": name[:min(len(name), 60)]}, map[string]any{"id": "r-" + what, "status": "failed", "more": name,
			"phases": []any{map[string]any{"name": name[:min(len(name), 100)], "status": "failed", "message": strings.Repeat(name, 8000/len(name))}}})
		list := d.Ask(t, "GET", "/.portreeve/whoami", "", "Authorization: Bearer "+d.admin, "User-Agent: "+strings.Map(visibly, name))
		if list.Status != 200 {
			t.Fatal(list)
		}
		d.Ask(t, "GET", "/tenant/users?search="+url.QueryEscape(name), "", "User-Agent: "+strings.Map(visibly, name), "Authorization: Bearer "+strings.Map(visibly, name)) // refused
	}

	// Of the tenant beside.
	other := d.token(t, "other")
	key := d.api(t, other, "POST", "/tenant/api-keys", map[string]any{"name": "theirs", "scopes": []string{"docs:read"}, "expiresAt": nil})
	user := d.api(t, other, "POST", "/tenant/users", map[string]any{"email": "filler@example.com", "roles": []string{"admin"}})
	d.api(t, other, "POST", "/rbac/roles", map[string]any{"name": "theirs", "permissions": []string{"docs:read"}})
	d.api(t, other, "POST", "/v1/configs", map[string]any{"name": "theirs", "match": map[string]any{}, "config": map[string]any{}})
	d.api(t, other, "POST", "/api/agents", map[string]any{"name": "theirs", "public": false})
	r.foreign = map[string]string{"key": "/keys/" + key, "user": "/users/" + user, "role": "/roles/theirs", "config": "/configs/edit/theirs", "agent": "/agents/theirs"}
}

// visibly leaves what a header may hold.
func visibly(r rune) rune {
	if r > ' ' && r < 0x7f {
		return r
	}
	return '-'
}
