package insight

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/rbac"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/trace"
)

// remember adds a refusal of each kind to the ring.
func (h *house) remember() {
	for i, r := range []explain.Record{
		{ID: "a1", Tenant: "main", Route: "/docs", Method: "POST", Path: "/docs", Reason: "missing_permission", Principal: "ann", Client: netip.MustParseAddr("192.0.2.7")},
		{ID: "b1", Tenant: "other", Route: "/docs", Method: "GET", Path: "/docs", Reason: "missing_permission", Principal: "eve"},
		{ID: "none", Method: "GET", Path: "/x", Reason: "no_tenant", Principal: "stray"},
		{ID: "a2", Tenant: "main", Route: "/scoped", Method: "GET", Path: "/scoped", Reason: "missing_scope", Principal: "Bob"},
		{ID: "a3", Tenant: "main", Route: "", Method: "GET", Path: "/nowhere", Reason: "no_route"},
	} {
		r.Time, r.Site, r.Status = time.Date(2026, 11, 22, 12, i, 0, 0, time.UTC), "default", 403
		if r.Route != "" {
			r.Steps = []trace.Step{{Stage: "route", Check: "path and method", Wanted: r.Method + " " + r.Path, OK: true, Found: h.where(r.Method, r.Route)},
				{Stage: "decide", Check: "requiredPermissions", Wanted: "docs:write", Found: "the caller has role reader", Enough: "a role that holds docs:write: editor"}}
		}
		h.ring.Add(r)
	}
}

// where is the place of a route as a trace names it.
func (h *house) where(method, pattern string) (out string) {
	for _, r := range h.s.all() {
		if r.route.Pattern.Text == pattern && r.route.Methods[0] == method {
			out = r.route.Where()
		}
	}
	return out
}

func ids(p RefusalPage) (out []string) {
	for _, r := range p.Data {
		out = append(out, r.ID)
	}
	return out
}

func TestRefusalsAreTheTenants(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), accessFile)
	h.remember()
	admin := h.token("root", "role", "admin")
	for query, want := range map[string][]string{
		"":                  {"a3", "a2", "a1"},
		"reason=no_route":   {"a3"},
		"route=DOCS":        {"a1"},
		"route=/nowh":       {"a3"},
		"who=bob":           {"a2"},
		"who=192.0.2.7":     {"a1"},
		"who=192.0.2":       nil,
		"who=eve":           nil,
		"tenant=other":      nil,
		"site=elsewhere":    nil,
		"limit=1":           {"a3"},
		"limit=1&site=main": nil,
	} {
		reply, code := h.try(admin, "GET", "/.portreeve/insight/refusals?"+query)
		var page RefusalPage
		if err := json.Unmarshal(reply.Body, &page); err != nil || code != "" {
			t.Fatal(query, code, err)
		}
		if d := cmp.Diff(want, ids(page)); d != "" {
			t.Errorf("%s: %s", query, d)
		}
	}
	var all []string
	for before := ""; ; {
		p := asked[RefusalPage](h, admin, "/refusals", "limit", "1", "before", before)
		all = append(all, ids(p)...)
		if before = p.Next; before == "" {
			break
		}
	}
	if d := cmp.Diff([]string{"a3", "a2", "a1"}, all); d != "" {
		t.Error(d)
	}
	for id, want := range map[string]string{"a1": "", "b1": "no_refusal", "none": "no_refusal", "zz": "no_refusal"} {
		if _, code := h.try(admin, "GET", "/.portreeve/insight/refusals/"+id); code != want {
			t.Errorf("%s: %q, want %q", id, code, want)
		}
	}
	if _, code := h.try(h.token("ann", "role", "viewer"), "GET", "/.portreeve/insight/refusals"); code != "missing_permission" {
		t.Errorf("without audit:read: %q", code)
	}
}

func TestWhoAnswersForAllTenantsSeesAllRefusals(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), accessFile)
	h.remember()
	h.user("chief", "admin", "super")
	chief := h.token("chief")
	if d := cmp.Diff([]string{"a3", "a2", "none", "b1", "a1"}, ids(asked[RefusalPage](h, chief, "/refusals"))); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"b1"}, ids(asked[RefusalPage](h, chief, "/refusals", "tenant", "other"))); d != "" {
		t.Error(d)
	}
	if got := asked[RefusalRecord](h, chief, "/refusals/none"); got.Links.Route != nil || got.Steps == nil {
		t.Errorf("%+v", got)
	}
}

func TestARefusalSaysWhichRolesWouldBeEnough(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, accessFile)
		h.remember()
		d := rbac.Draft{Name: input.Optional[string]{Set: true, Value: "scribe"}, Permissions: input.Optional[[]string]{Set: true, Value: []string{"docs:write"}}}
		if _, err := h.roles.Create(t.Context(), rbac.Caller{Actor: audit.Actor{Kind: audit.Host}, Right: rbac.OfHost()}, "main", d); err != nil {
			t.Fatal(err)
		}
		admin := h.token("root", "role", "admin")
		got := asked[RefusalRecord](h, admin, "/refusals/a1")
		want := RefusalLinks{Route: &RouteName{"default", "/docs", "POST /docs"}, Roles: []string{"editor", "scribe", "admin"}}
		if d := cmp.Diff(want, got.Links); d != "" || len(got.Steps) != 2 || got.Who != "ann" {
			t.Errorf("%s %+v", d, got)
		}
		// Another reason than roles is none that roles mend.
		got = asked[RefusalRecord](h, admin, "/refusals/a2")
		if d := cmp.Diff(RefusalLinks{Route: &RouteName{"default", "/scoped", "GET /scoped"}, Roles: []string{}}, got.Links); d != "" {
			t.Error(d)
		}
	})
}

func TestAProcessThatRemembersNothing(t *testing.T) {
	t.Parallel()
	s := New(Deps{})
	for _, path := range []string{"/refusals", "/access?user=x"} {
		if _, err := ask(t, s, "main", path); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}
