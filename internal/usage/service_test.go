package usage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// keys is a store of keys that notes what it is told.
type keys struct {
	mu   sync.Mutex
	uses map[string]int64
	last map[string]time.Time
	fail error
}

func (k *keys) Touch(tx *store.Tx, tenant, id string, uses int64, last time.Time) error {
	tx.After(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.uses[tenant+"/"+id] += uses
		k.last[tenant+"/"+id] = last
	})
	return k.fail
}

func (k *keys) Exists(_ *store.Tx, tenant, id string) (bool, error) {
	return tenant == "a" && id == "k", nil
}

func service(t *testing.T, db *store.DB) (*Service, *keys) {
	t.Helper()
	k := &keys{uses: map[string]int64{}, last: map[string]time.Time{}}
	for _, id := range []string{"a", "b"} {
		if err := db.Tx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO tenants (id, name, created_at, updated_at) VALUES ($1, $2, 0, 0)`, id, id)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return New(Deps{DB: db, Touch: k, Keys: k, Now: time.Now, Log: slog.New(slog.DiscardHandler)}), k
}

func (s *Service) mustFlush(t *testing.T) {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasCountedIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, k := service(t, db)
		for _, c := range []Call{
			{Tenant: "a", Key: "k", Status: 200, Bytes: 100, At: noon},
			{Tenant: "a", Key: "k", Status: 429, Bytes: 10, At: noon.Add(time.Minute)},
			{Tenant: "a", Key: "k", Status: 200, Bytes: 1, At: noon.Add(2 * time.Hour)},
			{Tenant: "a", Status: 500, Bytes: 5, At: noon.AddDate(0, 0, -2)},
			{Tenant: "a", Status: 200, Bytes: 7, At: noon.AddDate(0, -1, 0)},
			{Tenant: "b", Key: "k", Status: 200, Bytes: 1000, At: noon},
			{Tenant: "gone", Key: "k", Status: 200, Bytes: 1000, At: noon},
		} {
			s.Count(c)
		}
		s.mustFlush(t)
		s.Count(Call{Tenant: "a", Key: "k", Status: 200, Bytes: 100, At: noon}) // into a line that is there
		s.mustFlush(t)

		sum, err := s.Month(t.Context(), "a", noon)
		if want := (Summary{"a", "2026-11", 5, 216}); err != nil || sum != want {
			t.Errorf("summary: %+v, %v; want %+v", sum, err, want)
		}
		days, err := s.History(t.Context(), "a", "", noon)
		if err != nil || len(days) != 21 || days[0] != (Day{"2026-11-01", 0, 0}) || days[18] != (Day{"2026-11-19", 1, 5}) || days[20] != (Day{"2026-11-21", 4, 211}) {
			t.Errorf("history: %+v, %v", days, err)
		}
		days, err = s.History(t.Context(), "a", "2026-10", noon)
		if err != nil || len(days) != 31 || days[20] != (Day{"2026-10-21", 1, 7}) {
			t.Errorf("history of a whole month: %+v, %v", days, err)
		}
		hours, err := s.OfKey(t.Context(), "a", "k", Span{From: "2026-11-21T12:30:00Z", To: "2026-11-21T14:35:00Z"}, noon)
		at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		want := []Bucket{
			{Start: at, Calls: 3, Class2: 2, Class4: 1, Bandwidth: 210}, {Start: at.Add(time.Hour)}, {Start: at.Add(2 * time.Hour), Calls: 1, Class2: 1, Bandwidth: 1},
		}
		if diff := cmp.Diff(want, hours); err != nil || diff != "" {
			t.Errorf("hours of a key: %v\n%s", err, diff)
		}
		daily, err := s.OfKey(t.Context(), "a", "k", Span{From: "2026-11-20", To: "2026-11-21", Bucket: "day"}, noon)
		if err != nil || len(daily) != 2 || daily[1].Calls != 4 || daily[1].Class4 != 1 || daily[0].Calls != 0 {
			t.Errorf("days of a key: %+v, %v", daily, err)
		}
		for _, c := range [][2]string{{"b", "k"}, {"a", "other"}} {
			if _, err := s.OfKey(t.Context(), c[0], c[1], Span{}, noon); !errors.Is(err, ErrNoKey) {
				t.Errorf("key %s of tenant %s: %v", c[1], c[0], err)
			}
		}
		if k.uses["a/k"] != 4 || !k.last["a/k"].Equal(noon.Truncate(time.Millisecond)) || k.uses["gone/k"] != 1 {
			t.Errorf("the keys were told: %v, %v", k.uses, k.last)
		}
	})
}

func TestSixteenNodesWriteTheSameLines(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, _ := service(t, db)
		storetest.Callers(t, 16, func(i int) error {
			node := New(Deps{DB: db, Log: slog.New(slog.DiscardHandler)})
			for n := range 100 {
				node.Count(Call{Tenant: "a", Key: fmt.Sprint("k", (n+i)%10), Status: 200, Bytes: 1, At: noon})
			}
			return node.Flush(t.Context())
		})
		sum, err := s.Month(t.Context(), "a", noon)
		if err != nil || sum.Calls != 1600 || sum.Bandwidth != 1600 {
			t.Errorf("%+v, %v", sum, err)
		}
	})
}

func TestRunWritesAndWritesOnceMoreAtTheEnd(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s, _ := service(t, db)
	s.d.Every = 5 * time.Millisecond
	also := make(chan struct{}, 1000)
	s.d.Also = []Flusher{flusher(func() error { also <- struct{}{}; return nil })}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	s.Count(Call{Tenant: "a", Status: 200, At: noon})
	calls := func() int64 {
		sum, err := s.Month(t.Context(), "a", noon)
		if err != nil {
			t.Fatal(err)
		}
		return sum.Calls
	}
	for deadline := time.Now().Add(20 * time.Second); calls() != 1; {
		if time.Now().After(deadline) {
			t.Fatal("what was counted was not written while the service ran")
		}
	}
	stop()
	s.Count(Call{Tenant: "a", Status: 200, At: noon})
	<-done
	s.mustFlush(t) // what came in while it ended, at most
	if calls() != 2 || len(also) == 0 {
		t.Errorf("%d calls were written, want 2; others were flushed %d times", calls(), len(also))
	}
}

type flusher func() error

func (f flusher) Flush(context.Context) error { return f() }

func TestWhatCannotBeWrittenIsKept(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s, k := service(t, db)
	k.fail = fault.New(fault.Unavailable, "store_unavailable", "")
	for i := range 300 {
		s.Count(Call{Tenant: "a", Key: fmt.Sprint("k", i), Status: 200, At: noon})
	}
	if err := s.Flush(t.Context()); fault.From(err).Kind != fault.Unavailable {
		t.Fatalf("flush: %v", err)
	}
	k.fail = nil
	s.mustFlush(t)
	if sum, err := s.Month(t.Context(), "a", noon); err != nil || sum.Calls != 300 {
		t.Errorf("%+v, %v", sum, err)
	}
	// One line that no store takes does not hold up the others.
	s.Count(Call{Tenant: "a", Key: "bad\x00", Status: 200, At: noon})
	s.Count(Call{Tenant: "a", Key: "good", Status: 200, At: noon})
	s.mustFlush(t)
	if sum, err := s.Month(t.Context(), "a", noon); err != nil || sum.Calls != 301 || s.Lost() != 1 {
		t.Errorf("%+v, %v, %d lost", sum, err, s.Lost())
	}
}

func TestOldUsageIsRemoved(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s, _ := service(t, db)
	now := time.Now()
	s.Count(Call{Tenant: "a", Status: 200, At: now})
	s.Count(Call{Tenant: "a", Status: 200, At: now.Add(-401 * 24 * time.Hour)})
	s.mustFlush(t)
	s.tidy(t.Context())
	var n int
	if err := db.Read(t.Context(), func(tx *store.Tx) error { return tx.Row(`SELECT COUNT(*) FROM usage_hours`).Scan(&n) }); err != nil || n != 1 {
		t.Errorf("%d lines are left, %v", n, err)
	}
}
