package login

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const revocation = "provider POST /oauth/revoke"

// kept are the social codes that are in the store.
func kept(t testing.TB, db *store.DB) (n int) {
	t.Helper()
	if err := db.Read(t.Context(), func(tx *store.Tx) error { return tx.Row(`SELECT COUNT(*) FROM login_codes`).Scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

// age makes what is in login_codes so old.
func age(t testing.TB, db *store.DB, by time.Duration) {
	t.Helper()
	if err := db.Tx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE login_codes SET expires_at = expires_at - $1`, by.Milliseconds())
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestATokenThatNobodyRedeemedIsRevoked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		k := newKit(t, setting{db: db})
		p := newThere(k)
		code := p.through(t)
		k.took()
		if err := k.u.PruneCodes(t.Context()); err != nil || len(k.took()) > 0 {
			t.Fatal("one that still counts was ended", err)
		}
		age(t, db, 2*time.Minute)
		if got := k.send("POST /oauth/token", redeemed(code, appVerifier), device); got.status != 400 {
			t.Fatal(got)
		}
		k.took()
		storetest.Callers(t, 16, func(int) error { return k.u.PruneCodes(t.Context()) })
		steps := k.took()
		if len(steps) != 1 || !strings.HasPrefix(steps[0], revocation) || !strings.Contains(steps[0], `"token": "refresh-1"`) {
			t.Errorf("%q", steps)
		}
		if n := kept(t, db); n != 0 {
			t.Errorf("%d are left", n)
		}
	})
}

func TestACodeWithoutItsVerifierEndsItsToken(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{db: storetest.SQLite(t)})
	p := newThere(k)
	code := p.through(t)
	k.took()
	if got := k.send("POST /oauth/token", redeemed(code, strings.Repeat("v", 43)), device); got.status != 400 {
		t.Fatal(got)
	}
	if steps := strings.Join(k.took(), "\n"); !strings.Contains(steps, revocation) {
		t.Error(steps)
	}
}

func TestAProviderThatIsAwayKeepsNoCodes(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	k := newKit(t, setting{db: db})
	p := newThere(k)
	for range revokedAtOnce + 2 {
		p.through(t)
	}
	age(t, db, 2*time.Minute)
	k.answers = func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		http.Error(w, "refresh-1", http.StatusBadGateway)
	}
	if err := k.u.PruneCodes(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := kept(t, db); n != 0 {
		t.Errorf("%d are left", n)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := strings.Count(k.log.String(), "could not be revoked"); n != 2 || !strings.Contains(k.log.String(), `"tokens":10`) {
		t.Errorf("%d lines: %s", n, k.log.String())
	}
}

// Whose provider has changed since must not show the old one's tokens to the new one.
func TestTokensOfAnotherProviderAreNotShown(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	k := newKit(t, setting{db: db})
	newThere(k).through(t)
	age(t, db, 2*time.Minute)
	k.took()
	k.u.c.BaseURL = config.URL("https://another.example")
	if err := k.u.PruneCodes(t.Context()); err != nil || kept(t, db) != 0 || len(k.took()) > 0 {
		t.Error(err, kept(t, db), k.took())
	}
}

func TestCodesOfASiteThatIsGoneAreRemoved(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	k := newKit(t, setting{db: db})
	newThere(k).through(t)
	for _, c := range []struct {
		by   time.Duration
		left int
	}{{2 * time.Minute, 1}, {codeKept, 0}} {
		age(t, db, c.by)
		if err := k.u.s.Prune(t.Context()); err != nil || kept(t, db) != c.left {
			t.Errorf("%s: %d are left, %v", c.by, kept(t, db), err)
		}
	}
}

func TestOutlast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		late, end := outlast(ctx, time.Second)
		defer end()
		began := time.Now()
		cancel()
		<-late.Done()
		if took := time.Since(began); took != time.Second {
			t.Error(took)
		}
	})
}
