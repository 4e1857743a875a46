package durability

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// mostWriters write at once. Each has keys, users, a role and a secret of its
// own, so that what it was told is all that can have happened to them.
const mostWriters = 6

// Processes die in the middle of writing, again and again. What a client was
// told has happened has; what it was not told has happened wholly or not at all.
func TestNothingAcknowledgedIsLostWhenTheProcessIsKilled(t *testing.T) {
	t.Parallel()
	kills := times(t, "PORTREEVE_KILLS", 5)
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		killAndLook(t, "", kills, nil)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		server := storetest.StartServer(t)
		killAndLook(t, server.URL, kills, func() { // the server dies too, now and then
			server.Kill()
			server.Start(t)
		})
	})
}

func killAndLook(t *testing.T, url string, kills int, also func()) {
	h := newHouse(t, settings{store: url, upstream: echo(t)})
	auth := root(t)
	n := h.serve(t)
	c := newClient(t)
	c.must(t, 201, "POST", n.URL+"/rbac/roles", auth, `{"name": "r0", "permissions": ["docs:read"]}`)
	c.must(t, 201, "POST", n.URL+"/rbac/roles", auth, `{"name": "r1", "permissions": ["docs:read", "docs:write"]}`)
	ws := make([]*writer, mostWriters)
	for i := range ws {
		ws[i] = &writer{n: i, c: c, auth: auth, rand: rand.New(rand.NewPCG(uint64(i), uint64(kills)))} //nolint:gosec // spreads work
	}
	var acked, doubts int
	var longest time.Duration
	for kill := range kills {
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for _, w := range ws {
			w.url = n.URL
			all.Go(func() { w.write(ctx) })
		}
		<-time.After(time.Duration(40+rand.IntN(300)) * time.Millisecond) //nolint:gosec // when it dies
		n.kill()
		if also != nil && kill%4 == 3 {
			also()
		}
		stop()
		all.Wait()
		began := time.Now()
		n = h.serve(t)
		longest = max(longest, time.Since(began))
		for _, w := range ws {
			w.url = n.URL
			if w.failed != "" {
				t.Fatalf("writer %d before kill %d: %s", w.n, kill, w.failed)
			}
			acked += w.acked
			doubts += w.look(t)
			w.acked = 0
		}
		sound(t, h)
		if kill%10 == 7 || kill == kills-1 {
			h.verified(t)
		}
		if t.Failed() {
			t.Fatalf("after kill %d", kill)
		}
	}
	n.stop(t)
	h.verified(t)
	t.Logf("%d kills, %d acknowledged writes, %d whose end nobody was told, restart at most %v", kills, acked, doubts, longest.Round(time.Millisecond))
}

// sound holds the tables against each other: nothing is half there.
func sound(t *testing.T, h *house) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: h.store, Manual: true})
	if err != nil {
		t.Fatalf("the store does not open: %v", err)
	}
	defer func() { _ = db.Close() }()
	counted := func(action string) string {
		return `(SELECT count(*) FROM audit_events WHERE action = '` + action + `' AND result = 'ok')`
	}
	for what, query := range map[string]string{
		"keys without their event, or events without their key": `SELECT (SELECT count(*) FROM api_keys) - ` + counted("apikey.created"),
		"keys that are revoked without their event":             `SELECT (SELECT count(*) FROM api_keys WHERE revoked_at <> 0) - ` + counted("apikey.revoked"),
		"users":          `SELECT (SELECT count(*) FROM users) - ` + counted("user.created") + ` + ` + counted("user.deleted"),
		"roles":          `SELECT (SELECT count(*) FROM roles) - ` + counted("role.created") + ` + ` + counted("role.deleted"),
		"secrets":        `SELECT (SELECT count(*) FROM tenant_secrets) - ` + counted("secret.created") + ` + ` + counted("secret.deleted"),
		"assigned roles": `SELECT (SELECT count(*) FROM user_roles) - ` + counted("role.assigned") + ` + ` + counted("role.unassigned") + ` + ` + counted("user.deleted"), // each had one role left
		"living keys without exactly one newest secret": `SELECT count(*) FROM api_keys k WHERE k.revoked_at = 0 AND
			(SELECT count(*) FROM api_key_secrets s WHERE s.tenant_id = k.tenant_id AND s.key_id = k.id AND s.expires_at = 0) <> 1`,
		"revoked keys with a secret": `SELECT count(*) FROM api_keys k JOIN api_key_secrets s ON s.tenant_id = k.tenant_id AND s.key_id = k.id WHERE k.revoked_at <> 0`,
		"keys whose prefix is not their secret's": `SELECT count(*) FROM api_keys k JOIN api_key_secrets s ON s.tenant_id = k.tenant_id AND s.key_id = k.id
			WHERE s.expires_at = 0 AND k.prefix <> 'prk_test_' || s.lookup`,
		"changes past their counter":                   `SELECT (SELECT seq FROM change_counter) - (SELECT coalesce(max(seq), 0) FROM changes)`,
		"a gap in the changes":                         `SELECT coalesce(max(seq) - min(seq) + 1 - count(*), 0) FROM changes`,
		"a head that is not its last":                  `SELECT count(*) FROM audit_heads h WHERE h.n <> (SELECT max(n) FROM audit_events e WHERE e.tenant_id = h.tenant_id)`,
		"tenants whose turn is less than their writes": `SELECT CASE WHEN rev >= (SELECT count(*) FROM audit_events e WHERE e.tenant_id = tenants.id AND action LIKE 'secret.%') THEN 0 ELSE 1 END FROM tenants WHERE id = 'main'`,
	} {
		var n int64
		if err := db.Read(t.Context(), func(tx *store.Tx) error { return tx.Row(query).Scan(&n) }); err != nil || n != 0 {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
}
