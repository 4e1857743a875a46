package insight

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/links"
	"github.com/portreeve/portreeve/internal/proxy"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/sms"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// standing is a snapshot of a default site and of one with an issuer that was never
// reached.
func standing(t *testing.T, now time.Time) *gateway.Snapshot {
	t.Helper()
	set := func(c keyset.Config) *keyset.Set { c.Now = func() time.Time { return now }; return keyset.New(c) }
	oidc := identity.NewOIDC(&identity.OIDCConfig{Name: "company", Issuer: "https://issuer.example"}, identity.Deps{Env: "prod", Keys: set})
	site, problems := identity.NewSite([]*identity.Provider{oidc, {Name: "access", Kind: "access", Off: "has no audience"}}, identity.SiteOptions{})
	none, _ := identity.NewSite(nil, identity.SiteOptions{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	op := gateway.SurfaceRoute{Method: "GET", Path: "/x", Op: gateway.Operation{Surface: "tenantApi", Name: "x"}}
	table := gateway.NewTable(false)
	pattern, err := gateway.ParsePattern(op.Path)
	if err == nil {
		err = table.Add(&gateway.Route{Pattern: pattern, Methods: []string{"GET"}, Answer: &op.Op})
	}
	if err != nil {
		t.Fatal(err)
	}
	return gateway.NewSnapshot(&gateway.Site{Name: "default", Default: true, Empty: true, Table: gateway.NewTable(false), Identity: none}, []*gateway.Site{
		{Name: "api.example.com", Hosts: []string{"api.example.com"}, Table: table, Identity: site, Tenant: "main"},
		{Name: "go.example.com", Hosts: []string{"go.example.com"}, Table: gateway.NewTable(false), Identity: none, Owner: &gateway.Owner{Surface: "links"}},
	})
}

func TestTheConfigurationInService(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	snap := standing(t, at)
	s := New(Deps{Snapshot: func() *gateway.Snapshot { return snap }, Node: Node{File: func() File {
		return File{LoadedAt: at, Generation: 3, Path: "/etc/portreeve.yaml", Environment: "prod", Version: "1.2.3", Text: "a: b\n"}
	}}})
	want := Configuration{
		LoadedAt: at, Generation: 3, File: "/etc/portreeve.yaml", Environment: "prod", Version: "1.2.3", Text: "a: b\n", Warnings: []string{},
		Sites: []Site{
			{Name: "api.example.com", Hosts: []string{"api.example.com"}, Surfaces: []string{"tenantApi"}, Routes: 1, Tenant: "main",
				Providers: []Provider{{"company", "oidc", ""}, {"access", "access", "has no audience"}}},
			{Name: "go.example.com", Hosts: []string{"go.example.com"}, Owner: "links", Surfaces: []string{}, Providers: []Provider{}},
		},
	}
	if d := cmp.Diff(want, answer[Configuration](t, s, "", "/configuration")); d != "" {
		t.Error(d)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	snap := standing(t, at)
	s := New(Deps{Now: func() time.Time { return at }, Snapshot: func() *gateway.Snapshot { return snap }, Node: Node{
		File:      func() File { return File{Generation: 3, Version: "1.2.3"} },
		Keys:      func() *seal.Keys { return audittest.Keys(t) },
		Store:     func() *Store { return &Store{Engine: "sqlite", Fresh: true, Read: at.Add(-250 * time.Millisecond)} },
		Upstreams: func() []Upstream { return []Upstream{{"app", proxy.GroupHealth{Healthy: true}}} },
		Degraded:  func() []string { return []string{"something"} },
	}})
	want := Health{
		Node: NodeHealth{Version: "1.2.3", Generation: 3, Time: at},
		Issuers: []Issuer{
			{Site: "api.example.com", Provider: "company", Kind: "oidc", Issuer: "https://issuer.example"},
			{Site: "api.example.com", Provider: "access", Kind: "access", Error: "has no audience"},
		},
		MasterKeys: []MasterKey{{"test", true}}, Store: &StoreHealth{"sqlite", true, 250},
		Upstreams: []Upstream{{"app", proxy.GroupHealth{Healthy: true}}}, Degraded: []string{"something"},
	}
	if d := cmp.Diff(want, answer[Health](t, s, "", "/health")); d != "" {
		t.Error(d)
	}
}

func TestANodeThatHasNothingToTell(t *testing.T) {
	t.Parallel()
	s := New(Deps{})
	for _, path := range []string{"/configuration", "/health", "/links", "/texts"} {
		reply, err := ask(t, s, "", path)
		if body := string(reply.Body); err != nil || strings.Contains(strings.NewReplacer(`"store":null`, "").Replace(body), "null") {
			t.Errorf("%s: %s, %v", path, body, err)
		}
	}
}

func TestLinksAndTexts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Tx(context.Background(), func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO sms_sends (id, site, campaign, number, network, prefix, state, at, keep_until) VALUES ('1', 'sms.example', 'default', 'n', 'w', 'p', 'accepted', 1763812800000, 1)`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		service := sms.New(sms.Deps{DB: db})
		s := New(Deps{Node: Node{
			SMS: func() *sms.Service { return service },
			Texts: func() []TextSite {
				return []TextSite{{"sms.example", []string{"sms.example"}, sms.Facts{Widget: true}}}
			},
			Links: func() []LinkSite {
				return []LinkSite{{"go.example", []string{"go.example"}, links.Facts{Scheme: "example"}}}
			},
		}})
		texts := answer[Texts](t, s, "", "/texts")
		if len(texts.Sites) != 1 || !texts.Sites[0].Widget || cmp.Diff([]sms.Day{{Day: "2025-11-22", Campaign: "default", Sent: 1}}, texts.Sites[0].Days) != "" {
			t.Errorf("%+v", texts)
		}
		if l := answer[Links](t, s, "", "/links"); len(l.Sites) != 1 || l.Sites[0].Scheme != "example" || l.Sites[0].Site != "go.example" {
			t.Errorf("%+v", l)
		}
	})
}
