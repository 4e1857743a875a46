package tenant

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func page(limit int) input.Page { return input.Page{Limit: limit} }

func TestTenantsComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for _, bad := range []string{"", "Upper", "-x", "a_b", strings.Repeat("a", 64), "a b"} {
			if _, err := r.svc.Create(t.Context(), host(), NewTenant{ID: bad}); fault.From(err).Kind != fault.BadRequest {
				t.Errorf("%q: %v", bad, err)
			}
		}
		kept := "3F2504E0-4F89-11D3-9A0C-0305E82C3301"
		if _, err := r.svc.Create(t.Context(), host(), NewTenant{ID: kept, Name: "Imported", Kept: true}); err != nil {
			t.Errorf("an id that is kept: %v", err)
		}
		if err := r.svc.Ensure(t.Context(), "main", "acme", "acme", kept); err != nil {
			t.Errorf("what is there already: %v", err)
		}
		u := r.add(t, "beta", NewUser{Email: "alice@example.com", Roles: []string{"admin"}})
		alice := person("entra", "a-1", "alice@example.com")
		if k := r.known(t, alice, "", "main"); k.UserID != u.ID {
			t.Fatalf("known as %+v", k)
		}
		list, total, err := r.svc.Tenants(t.Context(), page(2))
		if err != nil || len(list) != 2 || total != 4 {
			t.Errorf("%d of %d, %v", len(list), total, err)
		}
		if err := r.svc.Delete(t.Context(), host(), "beta"); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, alice, "", "main"); k.Tenant != "main" || k.UserID != "" {
			t.Errorf("after its tenant was deleted: %+v", k)
		}
		if k := r.known(t, alice, "beta", ""); refusal(k) != "unknown_tenant" {
			t.Errorf("with a claim of it: %+v", k)
		}
		for name, err := range map[string]error{
			"created anew":      second(r.svc.Create(t.Context(), host(), NewTenant{ID: "beta"})),
			"named by the file": r.svc.Ensure(t.Context(), "beta"),
		} {
			if !errors.Is(err, ErrTenantTaken) {
				t.Errorf("an id that was somebody's, %s: %v", name, err)
			}
		}
		if err := r.svc.Delete(t.Context(), host(), "main"); !errors.Is(err, ErrTenantKept) {
			t.Errorf("a tenant of the file: %v", err)
		}
		if err := r.svc.Delete(t.Context(), host(), "beta"); !errors.Is(err, ErrNoTenant) {
			t.Errorf("deleted twice: %v", err)
		}
		if n := rowsOf(t, r, "users", "beta") + rowsOf(t, r, "user_roles", "beta"); n != 0 {
			t.Errorf("%d rows of it are left", n)
		}
		if events(t, r, "beta", "tenant.created") != 1 || events(t, r, "beta", "tenant.deleted") != 1 {
			t.Error("the audit trail of a tenant does not outlive it")
		}
	})
}

func TestSixteenMakeOneTenant(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var made atomic.Int32
		storetest.Callers(t, 16, func(i int) error {
			if i%2 == 0 {
				return r.svc.Ensure(t.Context(), "fresh", "main")
			}
			_, err := r.svc.Create(t.Context(), host(), NewTenant{ID: "new"})
			if err == nil {
				made.Add(1)
			} else if !errors.Is(err, ErrTenantTaken) {
				return err
			}
			return nil
		})
		if made.Load() != 1 || events(t, r, "fresh", "tenant.created") != 1 {
			t.Errorf("made %d times", made.Load())
		}
	})
}

func TestUsersAreAddedOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var made atomic.Int32
		storetest.Callers(t, 16, func(i int) error {
			_, err := r.svc.AddUser(t.Context(), host(), "acme", NewUser{Email: []string{"a@Example.com", "A@example.com"}[i%2]})
			if err == nil {
				made.Add(1)
			} else if !errors.Is(err, ErrEmailTaken) {
				return err
			}
			return nil
		})
		if made.Load() != 1 {
			t.Errorf("made %d times", made.Load())
		}
		r.add(t, "acme", NewUser{ID: "u1", ServiceToken: "ci"})
		r.add(t, "acme", NewUser{Bound: Binding{"jwt", "", "s"}})
		for name, c := range map[string]struct {
			n    NewUser
			want string
		}{
			"the service token":     {NewUser{ServiceToken: "ci"}, "service_taken"},
			"the identity":          {NewUser{Bound: Binding{"jwt", "", "s"}}, "identity_taken"},
			"the id":                {NewUser{ID: "u1", Email: "n@example.com"}, "id_taken"},
			"nothing to be by":      {NewUser{Name: "x"}, "validation_failed"},
			"two things to be by":   {NewUser{Email: "n@example.com", ServiceToken: "x"}, "validation_failed"},
			"no address":            {NewUser{Email: "a@b@c"}, "validation_failed"},
			"two lines":             {NewUser{Email: "n@example.com", Name: "a\nb"}, "validation_failed"},
			"a NUL":                 {NewUser{Bound: Binding{"jwt", "", "a\x00"}}, "validation_failed"},
			"an identity of nobody": {NewUser{Bound: Binding{Provider: "jwt"}}, "validation_failed"},
		} {
			if _, err := r.svc.AddUser(t.Context(), host(), "acme", c.n); code(err) != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := r.svc.DeleteUser(t.Context(), host(), "acme", "u1"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.svc.AddUser(t.Context(), host(), "acme", NewUser{ID: "u1", ServiceToken: "ci"}); !errors.Is(err, ErrIDTaken) {
			t.Errorf("an id that was somebody's: %v", err)
		}
		if _, err := r.svc.AddUser(t.Context(), host(), "nowhere", NewUser{Email: "n@example.com"}); !errors.Is(err, ErrNoTenant) {
			t.Errorf("in no tenant: %v", err)
		}
	})
}

func TestNobodyGivesRolesAwayByTheBackDoor(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		boss := r.add(t, "acme", NewUser{Email: "boss@example.com", Roles: []string{"admin"}})
		plain := r.add(t, "acme", NewUser{Email: "plain@example.com"})
		off := r.add(t, "acme", NewUser{Email: "off@example.com", Roles: []string{"admin"}, Disabled: true})
		denied := errors.New("denied")
		clerk := By{Grants: grantsFunc(func(before, after []string) error {
			if slices.Contains(after, "admin") && !slices.Contains(before, "admin") {
				return denied
			}
			return nil
		})}
		text, yes, no := "clerk@example.com", true, false
		admin := []string{"admin"}
		for name, c := range map[string]struct {
			id string
			p  Patch
		}{
			"assigns it":                      {plain.ID, Patch{Roles: &admin}},
			"takes over the address":          {boss.ID, Patch{Email: &text}},
			"enables again":                   {off.ID, Patch{Disabled: &no}},
			"makes a service of it":           {boss.ID, Patch{Email: new(string), ServiceToken: &text}},
			"disables and takes over at once": {boss.ID, Patch{Disabled: &yes, Email: &text}},
		} {
			if _, err := r.svc.PatchUser(t.Context(), clerk, "acme", c.id, c.p); !errors.Is(err, denied) {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := r.svc.PatchUser(t.Context(), By{}, "acme", c.id, c.p); code(err) != "grants_nothing" {
				t.Errorf("%s, without any right to grant: %v", name, err)
			}
		}
		r.known(t, person("entra", "b", "boss@example.com"), "acme", "")
		if _, err := r.svc.Relink(t.Context(), clerk, "acme", boss.ID); !errors.Is(err, denied) {
			t.Errorf("undoes the binding: %v", err)
		}
		if _, err := r.svc.AddUser(t.Context(), clerk, "acme", NewUser{Email: text, Roles: admin}); !errors.Is(err, denied) {
			t.Errorf("adds one: %v", err)
		}
		for name, c := range map[string]struct {
			id string
			p  Patch
		}{
			"another spelling": {boss.ID, Patch{Email: ptr("Boss@Example.com")}},
			"a name":           {boss.ID, Patch{Name: ptr("The Boss")}},
			"an address":       {plain.ID, Patch{Email: ptr("plainer@example.com")}},
			"disabling":        {boss.ID, Patch{Disabled: &yes}},
		} {
			if _, err := r.svc.PatchUser(t.Context(), clerk, "acme", c.id, c.p); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := r.svc.PatchUser(t.Context(), host(), "beta", boss.ID, Patch{Name: &text}); !errors.Is(err, ErrNoUser) {
			t.Errorf("from another tenant: %v", err)
		}
	})
}

func TestSixteenChangesOfOneUserAllCount(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		u := r.add(t, "acme", NewUser{Email: "a@example.com"})
		storetest.Callers(t, 16, func(i int) error {
			return r.db.Tx(t.Context(), func(tx *store.Tx) error {
				if err := Turn(tx, "acme"); err != nil {
					return err
				}
				was, err := UserByID(tx, "acme", u.ID)
				if err != nil {
					return err
				}
				_, err = r.svc.SetRolesIn(tx, host(), "acme", u.ID, append(was.Roles, fmt.Sprintf("r%02d", i)))
				return err
			})
		})
		u, err := r.svc.User(t.Context(), "acme", u.ID)
		if err != nil || len(u.Roles) != 16 || events(t, r, "acme", "role.assigned") != 16 {
			t.Errorf("%v, %v", u.Roles, err)
		}
	})
}

func TestATenantsLimitIsHeldToBounds(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for _, bad := range []limit.RuleConfig{{}, {WindowMs: 1000}, {WindowMs: -1, Max: 1}, {WindowMs: 1 << 40, Max: 1}, {WindowMs: 1000, Max: 1, By: "ip"}} {
			if err := r.svc.SetRateLimit(t.Context(), host(), "acme", &bad); fault.From(err).Kind != fault.BadRequest {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		if err := r.svc.SetRateLimit(t.Context(), host(), "acme", &limit.RuleConfig{WindowMs: 1000, Max: 7}); err != nil {
			t.Fatal(err)
		}
		if one, err := r.svc.Tenant(t.Context(), "acme"); err != nil || one.Settings.RateLimit.Max != 7 {
			t.Errorf("%+v, %v", one, err)
		}
		if err := r.svc.SetRateLimit(t.Context(), host(), "acme", nil); err != nil {
			t.Fatal(err)
		}
		if one, _ := r.svc.Tenant(t.Context(), "acme"); one.Settings.RateLimit != nil {
			t.Errorf("removed: %+v", one)
		}
	})
}

func TestAnExportIsOneTenantWhole(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.add(t, "acme", NewUser{Email: "a@example.com", Roles: []string{"viewer"}})
		r.add(t, "beta", NewUser{Email: "b@example.com"})
		out, err := r.svc.Export(t.Context(), host(), "acme", part{})
		if err != nil || out.Tenant.ID != "acme" || len(out.Users) != 1 || out.Users[0].Email != "a@example.com" || out.Parts["things"] != "of acme" {
			t.Errorf("%+v, %v", out, err)
		}
		if events(t, r, "acme", "tenant.exported") != 1 {
			t.Error("an export leaves no event")
		}
	})
}

type part struct{}

func (part) Export(_ *store.Tx, tenant string) (string, any, error) {
	return "things", "of " + tenant, nil
}

func ptr[T any](v T) *T { return &v }

func second[T any](_ T, err error) error { return err }

func rowsOf(t *testing.T, r *rig, table, tenant string) (n int) {
	t.Helper()
	if err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.Row(`SELECT COUNT(*) FROM `+table+` WHERE tenant_id = $1`, tenant).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
