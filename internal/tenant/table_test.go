package tenant

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestTheTableIsBoundedAndKeepsTheYounger(t *testing.T) {
	t.Parallel()
	tab := newTable(64)
	var last *principal.Principal
	for i := range 10_000 {
		last = person("entra", strconv.Itoa(i), "")
		tab.put(&entry{who: last, known: &policy.Known{UserID: strconv.Itoa(i)}, born: int64(i)})
		if e := tab.get(last, "", "", false); e == nil || e.known.UserID != strconv.Itoa(i) {
			t.Fatalf("entry %d is not there", i)
		}
	}
	if n := tab.len(); n > 64 || n < 32 {
		t.Errorf("%d entries, want at most 64", n)
	}
	for _, miss := range []*entry{tab.get(last, "acme", "", false), tab.get(last, "", "main", false), tab.get(last, "", "", true), tab.get(person("entra", "9999", ""), "", "", false)} {
		if miss != nil {
			t.Errorf("found under other circumstances: %+v", miss)
		}
	}
	tab.put(&entry{who: last, known: &policy.Known{UserID: "new"}, asOf: 7, born: 10_001})
	tab.put(&entry{who: last, known: &policy.Known{UserID: "late"}, asOf: 5, born: 10_002})
	if e := tab.get(last, "", "", false); e.known.UserID != "new" {
		t.Errorf("what was read earlier came later and stands: %s", e.known.UserID)
	}
}

func TestManyUseTheTableAtOnce(t *testing.T) {
	t.Parallel()
	tab := newTable(32)
	all := make([]*principal.Principal, 100)
	for i := range all {
		all[i] = person("entra", strconv.Itoa(i), "")
	}
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 2000 {
				who := all[(i*7+w)%len(all)]
				if e := tab.get(who, "", "", false); e != nil && e.known.UserID != who.Subject {
					t.Errorf("%s found the entry of %s", who.Subject, e.known.UserID)
				}
				tab.put(&entry{who: who, known: &policy.Known{UserID: who.Subject}, born: int64(i)})
			}
		})
	}
	wg.Wait()
}

// A job that was begun before a change is not taken for its result after it.
func TestWhatWasReadBeforeAChangeIsReadAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), "main")
	u := r.add(t, "main", NewUser{Email: "alice@example.com", Roles: []string{"admin"}})
	alice := person("entra", "a-1", "alice@example.com")
	r.known(t, alice, "main", "") // bound
	r.poll(t)
	q := policy.DirectoryAsk{Who: alice, Claim: "main", Now: time.Now()}
	_, job, f := r.dir.Find(q)
	if job == nil || f != nil {
		t.Fatalf("no job: %v", f)
	}
	v, err := job.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	q.Settled = []park.Settled{{Key: job.Key, Value: v}}
	if _, err := r.svc.SetUserDisabled(t.Context(), host(), "main", u.ID, true); err != nil {
		t.Fatal(err)
	}
	if k, _, _ := r.dir.Find(q); k == nil || k.Refuse != nil {
		t.Errorf("before the change is taken in: %+v", k)
	}
	r.poll(t)
	_, again, f := r.dir.Find(q)
	if again == nil || again.Key == job.Key || f != nil {
		t.Fatalf("after it, what was settled still counts: %v, %v", again, f)
	}
	if v, err = again.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	q.Settled = append(q.Settled, park.Settled{Key: again.Key, Value: v})
	if k, job, f := r.dir.Find(q); job != nil || f != nil || refusal(k) != "user_disabled" {
		t.Errorf("%+v, %v, %v", k, job, f)
	}
}

func TestWhatDoesNotConcernACallerCostsItNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), "main", "acme")
	u := r.add(t, "main", NewUser{Email: "alice@example.com"})
	alice := person("entra", "a-1", "alice@example.com")
	r.known(t, alice, "main", "")
	r.known(t, alice, "main", "") // the binding was a change of its own
	r.add(t, "main", NewUser{Email: "bob@example.com"})
	if _, err := r.svc.SetUserDisabled(t.Context(), host(), "main", r.add(t, "acme", NewUser{Email: "a@example.com"}).ID, true); code(err) != "no_user" {
		t.Fatal(err)
	}
	r.poll(t)
	if k, job, f := r.dir.Find(policy.DirectoryAsk{Who: alice, Claim: "main", Now: time.Now()}); job != nil || f != nil || k.UserID != u.ID {
		t.Errorf("read anew: %v, %v", job, f)
	}
}

func TestAHitAllocatesNothing(t *testing.T) { //nolint:paralleltest // counts allocations
	r := newRig(t, storetest.SQLite(t), "main")
	q := r.hit(t)
	if n := testing.AllocsPerRun(1000, func() {
		if k, job, f := r.dir.Find(q); k == nil || job != nil || f != nil {
			t.Fatal("no hit")
		}
	}); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
}

// hit is a question whose answer is at hand.
func (r *rig) hit(t testing.TB) policy.DirectoryAsk {
	t.Helper()
	r.add(t, "main", NewUser{Email: "alice@example.com", Roles: []string{"member"}})
	alice := person("entra", "a-1", "alice@example.com")
	r.known(t, alice, "main", "")
	r.known(t, alice, "main", "")
	return policy.DirectoryAsk{Who: alice, Claim: "main", Now: time.Now()}
}

func BenchmarkHit(b *testing.B) {
	r := newRig(b, storetest.SQLite(b), "main")
	q := r.hit(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if k, _, _ := r.dir.Find(q); k == nil {
				b.Fatal("no hit")
			}
		}
	})
}

func BenchmarkMiss(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.DB{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, open(b), "main")
			q := r.hit(b)
			b.ReportAllocs()
			for b.Loop() {
				who := *q.Who // another principal, of the same identity
				if k, f := ask(r.dir, &who, "main", ""); f != nil || k.UserID == "" {
					b.Fatal(k, f)
				}
			}
		})
	}
}

// The columns that name a tenant are all swept by its deletion, but for what
// outlives it on purpose.
func TestEverythingOfATenantGoesWithIt(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	outlives := map[string]bool{"tenant_gone": true, "changes": true}
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		tables, err := store.List(tx, scanText, `SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'tenant_id' WHERE m.type = 'table'`)
		if err != nil {
			return err
		}
		for _, table := range tables {
			if outlives[table] || len(table) > 5 && table[:5] == "audit" {
				continue
			}
			var n int
			if err := tx.Row(`SELECT COUNT(*) FROM pragma_foreign_key_list('` + table + `') WHERE on_delete = 'CASCADE' AND "from" = 'tenant_id'`).Scan(&n); err != nil {
				return err
			}
			if n == 0 {
				t.Errorf("table %s: tenant_id refers to nothing that is deleted with the tenant (ON DELETE CASCADE)", table)
			}
		}
		if len(tables) < 4 {
			return fmt.Errorf("only %v found", tables)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
