package apikey

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

// What others declare and this package is.
var (
	_ identity.KeyVerifier = (*Service)(nil)
	_ tenant.KeySource     = (*Service)(nil)
	_ tenant.Part          = (*Service)(nil)
)

// facts is what a decision reads of a key.
func (k *kit) facts(who *principal.Principal) (f tenant.KeyFacts) {
	k.t.Helper()
	if err := k.db.Read(k.t.Context(), func(tx *store.Tx) (err error) { f, err = k.s.Grant(tx, who); return err }); err != nil {
		k.t.Error(err)
	}
	return f
}

func TestAKeyProvesWhoseItIs(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		who, err := k.s.Verify(t.Context(), m.Token.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		want := &principal.Principal{
			Kind: principal.Service, Provider: "apiKey", ProviderKind: "apiKey", Subject: "key:" + m.ID, Tenant: "a", TrustTenant: true,
			CredentialID: m.ID, SecretDigest: m.Hash,
		}
		if d := cmp.Diff(want, who); d != "" {
			t.Error(d)
		}
		if kind, err := k.s.Parse(m.Token.Reveal()); kind != "apiKey" || err != nil {
			t.Errorf("%q, %v", kind, err)
		}
		f := k.facts(who)
		if f.Refuse != nil || !f.Grant.ByHost || f.Grant.Machine || f.Grant.ID != m.ID || cmp.Diff([]string{"docs:read"}, f.Grant.Scopes) != "" {
			t.Errorf("%+v", f)
		}
		if !f.Expires.Equal(k.now().Add(365 * 24 * time.Hour)) {
			t.Errorf("expires %s, want in a year", f.Expires)
		}
	})
}

func TestMachineTokensOfBothFormats(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		for _, format := range []struct {
			key  bool
			mark string
		}{{false, "tok_"}, {true, "prk_test_M"}} {
			m := k.create(host(), Draft{Name: set("engine"), Machine: true, Key: format.key})
			token := m.Token.Reveal()
			if !strings.HasPrefix(token, format.mark) || !strings.HasPrefix(token, m.Prefix) || digestOf(m.Salt, token) != m.Hash {
				t.Errorf("prefix %q", m.Prefix)
			}
			if kind, err := k.s.Parse(token); kind != "machine" || err != nil {
				t.Errorf("%q, %v", kind, err)
			}
			who, err := k.s.Verify(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if who.Kind != principal.Machine || who.ProviderKind != "machine" || who.Subject != "machine:"+m.ID || who.Tenant != "a" {
				t.Errorf("%+v", who)
			}
			if f := k.facts(who); f.Refuse != nil || !f.Grant.Machine || !f.Expires.IsZero() {
				t.Errorf("%+v", f)
			}
		}
	})
}

// TestTheOlderRowsVerify is the vector of the documentation, among other rows
// of the same prefix.
func TestTheOlderRowsVerify(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		row := Row{ID: "t1", Prefix: "tok_BwcH", Salt: "0011223344556677", Label: "engine",
			Hash: "45bb37c589ab9e3a1bdea170541a6a5f793b9e236c08f92d669c158ecf466406"}
		take := func(tenant string, r Row) (taken bool) {
			k.tx(func(tx *store.Tx) (err error) { taken, err = k.s.ImportMachine(tx, host(), tenant, r); return err })
			return taken
		}
		for i := range 40 {
			other := row
			other.ID, other.Hash = fmt.Sprintf("other%d", i), digestOf(row.Salt, fmt.Sprint(i))
			if !take([]string{"a", "b"}[i%2], other) {
				t.Fatal("not taken")
			}
		}
		if !take("b", row) || take("b", row) {
			t.Error("taken other than once")
		}
		who, err := k.s.Verify(t.Context(), "tok_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH")
		if err != nil || who.Tenant != "b" || who.CredentialID != "t1" || who.Subject != "machine:t1" {
			t.Errorf("%+v, %v", who, err)
		}
		_, err = k.s.Verify(t.Context(), "tok_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcI")
		wantErr(t, "another token of the prefix", err, ErrUnknown)
		bad := row
		bad.Hash = strings.ToUpper(row.Hash)
		if err := k.db.Tx(t.Context(), func(tx *store.Tx) error { _, err := k.s.ImportMachine(tx, host(), "a", bad); return err }); err == nil {
			t.Error("a row that can never verify was taken")
		}
	})
}

// TestUnknownAndWrongAreTheSame holds what a caller can tell: nothing. Both are
// one look-up and one hash by construction, see match.
func TestUnknownAndWrongAreTheSame(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		unknown := newKey("test", false)
		wrong := forged(m.Token.Reveal())
		_, err1 := k.s.Verify(t.Context(), unknown.text)
		_, err2 := k.s.Verify(t.Context(), wrong)
		var f1, f2 *fault.Error
		if !errors.As(err1, &f1) || !errors.As(err2, &f2) || f1 != f2 || f1.Kind != fault.Unauthenticated {
			t.Errorf("unknown: %v, wrong: %v", err1, err2)
		}
	})
}

// forged is a key with the id of another and a secret of its own: its shape and
// checksum are right.
func forged(of string) string {
	t, err := parseKey(of)
	if err != nil {
		panic(err)
	}
	for {
		other := newKey(t.env, t.machine())
		body := keyMark + t.env + "_" + t.lookup + "_" + other.text[len(other.text)-secretLen-sumLen:len(other.text)-sumLen]
		if s := withSum(body); s != of {
			return s
		}
	}
}

func TestAKeyOfAnotherEnvironmentIsRefused(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		for _, env := range []string{"prod", "dev"} {
			s := k.service(env)
			if kind, err := s.Parse(m.Token.Reveal()); err == nil || kind != "" {
				t.Errorf("%s reads a test key as %q", env, kind)
			}
			_, err := s.Verify(t.Context(), m.Token.Reveal())
			wantCode(t, env, err, fault.Unauthenticated, "")
		}
	})
}

// TestEveryChangeToAKeyIsRefused is P6 against the store.
func TestEveryChangeToAKeyIsRefused(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t))
	for _, m := range []Made{
		k.create(host(), draft("docs:read")),
		k.create(host(), Draft{Name: set("engine"), Machine: true}),
		k.create(host(), Draft{Name: set("engine"), Machine: true, Key: true}),
	} {
		whole := m.Token.Reveal()
		for i := range len(whole) {
			for bit := range 8 {
				b := []byte(whole)
				b[i] ^= 1 << bit
				if who, err := k.s.Verify(t.Context(), string(b)); err == nil || who != nil {
					t.Fatalf("bit %d of byte %d is not looked at", bit, i)
				}
			}
			for _, cut := range []string{whole[:i], whole[i+1:], whole[:i] + whole[i+1:], whole + whole[:i+1]} {
				if who, err := k.s.Verify(t.Context(), cut); err == nil || who != nil {
					t.Fatalf("a key that is cut at %d counts", i)
				}
			}
		}
		if err := k.use(whole); err != nil {
			t.Error(err)
		}
	}
}

func TestNothingOfAKeyIsStored(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(person("ann", "editor"), draft("docs:read"))
		tok := k.create(host(), Draft{Name: set("engine"), Machine: true})
		if _, err := k.s.Rotate(t.Context(), host(), "a", m.ID, time.Hour); err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		k.tx(func(tx *store.Tx) error {
			for _, query := range []string{
				`SELECT id || prefix || name || scopes FROM api_keys`, `SELECT salt || hash || lookup FROM api_key_secrets`,
				`SELECT action || target || detail FROM audit_events`, `SELECT entity_id FROM changes`,
			} {
				rows, err := store.List(tx, func(r store.Row) (s string, err error) { return s, r.Scan(&s) }, query)
				if err != nil {
					return err
				}
				fmt.Fprintln(&all, rows)
			}
			return nil
		})
		for _, token := range []string{m.Token.Reveal(), tok.Token.Reveal()} {
			if secret := token[len(token)-20:]; strings.Contains(all.String(), secret) {
				t.Error("the store holds a part of a secret")
			}
		}
		if s := fmt.Sprintf("%v %+v %#v", m, m, m); strings.Contains(s, m.Token.Reveal()) {
			t.Error("a key prints")
		}
	})
}

func TestALostStoreRefuses(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t))
	m := k.create(host(), draft("docs:read"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	who, err := k.s.Verify(ctx, m.Token.Reveal())
	if who != nil {
		t.Error("a principal without a store")
	}
	wantCode(t, "verify", err, fault.Unavailable, "")
}

// TestTheRowSaysTheClassToo: a key never becomes a machine's, nor the other way
// round, by what only one of the two says.
func TestTheRowSaysTheClassToo(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		k.tx(func(tx *store.Tx) error {
			_, err := tx.Exec(`UPDATE api_key_secrets SET machine = 1 WHERE tenant_id = 'a' AND key_id = $1`, m.ID)
			return err
		})
		_, err := k.s.Verify(t.Context(), m.Token.Reveal())
		wantErr(t, "a key whose row is a machine's", err, ErrUnknown)
	})
}
