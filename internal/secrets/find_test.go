package secrets

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

// find asks as a request does: jobs are run, and then it asks again.
func (r *room) find(of string, keys ...string) (values map[string]string, jobs int, f *fault.Error) {
	var settled []park.Settled
	for {
		values, job, f := r.Find(of, keys, time.Now(), settled)
		if job == nil {
			return values, jobs, f
		}
		if jobs++; jobs > 3 {
			return nil, jobs, fault.New(fault.Internal, "endless", "")
		}
		v, err := job.Run(context.Background())
		settled = append(settled, park.Settled{Key: job.Key, Value: v, Err: err})
	}
}

func (r *room) value(t *testing.T, of, key string) string {
	t.Helper()
	r.poll(t)
	v, _, f := r.find(of, key)
	if f != nil {
		t.Fatal(f)
	}
	return v[key]
}

func TestASecretIsReadOnceAndThenFromMemory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		r.create(t, "a", "K", "one")
		for i, want := range []int{1, 0, 0} {
			v, jobs, f := r.find("a", "K", "none")
			if f != nil || jobs != want || v["K"] != "one" || len(v) != 1 {
				t.Errorf("time %d: %v, %d jobs, %v", i, v, jobs, f)
			}
		}
		if _, err := r.Rotate(t.Context(), tenant.Host(), "a", "K", secret.New("two"), 1); err != nil {
			t.Fatal(err)
		}
		r.create(t, "a", "none", "there now")
		if v, jobs, f := r.find("a", "K", "none"); f != nil || jobs != 1 || v["K"] != "two" || v["none"] != "there now" {
			t.Errorf("after the changes: %v, %d jobs, %v", v, jobs, f)
		}
		if err := r.Delete(t.Context(), tenant.Host(), "a", "K"); err != nil {
			t.Fatal(err)
		}
		r.poll(t)
		if v, _, f := r.find("a", "K"); f != nil || len(v) != 0 {
			t.Errorf("after it was deleted: %v, %v", v, f)
		}
		if v, jobs, f := r.find("", "K"); f != nil || jobs != 0 || len(v) != 0 {
			t.Errorf("nobody's: %v, %d jobs, %v", v, jobs, f)
		}
	})
}

func TestUsesAreCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		r.create(t, "a", "K", "one")
		r.create(t, "a", "L", "two")
		storetest.Callers(t, 16, func(i int) error {
			for range 10 {
				if _, _, f := r.find("a", "K", "none"); f != nil {
					return f
				}
				if i == 3 {
					if err := r.Flush(t.Context()); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		l := r.listed(t, "a")
		if l[0].Uses != 160 || l[0].LastUsedAt == nil || time.Since(*l[0].LastUsedAt) > time.Minute || l[1].Uses != 0 {
			t.Errorf("%+v", l)
		}
	})
}

func TestAValueThatWasTamperedWithRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		r.create(t, "a", "K", "plain-of-a")
		r.create(t, "a", "L", "plain-of-l")
		r.create(t, "b", "K", "plain-of-b")
		// Whoever can write to the store gives tenant b the value of tenant a.
		r.exec(t, `UPDATE tenant_secrets SET sealed = (SELECT sealed FROM tenant_secrets WHERE tenant_id = $1 AND name = $2) WHERE tenant_id = $3`, "a", "K", "b")
		if v, _, f := r.find("b", "K"); f == nil || f.Kind != fault.Unavailable || v != nil {
			t.Errorf("another tenant's value: %v, %v", v, f)
		}
		r.exec(t, `UPDATE tenant_secrets SET sealed = (SELECT sealed FROM tenant_secrets WHERE tenant_id = $1 AND name = $2) WHERE tenant_id = $3 AND name = $4`, "a", "K", "a", "L")
		if _, _, f := r.find("a", "L"); f == nil || f.Kind != fault.Unavailable {
			t.Errorf("another row's value: %v", f)
		}
		if log := r.log.String(); !strings.Contains(log, "tenant=b secret=K") || strings.Contains(log, "plain-of") {
			t.Errorf("the log: %s", log)
		}
	})
}

func TestWithoutAKeyOrWithoutChangesItRefuses(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	r := open(t, db)
	r.create(t, "a", "K", "one")
	keyless := *r.Service
	keyless.d.Keys = nil
	keyless.held = newCache(func(*opened) bool { return false })
	if _, err := keyless.Create(t.Context(), tenant.Host(), "a", Fresh{Key: "L", Value: secret.New("x")}); fault.From(err).Kind != fault.Unavailable {
		t.Errorf("without a key: %v", err)
	}
	if _, _, f := (&room{Service: &keyless}).find("a", "K"); f == nil || f.Kind != fault.Unavailable {
		t.Errorf("without a key: %v", f)
	}
	if _, _, f := r.Find("a", []string{"K"}, time.Now().Add(time.Minute), nil); f == nil || f.Code != "store_stale" {
		t.Errorf("a minute without changes: %v", f)
	}
	r.d.Feed = change.NewFeed(db, change.Options{})
	if _, _, f := r.Find("a", []string{"K"}, time.Now(), nil); f == nil || f.Code != "store_stale" {
		t.Errorf("before the first reading: %v", f)
	}
}

func TestMemoryIsBoundedAndLosesNoUses(t *testing.T) {
	t.Parallel()
	c := newCache(func(*opened) bool { return true })
	big := strings.Repeat("x", MaxValue)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 500 {
				o := &opened{ident: ident{fmt.Sprint("t", w), fmt.Sprint("k", i)}, id: fmt.Sprint(w, "/", i), value: big}
				c.put(o)
				c.used(o, int64(i))
				c.used(o, int64(i))
			}
		})
	}
	wg.Wait()
	for i := range c.part {
		p, n := &c.part[i], 0
		for _, o := range p.held {
			n += o.size()
		}
		if n != p.bytes || n > mostBytes || len(p.held) > mostHeld {
			t.Errorf("a part holds %d bytes (counted %d) in %d secrets", n, p.bytes, len(p.held))
		}
	}
	n := int64(0)
	for _, u := range c.drain() {
		n += u.uses
	}
	if n != 4000 {
		t.Errorf("%d uses of 4000", n)
	}
	stale := newCache(func(o *opened) bool { return !bytes.Equal([]byte(o.value), []byte("old")) })
	stale.put(&opened{ident: ident{"t", "k"}, id: "1", value: "old"})
	stale.drain()
	for i := range stale.part {
		if len(stale.part[i].held) > 0 {
			t.Error("a value that has changed stays in memory")
		}
	}
}

// A request that began before a change does not use, nor join, a reading from
// before it.
func TestAReadingFromBeforeAChangeIsNotUsed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		r.create(t, "a", "K", "one")
		r.poll(t)
		_, job, f := r.Find("a", []string{"K"}, time.Now(), nil)
		if f != nil || job == nil {
			t.Fatalf("%v, %v", job, f)
		}
		v, err := job.Run(t.Context())
		settled := []park.Settled{{Key: job.Key, Value: v, Err: err}}
		if _, err := r.Rotate(t.Context(), tenant.Host(), "a", "K", secret.New("two"), 1); err != nil {
			t.Fatal(err)
		}
		r.poll(t)
		values, again, f := r.Find("a", []string{"K"}, time.Now(), settled)
		if f != nil || again == nil || again.Key == job.Key {
			t.Fatalf("the old reading counts: %v, %v, the same job: %t", values, f, again != nil && again.Key == job.Key)
		}
		full := []park.Settled{{Key: again.Key, Err: fault.New(fault.Unavailable, "park_full", "")}}
		if _, job, f := r.Find("a", []string{"K"}, time.Now(), full); job != nil || f == nil || f.Code != "park_full" {
			t.Errorf("a job that never ran: %v, %v", job, f)
		}
	})
}
