package apikey

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestRotationHonoursItsGrace(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		first := k.create(host(), draft("docs:read"))
		token1 := first.Token.Reveal()
		remembered, err := k.s.Verify(t.Context(), token1)
		if err != nil {
			t.Fatal(err)
		}
		second, err := k.s.Rotate(t.Context(), host(), "a", first.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if second.ID != first.ID || second.Prefix == first.Prefix || !second.PreviousExpiresAt.Equal(k.now().Add(time.Hour)) {
			t.Errorf("%+v", second)
		}
		wantErr(t, "the one before, in its grace", k.use(token1), nil)
		wantErr(t, "the new one", k.use(second.Token.Reveal()), nil)
		if f := k.facts(remembered); !f.Expires.Equal(k.now().Add(time.Hour)) {
			t.Errorf("the one before ends %s", f.Expires)
		}
		k.advance(time.Hour - time.Millisecond)
		wantErr(t, "the last moment", k.use(token1), nil)
		k.advance(time.Millisecond)
		wantErr(t, "after the grace", k.use(token1), ErrExpired)
		wantErr(t, "remembered, after the grace", k.stillGood(remembered), ErrExpired)
		wantErr(t, "the new one", k.use(second.Token.Reveal()), nil)
	})
}

func TestAFurtherRotationEndsTheOneBeforeAtOnce(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		first := k.create(host(), draft("docs:read"))
		remembered, err := k.s.Verify(t.Context(), first.Token.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		second, err := k.s.Rotate(t.Context(), host(), "a", first.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		third, err := k.s.Rotate(t.Context(), host(), "a", first.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		wantErr(t, "the first", k.use(first.Token.Reveal()), ErrUnknown)
		wantErr(t, "the first, remembered", k.stillGood(remembered), ErrRevoked)
		wantErr(t, "the second", k.use(second.Token.Reveal()), nil)
		wantErr(t, "the third", k.use(third.Token.Reveal()), nil)
		fourth, err := k.s.Rotate(t.Context(), host(), "a", first.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []Made{second, third} {
			wantErr(t, "without grace", k.use(m.Token.Reveal()), ErrUnknown)
		}
		wantErr(t, "the fourth", k.use(fourth.Token.Reveal()), nil)
	})
}

func TestRevocationEndsEverySecret(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		first := k.create(host(), draft("docs:read"))
		second, err := k.s.Rotate(t.Context(), host(), "a", first.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		who, err := k.s.Verify(t.Context(), second.Token.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if err := k.s.Revoke(t.Context(), host(), "a", first.ID); err != nil {
			t.Fatal(err)
		}
		for _, m := range []Made{first, second} {
			wantErr(t, "a secret of it", k.use(m.Token.Reveal()), ErrUnknown)
		}
		wantErr(t, "remembered", k.stillGood(who), ErrRevoked)
		// It is gone for every rule, and its id is not given again.
		_, err = k.s.Get(t.Context(), "a", first.ID)
		wantErr(t, "get", err, ErrNoKey)
		_, err = k.s.Rotate(t.Context(), host(), "a", first.ID, 0)
		wantErr(t, "rotate", err, ErrNoKey)
		_, err = k.s.Change(t.Context(), host(), "a", first.ID, Draft{Enabled: set(true)})
		wantErr(t, "enable", err, ErrNoKey)
		wantErr(t, "revoke", k.s.Revoke(t.Context(), host(), "a", first.ID), ErrNoKey)
		for revoked, want := range map[bool]int{false: 0, true: 1} {
			page, total, err := k.s.List(t.Context(), "a", revoked, 20, 0)
			if err != nil || total != want || len(page) != want {
				t.Errorf("revoked %v: %d of %d, %v", revoked, len(page), total, err)
			}
		}
	})
}

func TestDisabledAndExpiredKeysRefuse(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		d := draft("docs:read")
		d.ExpiresAt = set(k.now().Add(time.Hour).Format(time.RFC3339))
		m := k.create(host(), d)
		token := m.Token.Reveal()
		for _, off := range []Draft{{Disabled: set(true)}, {Enabled: set(false)}} {
			if _, err := k.s.Change(t.Context(), host(), "a", m.ID, off); err != nil {
				t.Fatal(err)
			}
			wantErr(t, "disabled", k.use(token), ErrDisabled)
			if _, err := k.s.Change(t.Context(), host(), "a", m.ID, Draft{Enabled: set(true)}); err != nil {
				t.Fatal(err)
			}
			wantErr(t, "enabled", k.use(token), nil)
		}
		// A rotation never outlives the key itself.
		r, err := k.s.Rotate(t.Context(), host(), "a", m.ID, 2*time.Hour)
		if err != nil || !r.PreviousExpiresAt.Equal(k.now().Add(time.Hour)) {
			t.Errorf("%s, %v", r.PreviousExpiresAt, err)
		}
		k.advance(time.Hour)
		wantErr(t, "expired", k.use(r.Token.Reveal()), ErrExpired)
		_, err = k.s.Rotate(t.Context(), host(), "a", m.ID, 0)
		wantErr(t, "rotate", err, ErrKeyEnded)
		if _, err := k.s.Change(t.Context(), host(), "a", m.ID, Draft{ExpiresAt: input.Optional[string]{Set: true, Null: true}}); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "given more time", k.use(r.Token.Reveal()), nil)
	})
}

func TestNobodyGivesAKeyWhatTheyDoNotHold(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		ann := person("ann", "editor") // docs:*, apikeys
		for _, scopes := range [][]string{{"*"}, {"*:*"}, {"*:read"}, {"users:read"}, {"docs:read", "mail:send"}} {
			_, err := k.s.Create(t.Context(), ann, "a", draft(scopes...))
			wantCode(t, "create", err, fault.Forbidden, "")
		}
		own := k.create(ann, draft("docs:read"))
		root := k.create(person("root", "admin"), draft("*"))
		change := func(id string, d Draft) error {
			_, err := k.s.Change(t.Context(), ann, "a", id, d)
			return err
		}
		wantErr(t, "a scope of hers more", change(own.ID, draft("docs:*")), nil)
		wantCode(t, "a scope that is not hers", change(own.ID, draft("docs:*", "mail:send")), fault.Forbidden, "")
		wantErr(t, "another's name", change(root.ID, Draft{Name: set("renamed")}), nil)
		wantErr(t, "another's scopes, fewer", change(root.ID, draft("docs:read", "mail:send")), nil)
		wantErr(t, "disabling another's", change(root.ID, Draft{Disabled: set(true)}), nil)
		wantCode(t, "enabling another's", change(root.ID, Draft{Disabled: set(false)}), fault.Forbidden, "")
		_, err := k.s.Rotate(t.Context(), ann, "a", root.ID, 0)
		wantCode(t, "rotating another's, which tells her the key", err, fault.Forbidden, "")
		wantErr(t, "ending another's", k.s.Revoke(t.Context(), ann, "a", root.ID), nil)
		_, err = k.s.Create(t.Context(), By{}, "a", draft("docs:read"))
		wantCode(t, "nobody", err, fault.Forbidden, "")
		if n := k.count(`SELECT COUNT(*) FROM api_keys WHERE tenant_id = 'a'`); n != 2 {
			t.Errorf("%d keys; refusals left something behind", n)
		}
	})
}

func TestWhatBoundsAKeyIsItsMaker(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(person("ann", "editor"), draft("docs:read"))
		who, err := k.s.Verify(t.Context(), m.Token.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		f := k.facts(who)
		if f.Grant.ByHost || f.Creator.Subject != "ann" || f.Creator.Provider != "jwt" || f.Creator.Issuer != "" || cmp.Diff([]string{"editor"}, f.Grant.CreatorClaimed) != "" {
			t.Errorf("%+v, %+v", f, f.Grant)
		}
		// Somebody else's change says nothing of what its maker holds; her own does.
		if _, err := k.s.Change(t.Context(), person("bob", "admin"), "a", m.ID, Draft{Name: set("x")}); err != nil {
			t.Fatal(err)
		}
		if f := k.facts(who); cmp.Diff([]string{"editor"}, f.Grant.CreatorClaimed) != "" {
			t.Errorf("claimed %v", f.Grant.CreatorClaimed)
		}
		if _, err := k.s.Change(t.Context(), person("ann", "keeper"), "a", m.ID, Draft{Name: set("y")}); err != nil {
			t.Fatal(err)
		}
		if f := k.facts(who); cmp.Diff([]string{"keeper"}, f.Grant.CreatorClaimed) != "" {
			t.Errorf("claimed %v", f.Grant.CreatorClaimed)
		}
	})
}

func TestKeysMadeByKeys(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		top := k.create(person("ann", "editor"), draft("docs:*", "apikeys:write"))
		child := k.create(k.asKey(top.Token.Reveal()), draft("docs:read", "docs:write"))
		if child.Parent != top.ID || child.Creator.Bound.Subject != "ann" {
			t.Errorf("%+v", child.Key)
		}
		_, err := k.s.Create(t.Context(), k.asKey(top.Token.Reveal()), "a", draft("mail:send"))
		wantCode(t, "more than its parent", err, fault.Forbidden, "")

		token := child.Token.Reveal()
		who, err := k.s.Verify(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		change := func(d Draft) {
			t.Helper()
			before := k.count(`SELECT COUNT(*) FROM changes WHERE tenant_id = 'a' AND kind = 'key' AND entity_id = $1`, child.ID)
			if _, err := k.s.Change(t.Context(), host(), "a", top.ID, d); err != nil {
				t.Fatal(err)
			}
			if k.count(`SELECT COUNT(*) FROM changes WHERE tenant_id = 'a' AND kind = 'key' AND entity_id = $1`, child.ID) == before {
				t.Error("nobody is told that the child has changed with its parent")
			}
		}
		change(draft("docs:read", "apikeys:write"))
		if f := k.facts(who); cmp.Diff([]string{"docs:read"}, f.Grant.Scopes) != "" {
			t.Errorf("under a narrowed parent: %v", f.Grant.Scopes)
		}
		change(Draft{Disabled: set(true)})
		wantErr(t, "under a disabled parent", k.use(token), ErrDisabled)
		change(Draft{Disabled: set(false), ExpiresAt: set(k.now().Add(time.Minute).Format(time.RFC3339))})
		wantErr(t, "again", k.use(token), nil)
		if f := k.facts(who); !f.Expires.Equal(k.now().Add(time.Minute)) {
			t.Errorf("ends %s, want with its parent", f.Expires)
		}
		k.advance(time.Minute)
		wantErr(t, "under an expired parent", k.use(token), ErrExpired)
		change(Draft{ExpiresAt: input.Optional[string]{Set: true, Null: true}})
		wantErr(t, "again", k.use(token), nil)
		if err := k.s.Revoke(t.Context(), host(), "a", top.ID); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "under a revoked parent", k.use(token), ErrRevoked)
	})
}

func TestKeysStandAtMostFourAboveOneAnother(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		at := k.create(person("ann", "editor"), draft("apikeys:write"))
		for range maxAbove {
			at = k.create(k.asKey(at.Token.Reveal()), draft("apikeys:write"))
		}
		wantErr(t, "the fourth below", k.use(at.Token.Reveal()), nil)
		_, err := k.s.Create(t.Context(), k.asKey(at.Token.Reveal()), "a", draft("apikeys:write"))
		wantErr(t, "the fifth below", err, ErrTooDeep)
	})
}

func TestARotatedOutKeyMakesNone(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(person("ann", "editor"), draft("apikeys:write"))
		late := k.asKey(m.Token.Reveal()) // let in before the rotation
		if _, err := k.s.Rotate(t.Context(), host(), "a", m.ID, 0); err != nil {
			t.Fatal(err)
		}
		_, err := k.s.Create(t.Context(), late, "a", draft("apikeys:write"))
		wantErr(t, "create", err, ErrMakesNone)
	})
}

func TestAnotherTenantsKeysDoNotExist(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		_, err := k.s.Get(t.Context(), "b", m.ID)
		wantErr(t, "get", err, ErrNoKey)
		_, err = k.s.Change(t.Context(), host(), "b", m.ID, draft("*"))
		wantErr(t, "change", err, ErrNoKey)
		_, err = k.s.Rotate(t.Context(), host(), "b", m.ID, 0)
		wantErr(t, "rotate", err, ErrNoKey)
		wantErr(t, "revoke", k.s.Revoke(t.Context(), host(), "b", m.ID), ErrNoKey)
		wantErr(t, "it", k.use(m.Token.Reveal()), nil)
		_, err = k.s.Create(t.Context(), host(), "nowhere", draft("*"))
		wantCode(t, "a tenant that there is not", err, fault.NotFound, "")
	})
}

func TestUseIsCountedAndEveryChangeAudited(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		k.tx(func(tx *store.Tx) error { return k.s.Touch(tx, "a", m.ID, 3, k.now()) })
		k.tx(func(tx *store.Tx) error { return k.s.Touch(tx, "a", m.ID, 2, k.now().Add(-time.Hour)) })
		k.tx(func(tx *store.Tx) error { return k.s.Touch(tx, "a", "gone", 2, k.now()) })
		if got, err := k.s.Get(t.Context(), "a", m.ID); err != nil || got.Uses != 5 || !got.LastUsedAt.Equal(k.now()) {
			t.Errorf("%d uses, last %s, %v", got.Uses, got.LastUsedAt, err)
		}
		if _, err := k.s.Change(t.Context(), host(), "a", m.ID, Draft{Name: set("x")}); err != nil {
			t.Fatal(err)
		}
		if _, err := k.s.Rotate(t.Context(), host(), "a", m.ID, 0); err != nil {
			t.Fatal(err)
		}
		if err := k.s.Revoke(t.Context(), host(), "a", m.ID); err != nil {
			t.Fatal(err)
		}
		k.create(host(), Draft{Name: set("engine"), Machine: true})
		var got []string
		k.tx(func(tx *store.Tx) (err error) {
			got, err = store.List(tx, func(r store.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT action FROM audit_events WHERE tenant_id = 'a' ORDER BY n`)
			return err
		})
		if d := cmp.Diff([]string{"apikey.created", "apikey.changed", "apikey.rotated", "apikey.revoked", "machine.created"}, got); d != "" {
			t.Error(d)
		}
	})
}

func TestRefusedInputSaysWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t))
	ok := func() Draft { return draft("docs:read") }
	with := func(f func(d *Draft)) Draft { d := ok(); f(&d); return d }
	for _, tt := range []struct {
		field string
		d     Draft
	}{
		{"name", Draft{Scopes: set([]string{"*"})}},
		{"name", with(func(d *Draft) { d.Name = set("") })},
		{"name", with(func(d *Draft) { d.Name = set(" \t ") })},
		{"name", with(func(d *Draft) { d.Name = set(string(make([]byte, 101))) })},
		{"name", with(func(d *Draft) { d.Name = set("a\nb") })},
		{"scopes", Draft{Name: set("x")}},
		{"scopes", with(func(d *Draft) { d.Scopes = set([]string{}) })},
		{"scopes", with(func(d *Draft) { d.Scopes = set(make([]string, 101)) })},
		{"scopes[1]", with(func(d *Draft) { d.Scopes = set([]string{"docs:read", "docs"}) })},
		{"scopes[0]", with(func(d *Draft) { d.Scopes = set([]string{"platform:read"}) })},
		{"expiresAt", with(func(d *Draft) { d.ExpiresAt = set("tomorrow") })},
		{"expiresAt", with(func(d *Draft) { d.ExpiresAt = set("2020-01-01T00:00:00Z") })},
		{"allowedIPs[0]", with(func(d *Draft) { d.AllowedIPs = set([]string{"10.0.0.1/8"}) })},
		{"allowedIPs[1]", with(func(d *Draft) { d.AllowedIPs = set([]string{"10.0.0.0/8", "fe80::1%eth0"}) })},
		{"allowedIPs[0]", with(func(d *Draft) { d.AllowedIPs = set([]string{"example.com"}) })},
		{"rateLimit.windowMs", with(func(d *Draft) { d.RateLimit.Set = true; d.RateLimit.Value.Max = 1 })},
		{"rateLimit.max", with(func(d *Draft) { d.RateLimit.Set = true; d.RateLimit.Value.WindowMs = 1000 })},
	} {
		_, err := k.s.Create(t.Context(), host(), "a", tt.d)
		wantCode(t, tt.field, err, fault.BadRequest, tt.field)
	}
	m := k.create(host(), ok())
	_, err := k.s.Change(t.Context(), host(), "a", m.ID, Draft{})
	wantCode(t, "a change of nothing", err, fault.BadRequest, "name")
	_, err = k.s.Change(t.Context(), host(), "a", m.ID, Draft{Disabled: set(true), Enabled: set(true)})
	wantCode(t, "on and off", err, fault.BadRequest, "enabled")
}

// TestARowOfAnotherTenantIsNobodysHere: ids of users may be the same in two
// tenants.
func TestARowOfAnotherTenantIsNobodysHere(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t))
	ann := person("ann", "admin")
	ann.Standing.UserID = "u1" // of tenant a
	k.tx(func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO users (tenant_id, id, created_at, updated_at) VALUES ('a', 'u1', 0, 0)`)
		return err
	})
	for tenant, want := range map[string]string{"a": "u1", "b": ""} {
		m, err := k.s.Create(t.Context(), ann, tenant, draft("docs:read"))
		if err != nil || m.Creator.UserID != want || m.Creator.Bound.Subject != "ann" {
			t.Errorf("%s: made by %+v, %v", tenant, m.Creator, err)
		}
	}
}
