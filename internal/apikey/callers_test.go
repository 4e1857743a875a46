package apikey

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// callers is how many do something at once.
const callers = 16

// TestManyRotateAtOnce: every rotation hands out a key, and of all keys handed
// out two count in the end: the last one, and the one before in its grace.
func TestManyRotateAtOnce(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		tokens := make([]secret.Value, callers)
		storetest.Callers(t, callers, func(i int) error {
			r, err := k.s.Rotate(t.Context(), host(), "a", m.ID, time.Hour)
			tokens[i] = r.Token
			return err
		})
		good := 0
		for _, token := range append(tokens, m.Token) {
			if k.use(token.Reveal()) == nil {
				good++
			}
		}
		if good != 2 {
			t.Errorf("%d keys count after %d rotations, want 2", good, callers)
		}
		if n := k.count(`SELECT COUNT(*) FROM api_key_secrets WHERE tenant_id = 'a'`); n != 2 {
			t.Errorf("%d secrets are kept", n)
		}
		now, err := k.s.Get(t.Context(), "a", m.ID)
		if err != nil {
			t.Fatal(err)
		}
		if n := k.count(`SELECT COUNT(*) FROM api_key_secrets WHERE lookup = $1 AND expires_at = 0`, now.Prefix[len("prk_test_"):]); n != 1 {
			t.Error("the key shows the prefix of another secret than its newest")
		}
	})
}

// TestNoSecretSurvivesARevocation: some rotate, some use, one revokes. Whoever
// comes after the revocation finds no key, and no secret counts.
func TestNoSecretSurvivesARevocation(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		var mu sync.Mutex
		tokens := []secret.Value{m.Token}
		var revoked atomic.Bool
		storetest.Callers(t, callers, func(i int) error {
			switch {
			case i == callers/2:
				err := k.s.Revoke(t.Context(), host(), "a", m.ID)
				revoked.Store(true)
				return err
			case i%3 == 0:
				gone := revoked.Load()
				err := k.use(m.Token.Reveal())
				if gone && err == nil {
					return errors.New("counts after its revocation")
				}
				var f *fault.Error
				if err != nil && (!errors.As(err, &f) || f.Kind != fault.Unauthenticated) {
					return err
				}
				return nil
			default:
				r, err := k.s.Rotate(t.Context(), host(), "a", m.ID, time.Hour)
				if errors.Is(err, ErrNoKey) {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				tokens = append(tokens, r.Token)
				return err
			}
		})
		for _, token := range tokens {
			wantErr(t, "a secret of a revoked key", k.use(token.Reveal()), ErrUnknown)
		}
		if n := k.count(`SELECT COUNT(*) FROM api_key_secrets WHERE tenant_id = 'a'`); n != 0 {
			t.Errorf("%d secrets are kept", n)
		}
		if n := k.count(`SELECT COUNT(*) FROM audit_events WHERE action = 'apikey.rotated'`); n != int64(len(tokens)-1) {
			t.Errorf("%d rotations audited, %d happened", n, len(tokens)-1)
		}
	})
}

// TestRevocationIsForGood: a change that read the key before never brings it back.
func TestRevocationIsForGood(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		var ended atomic.Int32
		storetest.Callers(t, callers, func(i int) error {
			var err error
			if i%4 == 0 {
				if err = k.s.Revoke(t.Context(), host(), "a", m.ID); err == nil {
					ended.Add(1)
				}
			} else {
				_, err = k.s.Change(t.Context(), host(), "a", m.ID, Draft{Name: set(fmt.Sprint(i)), Enabled: set(true)})
			}
			if errors.Is(err, ErrNoKey) {
				return nil
			}
			return err
		})
		if ended.Load() != 1 {
			t.Errorf("revoked %d times", ended.Load())
		}
		wantErr(t, "it", k.use(m.Token.Reveal()), ErrUnknown)
		_, err := k.s.Get(t.Context(), "a", m.ID)
		wantErr(t, "get", err, ErrNoKey)
	})
}

// TestChangesAtOnceLoseNothing: members that different callers change are all
// changed, and uses that are counted meanwhile are all counted.
func TestChangesAtOnceLoseNothing(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		storetest.Callers(t, callers, func(i int) error {
			var err error
			switch i % 4 {
			case 0:
				_, err = k.s.Change(t.Context(), host(), "a", m.ID, Draft{Name: set("renamed")})
			case 1:
				_, err = k.s.Change(t.Context(), host(), "a", m.ID, Draft{Scopes: set([]string{"docs:write"})})
			case 2:
				_, err = k.s.Change(t.Context(), host(), "a", m.ID, Draft{AllowedIPs: set([]string{"10.0.0.0/8"})})
			default:
				err = k.db.Tx(t.Context(), func(tx *store.Tx) error { return k.s.Touch(tx, "a", m.ID, 1, k.now()) })
			}
			return err
		})
		got, err := k.s.Get(t.Context(), "a", m.ID)
		if err != nil || got.Name != "renamed" || got.Scopes[0] != "docs:write" || len(got.AllowedIPs) != 1 || got.Uses != callers/4 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// TestManyCreateAtOnce: ids and prefixes are all different, and all are there.
func TestManyCreateAtOnce(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		made := make([]Made, callers)
		storetest.Callers(t, callers, func(i int) (err error) {
			made[i], err = k.s.Create(t.Context(), person("ann", "editor"), "a", draft("docs:read"))
			return err
		})
		seen := map[string]bool{}
		for _, m := range made {
			seen[m.ID], seen[m.Prefix] = true, true
			wantErr(t, m.ID, k.use(m.Token.Reveal()), nil)
		}
		_, total, err := k.s.List(t.Context(), "a", false, 5, 0)
		if len(seen) != 2*callers || total != callers || err != nil {
			t.Errorf("%d of %d, %v", total, callers, err)
		}
	})
}

// TestAParentThatEndsTakesItsChildrenAlong: keys that are made by a key while
// it is revoked are refused, or were made before.
func TestAParentThatEndsTakesItsChildrenAlong(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		top := k.create(person("ann", "editor"), draft("docs:read", "apikeys:write"))
		by := k.asKey(top.Token.Reveal())
		var mu sync.Mutex
		var children []Made
		storetest.Callers(t, callers, func(i int) error {
			if i == callers/2 {
				return k.s.Revoke(t.Context(), host(), "a", top.ID)
			}
			m, err := k.s.Create(t.Context(), by, "a", draft("docs:read"))
			if errors.Is(err, ErrMakesNone) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			children = append(children, m)
			return err
		})
		for _, m := range children {
			wantErr(t, "a child", k.use(m.Token.Reveal()), ErrRevoked)
		}
	})
}
