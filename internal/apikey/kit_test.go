package apikey

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// kit is a store with two tenants, a and b, and a clock.
type kit struct {
	t  *testing.T
	db *store.DB
	s  *Service
	at atomic.Int64
}

func (k *kit) now() time.Time          { return time.UnixMilli(k.at.Load()).UTC() }
func (k *kit) advance(d time.Duration) { k.at.Add(d.Milliseconds()) }

// both runs fn on either engine.
func both(t *testing.T, fn func(t *testing.T, k *kit)) {
	t.Helper()
	t.Parallel()
	for _, engine := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLiteURL}, {"postgres", storetest.PostgresURL}} {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			fn(t, newKit(t, engine.url(t)))
		})
	}
}

func newKit(t *testing.T, url string) *kit {
	t.Helper()
	k := &kit{t: t}
	k.at.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).UnixMilli())
	db, err := store.Open(t.Context(), store.Options{URL: url, Now: k.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	k.db = db
	k.s = k.service("test")
	k.tx(func(tx *store.Tx) error {
		for _, id := range []string{"a", "b"} {
			if _, err := tx.Exec(`INSERT INTO tenants (id, name, created_at, updated_at) VALUES ($1, $1, 0, 0)`, id); err != nil {
				return err
			}
		}
		return nil
	})
	return k
}

func (k *kit) service(env string) *Service {
	return New(Deps{DB: k.db, Audit: audittest.New(k.t, k.db), Rights: holder{}, Env: env, Now: k.now})
}

func (k *kit) tx(fn func(tx *store.Tx) error) {
	k.t.Helper()
	if err := k.db.Tx(k.t.Context(), fn); err != nil {
		k.t.Fatal(err)
	}
}

// count is the answer to a query for one number.
func (k *kit) count(query string, args ...any) (n int64) {
	k.t.Helper()
	k.tx(func(tx *store.Tx) error { return tx.Row(query, args...).Scan(&n) })
	return n
}

// holder is the grant rule for standings that are not stored: what the caller
// held when it was let in.
type holder struct{}

func (holder) MayGrant(_ *store.Tx, by *policy.Standing, _ string, before, after []string) error {
	if missing := by.HoldsAll(policy.GainedScopes(before, after)); len(missing) > 0 {
		return fault.New(fault.Forbidden, "grants_more", "")
	}
	return nil
}

func (holder) Lacks(_ *store.Tx, tenant string, g *policy.KeyGrant) ([]string, error) {
	s := book().Stand(&principal.Principal{Kind: principal.Service, ProviderKind: "apiKey", Provider: "apiKey"}, nil, &policy.Known{Tenant: tenant, Key: g})
	return policy.GainedScopes(s.Permissions(), g.Scopes), nil
}

func book() *policy.Book {
	return policy.NewBook(&policy.RBACConfig{Roles: []policy.RoleConfig{
		{Name: "editor", Permissions: []string{"docs:*", "apikeys:read", "apikeys:write"}},
		{Name: "keeper", Permissions: []string{"apikeys:read", "apikeys:write"}},
	}}, nil)
}

// person is a caller of tenant a with a role that its token claims.
func person(name string, roles ...string) By {
	p := &principal.Principal{
		Kind: principal.User, Provider: "jwt", ProviderKind: "jwt", Subject: name, Issuer: "somebody", IssuerFree: true,
		Tenant: "a", TrustTenant: true, TrustRoles: true, Roles: roles,
	}
	s := book().Stand(p, nil, nil)
	return By{Actor: audit.Actor{Kind: audit.User, Provider: "jwt", ID: name, IP: netip.MustParseAddr("192.0.2.7")}, Standing: &s, Request: "req-1"}
}

func host() By { return By{Actor: audit.Actor{Kind: audit.Host, ID: "root"}, Host: true} }

// asKey is a key as a caller, as the directory would know it now.
func (k *kit) asKey(token string) By {
	k.t.Helper()
	who, err := k.s.Verify(k.t.Context(), token)
	if err != nil {
		k.t.Fatal(err)
	}
	facts := k.facts(who)
	if facts.Refuse != nil {
		k.t.Fatal(facts.Refuse)
	}
	s := book().Stand(who, nil, &policy.Known{Tenant: who.Tenant, Key: facts.Grant})
	return By{Actor: audit.Actor{Kind: audit.Service, ID: who.Subject}, Standing: &s}
}

func set[T any](v T) input.Optional[T] { return input.Optional[T]{Set: true, Value: v} }

func draft(scopes ...string) Draft { return Draft{Name: set("a key"), Scopes: set(scopes)} }

func (k *kit) create(by By, d Draft) Made {
	k.t.Helper()
	m, err := k.s.Create(k.t.Context(), by, "a", d)
	if err != nil {
		k.t.Fatal(err)
	}
	return m
}

// use is what a decision about a request with this token comes to: nil, or why
// it is refused.
func (k *kit) use(token string) error {
	who, err := k.s.Verify(k.t.Context(), token)
	if err != nil {
		return err
	}
	return k.stillGood(who)
}

// stillGood is the same for a principal that is remembered.
func (k *kit) stillGood(who *principal.Principal) error {
	if f := k.facts(who).Refuse; f != nil {
		return f
	}
	return nil
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func wantCode(t *testing.T, what string, err error, kind fault.Kind, field string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind {
		t.Errorf("%s: %v, want a %s", what, err, kind)
		return
	}
	if field != "" && (len(f.Details) == 0 || f.Details[0].Field != field) {
		t.Errorf("%s: details %v, want %s first", what, f.Details, field)
	}
}
