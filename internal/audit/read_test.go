package audit_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestAListIsNarrowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := logs(t, db)
		add(t, db, l,
			audit.Event{Tenant: "acme", Action: "apikey.created", Target: "k1", Actor: ada, Decision: "d1"},
			audit.Event{Tenant: "acme", Action: "apikey.revoked", Target: "k1", Result: "refused", Actor: audit.Actor{UserID: "u9"}},
			audit.Event{Tenant: "acme", Action: "apikeys", Target: "k2", TargetEmail: "ada@example.com"},
			audit.Event{Tenant: "globex", Action: "apikey.created", Target: "k1", Actor: ada},
		)
		hour := time.Hour
		for name, c := range map[string]struct {
			f    audit.Filter
			want string
		}{
			"all":                {audit.Filter{}, "3 2 1"},
			"one action":         {audit.Filter{Action: "apikey.created"}, "1"},
			"a kind of actions":  {audit.Filter{Action: "apikey."}, "2 1"},
			"no part of a word":  {audit.Filter{Action: "apikey"}, ""},
			"no pattern":         {audit.Filter{Action: "%."}, ""},
			"target":             {audit.Filter{Target: "k1"}, "2 1"},
			"result":             {audit.Filter{Result: "refused"}, "2"},
			"decision":           {audit.Filter{Decision: "d1"}, "1"},
			"subject":            {audit.Filter{Actor: "user:17"}, "1"},
			"user":               {audit.Filter{Actor: "u9"}, "2"},
			"address, either":    {audit.Filter{Email: "ADA@example.com"}, "3 1"},
			"since an hour ago":  {audit.Filter{From: time.Now().Add(-hour)}, "3 2 1"},
			"until an hour ago":  {audit.Filter{To: time.Now().Add(-hour)}, ""},
			"several":            {audit.Filter{Action: "apikey.", Target: "k1", Result: "ok"}, "1"},
			"what breaks a text": {audit.Filter{Target: "' OR '1'='1"}, ""},
		} {
			list, total, err := l.Page(t.Context(), "acme", c.f, 10, 0)
			var got []string
			for _, r := range list {
				got = append(got, fmt.Sprint(r.N))
			}
			if err != nil || strings.Join(got, " ") != c.want || int(total) != len(list) {
				t.Errorf("%s: %v of %d, want %s; %v", name, got, total, c.want, err)
			}
		}
		if list, total, err := l.Page(t.Context(), "acme", audit.Filter{}, 1, 1); err != nil || total != 3 || len(list) != 1 || list[0].N != 2 {
			t.Errorf("the second page: %v of %d, %v", list, total, err)
		}
	})
}

func TestExportIsNarrowedByTime(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l := logs(t, db)
	chain(t, db, l, "acme", 2)
	chain(t, db, l, "", 1)
	now := time.Now()
	for name, c := range map[string]struct {
		s        audit.Scope
		from, to time.Time
		want     int64
	}{
		"all": {everything(), zero, zero, 3}, "a tenant": {audit.Scope{Tenant: "acme"}, zero, zero, 2}, "the host": {audit.Scope{}, zero, zero, 1},
		"lately": {everything(), now.Add(-time.Hour), zero, 3}, "before": {everything(), zero, now.Add(-time.Hour), 0}, "nobody": {audit.Scope{Tenant: "zeta"}, zero, zero, 0},
	} {
		var b strings.Builder
		if n, err := l.Export(t.Context(), &b, c.s, c.from, c.to); err != nil || n != c.want || int64(strings.Count(b.String(), "\n")) != n {
			t.Errorf("%s: %d events, want %d; %v", name, n, c.want, err)
		}
	}
}

func TestTailShowsTheLastAndFollows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := logs(t, db)
		for i := range 5 {
			add(t, db, l, audit.Event{Tenant: "acme", Action: "x.done", Target: fmt.Sprint("a", i)})
		}
		var mu sync.Mutex
		var seen []string
		see := func(r audit.Record) error {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, r.Target)
			return nil
		}
		if err := l.Tail(t.Context(), audit.Scope{Tenant: "acme"}, 2, false, see); err != nil || strings.Join(seen, " ") != "a3 a4" {
			t.Fatal(seen, err)
		}
		seen = nil
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Tail(ctx, everything(), 1, true, see) }()
		has := func(n int) func() bool {
			return func() bool { mu.Lock(); defer mu.Unlock(); return len(seen) >= n }
		}
		await(t, has(1), "the last event")
		add(t, db, l, audit.Event{Tenant: "globex", Action: "x.done", Target: "g0"})
		await(t, has(2), "the event of a new chain")
		add(t, db, l, audit.Event{Tenant: "acme", Action: "x.done", Target: "a5"})
		await(t, has(3), "a further event")
		cancel()
		if err := <-done; err != nil || strings.Join(seen, " ") != "a4 g0 a5" {
			t.Error(seen, err)
		}
	})
}
