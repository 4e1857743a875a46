package tenant

import (
	"errors"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// long is a time before everything that tests make.
var long = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// clerk is somebody of a tenant who may write its users.
func clerk() By {
	by := host()
	by.Host = false
	return by
}

// by adds a user as somebody.
func (r *rig) by(t testing.TB, by By, tenant string, n NewUser) User {
	t.Helper()
	u, err := r.svc.AddUser(t.Context(), by, tenant, n)
	if err != nil {
		t.Fatalf("add %+v: %v", n, err)
	}
	return u
}

// later waits until the store's clock shows another millisecond: what is made
// then was made later.
func (r *rig) later(t testing.TB) {
	t.Helper()
	now := func() (at time.Time) {
		if err := r.db.Read(t.Context(), func(tx *store.Tx) error { at = tx.Now(); return nil }); err != nil {
			t.Fatal(err)
		}
		return at
	}
	for was := now(); !now().After(was); {
		time.Sleep(time.Millisecond)
	}
}

// Carol's provider has a default tenant: no other one takes her, or shuts her
// out, by a row of its own. The host may put her where it wants.
func TestCarolStaysInTheDefaultTenant(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		carol := person("entra", "c-1", "carol@example.com")
		if k := r.known(t, carol, "", "main"); k.Tenant != "main" || k.UserID != "" {
			t.Fatalf("to begin with: %+v", k)
		}
		rows := map[string]NewUser{
			"her e-mail":           {Email: "carol@example.com", Roles: []string{"viewer"}},
			"her e-mail, disabled": {Email: "carol@example.com", Disabled: true},
			"her subject":          {Bound: Binding{"entra", "https://entra.example", "c-1"}},
			"her e-mail, of somebody else's identity": {Email: "carol@example.com", Bound: Binding{"entra", "https://entra.example", "x-9"}},
		}
		for name, n := range rows {
			u := r.by(t, clerk(), "beta", n)
			if k := r.known(t, carol, "", "main"); k.Refuse != nil || k.Tenant != "main" || k.UserID != "" {
				t.Errorf("beta has a row with %s: %+v", name, k)
			}
			if err := r.svc.DeleteUser(t.Context(), host(), "beta", u.ID); err != nil {
				t.Fatal(err)
			}
		}
		// A row that the host made for somebody is turned into hers.
		other := r.by(t, host(), "beta", NewUser{Email: "dora@example.com"})
		if _, err := r.svc.PatchUser(t.Context(), clerk(), "beta", other.ID, Patch{Email: ptr("carol@example.com")}); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, carol, "", "main"); k.Refuse != nil || k.Tenant != "main" || k.UserID != "" {
			t.Errorf("beta gave a row of the host her address: %+v", k)
		}
		if k := r.known(t, carol, "beta", ""); k.UserID != other.ID {
			t.Errorf("by a claim of beta she is its user: %+v", k)
		}
		if k := r.known(t, carol, "", "main"); k.Tenant != "main" || k.UserID != "" {
			t.Errorf("and without one she is where she was: %+v", k)
		}
		there := r.by(t, host(), "acme", NewUser{Email: "carol@example.com"})
		if k := r.known(t, person("other", "c-2", "carol@example.com"), "", "main"); k.Tenant != "acme" || k.UserID != there.ID {
			t.Errorf("the host put her into acme: %+v", k)
		}
	})
}

// Dan has no default tenant, and is whose he was first.
func TestDanIsWhereHeWasInvitedFirst(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		old := r.by(t, clerk(), "beta", NewUser{Email: "nobody@example.com"})
		r.later(t)
		u := r.by(t, clerk(), "acme", NewUser{Email: "dan@example.com"})
		r.later(t)
		if _, err := r.svc.PatchUser(t.Context(), clerk(), "beta", old.ID, Patch{Email: ptr("dan@example.com")}); err != nil {
			t.Fatal(err)
		}
		dan := person("entra", "d-1", "dan@example.com")
		for _, when := range []string{"at first", "bound"} {
			if k := r.known(t, dan, "", ""); k.Refuse != nil || k.Tenant != "acme" || k.UserID != u.ID {
				t.Errorf("%s: %+v", when, k)
			}
		}
		if err := r.svc.DeleteUser(t.Context(), host(), "acme", u.ID); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, dan, "", ""); k.Tenant != "beta" || k.UserID != old.ID {
			t.Errorf("acme let him go: %+v", k)
		}
		ci := r.by(t, clerk(), "acme", NewUser{ServiceToken: "ci.access"})
		r.later(t)
		r.by(t, clerk(), "beta", NewUser{ServiceToken: "ci.access", Disabled: true})
		if k := r.known(t, service("ci.access"), "", ""); k.Refuse != nil || k.UserID != ci.ID {
			t.Errorf("a service: %+v", k)
		}
	})
}

// Eve is bound in acme: no row that beta makes takes her away.
func TestEveStaysWhereSheIsBound(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		u := r.by(t, clerk(), "acme", NewUser{Email: "eve@example.com", Roles: []string{"viewer"}})
		eve := person("entra", "e-1", "eve@example.com")
		r.known(t, eve, "", "")
		r.later(t)
		for name, n := range map[string]NewUser{
			"for her subject": {Bound: Binding{"entra", "https://entra.example", "e-1"}},
			"for her address": {Email: "eve@example.com"},
			"disabled":        {Bound: Binding{"entra", "https://entra.example", "e-1"}, Disabled: true},
		} {
			made := r.by(t, clerk(), "beta", n)
			for _, standard := range []string{"", "acme"} {
				if k := r.known(t, eve, "", standard); k.Refuse != nil || k.Tenant != "acme" || k.UserID != u.ID {
					t.Errorf("a row %s, default %q: %+v", name, standard, k)
				}
			}
			if err := r.svc.DeleteUser(t.Context(), host(), "beta", made.ID); err != nil {
				t.Fatal(err)
			}
		}
		// The host's word goes before: it can bring her where she belongs.
		moved := r.by(t, host(), "beta", NewUser{Bound: Binding{"entra", "https://entra.example", "e-1"}})
		if k := r.known(t, eve, "", ""); k.Tenant != "beta" || k.UserID != moved.ID {
			t.Errorf("the host moved her: %+v", k)
		}
		if _, err := r.svc.User(t.Context(), "acme", u.ID); errors.Is(err, ErrNoUser) {
			t.Error(err)
		}
	})
}
