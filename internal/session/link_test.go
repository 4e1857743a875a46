package session

import (
	"testing"

	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

// A link opens on this machine alone: not through a proxy or tunnel that runs here,
// whether or not anybody listed it.
func TestALinkDoesNotOpenThroughAProxy(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t), Config{})
	by := tenant.Host()
	by.Grants = allGrants{}
	link, err := k.s.DevLink(t.Context(), LinkFor{By: by, Tenant: "acme", User: "dev@example.com", Roles: []string{"clerk"}, Site: "app"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"X-Forwarded-For: 203.0.113.7", "x-real-ip: 203.0.113.7", "Forwarded: for=203.0.113.7", "Via: 1.1 nginx", "CF-Connecting-IP: 203.0.113.7", "X-Forwarded-Proto: https"} {
		b := k.browser()
		b.peer = "127.0.0.1:5000"
		if r := b.ask("GET "+link, "", f); r.status != 404 {
			t.Errorf("%s: GET %d", f, r.status)
		}
		if r := b.ask("POST "+link, "", f); r.status != 404 || b.jar["__Host-portreeve"] != "" {
			t.Errorf("%s: POST %d", f, r.status)
		}
	}
	b := k.browser()
	b.peer = "127.0.0.1:5000"
	if r := b.ask("POST "+link, ""); r.status != 303 || b.jar["__Host-portreeve"] == "" {
		t.Errorf("from here: %d %v", r.status, r.fault)
	}
}
