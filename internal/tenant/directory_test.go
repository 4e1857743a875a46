package tenant

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestAUserIsKnownByItsVerifiedAddressAndThenByItsIdentity(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		u := r.add(t, "acme", NewUser{Email: "Alice@Example.com", Roles: []string{"member"}})
		alice := person("entra", "a-1", "alice@EXAMPLE.com")
		k := r.known(t, alice, "", "")
		if k.Refuse != nil || k.Tenant != "acme" || k.UserID != u.ID || !slices.Equal(k.Roles, []string{"member"}) {
			t.Fatalf("the first use: %+v", k)
		}
		stored, err := r.svc.User(t.Context(), "acme", u.ID)
		if err != nil || stored.Bound != (Binding{"entra", "https://entra.example", "a-1"}) || stored.BoundAt.IsZero() {
			t.Fatalf("the row: %+v, %v", stored, err)
		}
		renamed := person("entra", "a-1", "alice.new@example.com") // the address changed at the issuer
		if k := r.known(t, renamed, "", ""); k.UserID != u.ID {
			t.Errorf("bound, with another address: %+v", k)
		}
		thief := person("firebase", "z-9", "alice@example.com")
		if k := r.known(t, thief, "", ""); refusal(k) != "identity_conflict" || k.UserID != "" {
			t.Errorf("another identity with the same address: %+v", k)
		}
		if k := r.known(t, thief, "acme", ""); refusal(k) != "identity_conflict" {
			t.Errorf("the same with a claim: %+v", k)
		}
		if !slices.Contains(r.refused, "identity_conflict") {
			t.Errorf("the conflict was not counted: %v", r.refused)
		}
		if _, err := r.svc.Relink(t.Context(), host(), "acme", u.ID); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, thief, "", ""); k.Refuse != nil || k.UserID != u.ID {
			t.Errorf("after the binding was undone: %+v", k)
		}
		if k := r.known(t, alice, "", ""); refusal(k) != "identity_conflict" {
			t.Errorf("who was bound before: %+v", k)
		}
	})
}

func TestWhoIsNotLookedUp(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.add(t, "acme", NewUser{Email: "alice@example.com", Roles: []string{"admin"}})
		unverified := person("entra", "a-1", "alice@example.com")
		unverified.EmailVerified, unverified.EmailFolded = false, ""
		nameless := person("entra", "", "alice@example.com")
		long := person("entra", string(make([]byte, 600)), "alice@example.com")
		for name, who := range map[string]*principal.Principal{"unverified": unverified, "without subject": nameless, "with an absurd subject": long} {
			for _, claim := range []string{"", "acme"} {
				k := r.known(t, who, claim, "main")
				if k.UserID != "" || len(k.Roles) != 0 || k.Refuse != nil || k.Tenant != map[string]string{"": "main", "acme": "acme"}[claim] {
					t.Errorf("%s, claim %q: %+v", name, claim, k)
				}
			}
		}
		if u, err := r.svc.FindUser(t.Context(), "acme", "ALICE@example.com"); err != nil || !u.Bound.IsZero() {
			t.Errorf("the row is bound: %+v, %v", u, err)
		}
	})
}

func TestWhoseTenantACallerIsIn(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		inBeta := r.add(t, "beta", NewUser{Email: "bob@example.com", Roles: []string{"viewer"}})
		bob := person("entra", "b-1", "bob@example.com")
		for _, c := range []struct {
			name, claim, standard, tenant, user, refused string
		}{
			{"the claim, where there is no row", "acme", "main", "acme", "", ""},
			{"the bound row before the default", "", "main", "beta", inBeta.ID, ""},
			{"the claim with its row", "beta", "", "beta", inBeta.ID, ""},
			{"a claim that names nothing", "nowhere", "main", "nowhere", "", "unknown_tenant"},
		} {
			if k := r.known(t, bob, c.claim, c.standard); refusal(k) != c.refused || k.Tenant != c.tenant || k.UserID != c.user {
				t.Errorf("%s: %+v", c.name, k)
			}
		}
		eve := person("entra", "e-1", "eve@example.com")
		if k := r.known(t, eve, "", "main"); k.Tenant != "main" || k.UserID != "" || k.Refuse != nil {
			t.Errorf("the default: %+v", k)
		}
		if k := r.known(t, eve, "", ""); k.Tenant != "" || k.Why == "" || k.Refuse != nil {
			t.Errorf("none: %+v", k)
		}
		if k := r.known(t, eve, "", "gone"); refusal(k) != "unknown_tenant" {
			t.Errorf("a default that does not exist: %+v", k)
		}
	})
}

// Two tenants with equal ids and addresses: neither shows in the other, and a
// caller who could be either is the one who was known first.
func TestTwoTenantsWithEqualUsers(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for i, in := range []string{"acme", "beta"} {
			r.add(t, in, NewUser{ID: "usr_1", CreatedAt: long.Add(time.Duration(i) * time.Hour), Email: "alice@example.com", Roles: []string{in + "-role"}})
		}
		alice := person("entra", "a-1", "alice@example.com")
		if k := r.known(t, alice, "", "main"); k.Tenant != "acme" || k.UserID != "usr_1" {
			t.Errorf("without a claim, nobody's yet: %+v", k)
		}
		for _, in := range []string{"acme", "beta"} {
			if k := r.known(t, alice, in, ""); k.UserID != "usr_1" || !slices.Equal(k.Roles, []string{in + "-role"}) {
				t.Errorf("by the claim %s: %+v", in, k)
			}
		}
		if k := r.known(t, alice, "", "main"); k.Tenant != "acme" || k.UserID != "usr_1" {
			t.Errorf("bound in both: %+v", k)
		}
		if _, err := r.svc.SetUserDisabled(t.Context(), host(), "acme", "usr_1", true); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, alice, "beta", ""); k.Refuse != nil || !slices.Equal(k.Roles, []string{"beta-role"}) {
			t.Errorf("disabled in the other tenant: %+v", k)
		}
		if k := r.known(t, alice, "acme", ""); refusal(k) != "user_disabled" {
			t.Errorf("disabled: %+v", k)
		}
		if err := r.svc.DeleteUser(t.Context(), host(), "acme", "usr_1"); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, alice, "", "main"); k.Tenant != "beta" || k.UserID != "usr_1" {
			t.Errorf("one row is left: %+v", k)
		}
	})
}

func TestWhereTheIssuerTakesNoPart(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		u := r.add(t, "main", NewUser{Email: "carol@example.com"})
		first := person("jwt", "c-1", "carol@example.com")
		first.IssuerFree, first.Issuer = true, "whatever"
		second := person("jwt", "c-1", "carol@example.com")
		second.IssuerFree, second.Issuer = true, ""
		for _, who := range []*principal.Principal{first, second} {
			if k := r.known(t, who, "", "main"); k.UserID != u.ID || k.Refuse != nil {
				t.Errorf("issuer %q: %+v", who.Issuer, k)
			}
		}
		if u, _ = r.svc.User(t.Context(), "main", u.ID); u.Bound != (Binding{Provider: "jwt", Subject: "c-1"}) {
			t.Errorf("bound to %+v", u.Bound)
		}
		strict := person("jwt", "c-1", "carol@example.com")
		if k := r.known(t, strict, "", "main"); refusal(k) != "identity_conflict" {
			t.Errorf("the same subject by an issuer that counts: %+v", k)
		}
	})
}

// A Firebase account has one row, whether its ID token comes or its session cookie.
func TestOneAccountOfSeveralIssuersIsOneUser(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		u := r.add(t, "acme", NewUser{Email: "fay@example.com", Roles: []string{"viewer"}})
		token, cookie := person("firebase", "f-1", "fay@example.com"), person("firebase", "f-1", "fay@example.com")
		token.Issuer, cookie.Issuer = "https://securetoken.google.com/p", "https://session.firebase.google.com/p"
		token.Realm, cookie.Realm = token.Issuer, token.Issuer
		for _, who := range []*principal.Principal{cookie, token} {
			if k := r.known(t, who, "", ""); k.Refuse != nil || k.UserID != u.ID {
				t.Errorf("%s: %+v", who.Issuer, k)
			}
		}
		if got, err := r.svc.User(t.Context(), "acme", u.ID); err != nil || got.Bound.Issuer != token.Issuer {
			t.Errorf("bound to %+v, %v", got.Bound, err)
		}
	})
}

func TestAServiceIsKnownByItsClientID(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		u := r.add(t, "acme", NewUser{ServiceToken: "ci.access", Roles: []string{"viewer"}})
		if k := r.known(t, service("ci.access"), "", ""); k.Tenant != "acme" || k.UserID != u.ID || !slices.Equal(k.Roles, []string{"viewer"}) {
			t.Errorf("found: %+v", k)
		}
		if k := r.known(t, service("other.access"), "", ""); k.Tenant != "" || k.UserID != "" {
			t.Errorf("another: %+v", k)
		}
		if k := r.known(t, service(""), "", ""); k.UserID != "" {
			t.Errorf("a service without a name: %+v", k)
		}
		r.add(t, "beta", NewUser{ServiceToken: "ci.access", CreatedAt: time.Now().Add(time.Hour)})
		if k := r.known(t, service("ci.access"), "", ""); k.Tenant != "acme" || k.UserID != u.ID {
			t.Errorf("in two tenants: %+v", k)
		}
	})
}

func TestSixteenFirstUsesBindOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		u := r.add(t, "acme", NewUser{Email: "alice@example.com"})
		var mu sync.Mutex
		outcomes := map[string]int{}
		storetest.Callers(t, 16, func(i int) error {
			k, f := ask(r.dir, person("entra", fmt.Sprintf("a-%d", i%4), "alice@example.com"), map[bool]string{true: "acme"}[i%2 == 0], "")
			if f != nil {
				return f
			}
			mu.Lock()
			defer mu.Unlock()
			outcomes[refusal(k)]++
			if k.Refuse == nil && k.UserID != u.ID {
				return fmt.Errorf("known as %+v", k)
			}
			return nil
		})
		if outcomes[""] != 4 || outcomes["identity_conflict"] != 12 {
			t.Errorf("outcomes %v; want the four of one identity in, the others refused", outcomes)
		}
		if n := events(t, r, "acme", "user.bound"); n != 1 {
			t.Errorf("%d events of a binding", n)
		}
	})
}

func TestTenantsMadeByClaimsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		d := r.dir.With(AutoCreate{On: true, Max: 3})
		if k, f := ask(r.dir, person("jwt", "x", ""), "new-0", ""); f != nil || refusal(k) != "unknown_tenant" {
			t.Errorf("where claims make none: %+v, %v", k, f)
		}
		var mu sync.Mutex
		made := map[string]bool{}
		storetest.Callers(t, 16, func(i int) error {
			id := fmt.Sprintf("new-%d", i%8)
			k, f := ask(d, person("jwt", fmt.Sprint(i), ""), id, "")
			if f != nil && f.Code != "unknown_tenant" {
				return f
			}
			mu.Lock()
			defer mu.Unlock()
			if f == nil {
				if k.Refuse != nil || k.Tenant != id || k.UserID != "" {
					return fmt.Errorf("known as %+v", k)
				}
				made[id] = true
			}
			return nil
		})
		n := 0
		list, _, err := r.svc.Tenants(t.Context(), page(100))
		for _, one := range list {
			if one.Auto {
				n++
			}
		}
		if err != nil || n != 3 || len(made) != 3 {
			t.Errorf("%d made by claims, %d of them used: %v", n, len(made), err)
		}
		for _, bad := range []string{"Upper", "has_underscore", "-x"} {
			if k, f := ask(d.With(AutoCreate{On: true}), person("jwt", "x", ""), bad, ""); f != nil || refusal(k) != "unknown_tenant" {
				t.Errorf("%q: %+v, %v", bad, k, f)
			}
		}
		if err := r.svc.Delete(t.Context(), host(), "beta"); err != nil {
			t.Fatal(err)
		}
		if k, f := ask(d.With(AutoCreate{On: true}), person("jwt", "x", ""), "beta", ""); f != nil || refusal(k) != "unknown_tenant" {
			t.Errorf("a tenant that is gone came back: %+v, %v", k, f)
		}
	})
}

func TestNoMoreThanTenTenantsAMinuteByClaims(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		d := r.dir.With(AutoCreate{On: true})
		var mu sync.Mutex
		made, late := 0, 0
		storetest.Callers(t, 16, func(i int) error {
			k, f := ask(d, person("jwt", "x", ""), fmt.Sprintf("new-%d", i), "")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case f == nil && k.Refuse == nil:
				made++
			case f != nil && f.Kind == fault.Unavailable && f.RetryAfter > 0:
				late++
			default:
				return fmt.Errorf("%+v, %w", k, f)
			}
			return nil
		})
		if made != 10 || late != 6 {
			t.Errorf("%d made, %d told to come again", made, late)
		}
	})
}

func TestKeysAreKnownByWhatIsStoredNow(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		u := r.add(t, "acme", NewUser{Email: "alice@example.com", Roles: []string{"admin"}})
		key := &principal.Principal{Kind: principal.Service, ProviderKind: "apiKey", Provider: "apiKey", Subject: "key:k1", Tenant: "acme", TrustTenant: true, CredentialID: "k1", SecretDigest: "d"}
		if k := r.known(t, key, "acme", ""); refusal(k) != "key_revoked" {
			t.Fatalf("unknown: %+v", k)
		}
		ends := time.Now().Add(time.Hour)
		r.keys.set(t, r.db, "acme", "k1", KeyFacts{Grant: &policy.KeyGrant{ID: "k1", Scopes: []string{"*"}, CreatorClaimed: []string{"ops"}}, Expires: ends, CreatorUserID: u.ID})
		k := r.known(t, key, "acme", "")
		if k.Refuse != nil || k.Tenant != "acme" || k.Key == nil || !slices.Equal(k.Key.CreatorRoles, []string{"admin"}) || !slices.Equal(k.Key.CreatorClaimed, []string{"ops"}) || !k.Expires.Equal(ends) {
			t.Fatalf("known: %+v %+v", k, k.Key)
		}
		if _, err := r.svc.PatchUser(t.Context(), host(), "acme", u.ID, Patch{Roles: &[]string{"viewer"}}); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, key, "acme", ""); !slices.Equal(k.Key.CreatorRoles, []string{"viewer"}) {
			t.Errorf("its creator has less now: %+v", k.Key)
		}
		if _, err := r.svc.SetUserDisabled(t.Context(), host(), "acme", u.ID, true); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, key, "acme", ""); len(k.Key.CreatorRoles)+len(k.Key.CreatorClaimed) != 0 {
			t.Errorf("its creator is disabled: %+v", k.Key)
		}
		if err := r.svc.DeleteUser(t.Context(), host(), "acme", u.ID); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, key, "acme", ""); len(k.Key.CreatorRoles)+len(k.Key.CreatorClaimed) != 0 {
			t.Errorf("its creator is gone: %+v", k.Key)
		}
		stranger := Binding{"jwt", "", "s-1"}
		r.keys.set(t, r.db, "acme", "k1", KeyFacts{Grant: &policy.KeyGrant{ID: "k1", CreatorClaimed: []string{"ops"}}, Creator: stranger})
		if k := r.known(t, key, "acme", ""); !slices.Equal(k.Key.CreatorClaimed, []string{"ops"}) {
			t.Errorf("made by somebody without a row: %+v", k.Key)
		}
		r.add(t, "acme", NewUser{Bound: stranger, Disabled: true})
		if k := r.known(t, key, "acme", ""); len(k.Key.CreatorClaimed) != 0 {
			t.Errorf("who has one now, and it is disabled: %+v", k.Key)
		}
		if err := r.svc.SetDisabled(t.Context(), host(), "acme", true); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, key, "acme", ""); refusal(k) != "tenant_disabled" {
			t.Errorf("in a disabled tenant: %+v", k)
		}
	})
}

// Somebody without a row makes a key by what its token claims, and then gets a row
// that is disabled: the key stops with it, once it is known whose the row is.
func TestADisabledAddressStopsItsKeys(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		mia := person("jwt", "m-1", "mia@example.com")
		key := &principal.Principal{Kind: principal.Service, ProviderKind: "apiKey", Provider: "apiKey", Subject: "key:k1", Tenant: "acme", TrustTenant: true, CredentialID: "k1", SecretDigest: "d"}
		r.keys.set(t, r.db, "acme", "k1", KeyFacts{Grant: &policy.KeyGrant{ID: "k1", CreatorClaimed: []string{"ops"}}, Creator: Binding{"jwt", mia.Issuer, "m-1"}})
		if k := r.known(t, key, "acme", ""); !slices.Equal(k.Key.CreatorClaimed, []string{"ops"}) {
			t.Fatalf("made by somebody without a row: %+v", k.Key)
		}
		u := r.add(t, "acme", NewUser{Email: "mia@example.com", Disabled: true})
		if k := r.known(t, mia, "acme", ""); refusal(k) != "user_disabled" || k.UserID != u.ID {
			t.Errorf("herself: %+v", k)
		}
		if k := r.known(t, key, "acme", ""); len(k.Key.CreatorClaimed) != 0 {
			t.Errorf("her key: %+v", k.Key)
		}
	})
}

func TestATenantsRolesAndLimitAreShared(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.defs.defs = []policy.RoleDef{{Name: "editor", Permissions: []string{"docs:write"}}}
		a, b := person("entra", "1", ""), person("entra", "2", "")
		first, second := r.known(t, a, "acme", ""), r.known(t, b, "acme", "")
		if first.TenantRoles == nil || first.TenantRoles != second.TenantRoles || r.defs.read != 1 {
			t.Errorf("read %d times", r.defs.read)
		}
		if err := r.svc.SetRateLimit(t.Context(), host(), "acme", &limit.RuleConfig{WindowMs: 1000, Max: 5}); err != nil {
			t.Fatal(err)
		}
		if k := r.known(t, a, "acme", ""); k.TenantLimit == nil || k.TenantLimit.Max != 5 || r.defs.read != 1 {
			t.Errorf("the tenant's limit: %+v, read %d times", k.TenantLimit, r.defs.read)
		}
		if k := r.known(t, a, "beta", ""); k.TenantLimit != nil {
			t.Errorf("another tenant's: %+v", k.TenantLimit)
		}
	})
}

func TestAStaleNodeSaysNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), "main")
	who := person("entra", "1", "")
	r.known(t, who, "", "main")
	_, job, f := r.dir.Find(policy.DirectoryAsk{Who: who, Default: "main", Now: time.Now().Add(2 * time.Minute)})
	if f == nil || f.Kind != fault.Unavailable || f.Code != "store_unavailable" || f.RetryAfter == 0 || job != nil {
		t.Errorf("%v, %v", job, f)
	}
	if k, job, f := r.dir.Find(policy.DirectoryAsk{Who: principal.Nobody(), Now: time.Now().Add(2 * time.Minute)}); k == nil || job != nil || f != nil {
		t.Errorf("nobody needs stored facts: %v, %v, %v", k, job, f)
	}
	r.keys.err = fmt.Errorf("sql: broken")
	key := &principal.Principal{Kind: principal.Service, ProviderKind: "apiKey", Tenant: "main", CredentialID: "k1"}
	if _, f := ask(r.dir, key, "main", ""); f == nil || f.Kind != fault.Unavailable {
		t.Errorf("a failure to read: %v", f)
	}
}

// events counts the audit events of an action.
func events(t *testing.T, r *rig, tenant, action string) (n int) {
	t.Helper()
	if err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.Row(`SELECT COUNT(*) FROM audit_events WHERE tenant_id = $1 AND action = $2`, tenant, action).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
