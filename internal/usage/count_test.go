package usage

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 34, 56, 0, time.UTC)

func sumOf(lines map[line]*counter) (out Counts) {
	for _, n := range lines {
		out.add(n.Counts)
	}
	return out
}

func TestCallsAreCountedByTenantKeyHourAndClass(t *testing.T) {
	t.Parallel()
	c := NewCounter()
	c.Count(Call{Tenant: "a", Key: "k", Status: 200, Bytes: 10, At: noon})
	c.Count(Call{Tenant: "a", Key: "k", Status: 204, At: noon.Add(time.Second)})
	c.Count(Call{Tenant: "a", Key: "k", Status: 200, At: noon.Add(time.Hour)})
	c.Count(Call{Tenant: "a", Status: 403, Bytes: 5, At: noon})
	c.Count(Call{Tenant: "b", Key: "k", Status: 101, At: noon})
	c.Count(Call{Tenant: "b", Key: "k", Status: 0, Bytes: -1, At: noon})
	c.Count(Call{Status: 200, Bytes: 1 << 40, At: noon}) // nobody's
	hour := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).UnixMilli()
	want := map[line]counter{
		{tenant: "a", key: "k", hour: hour}:          {Counts{[5]int64{0, 2, 0, 0, 0}, 10}, noon.Add(time.Second).UnixMilli()},
		{tenant: "a", key: "k", hour: hour + hourMs}: {Counts{[5]int64{0, 1, 0, 0, 0}, 0}, noon.Add(time.Hour).UnixMilli()},
		{tenant: "a", hour: hour}:                    {Counts{[5]int64{0, 0, 0, 1, 0}, 5}, noon.UnixMilli()},
		{tenant: "b", key: "k", hour: hour}:          {Counts{[5]int64{1, 0, 0, 0, 1}, 0}, noon.UnixMilli()},
	}
	got := c.take()
	for l, n := range want {
		if got[l] == nil || *got[l] != n {
			t.Errorf("%+v: got %+v, want %+v", l, got[l], n)
		}
	}
	if len(got) != len(want) || len(c.take()) != 0 {
		t.Errorf("%d lines, want %d, and none after they were taken", len(got), len(want))
	}
}

func TestManyCallersLoseNothing(t *testing.T) {
	t.Parallel()
	c := NewCounter()
	var all Counts
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := range 2000 {
				c.Count(Call{Tenant: "t", Key: fmt.Sprint("k", n%7), Status: 200, Bytes: 1, At: noon})
				if i == 0 && n%100 == 0 {
					some := sumOf(c.take())
					mu.Lock()
					all.add(some)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	all.add(sumOf(c.take()))
	if all.Calls() != 32000 || all.Bytes != 32000 {
		t.Errorf("%d calls, %d bytes, want 32000 of each", all.Calls(), all.Bytes)
	}
}

func TestAFloodOfKeysStandsInTheTenantsOwnLine(t *testing.T) {
	t.Parallel()
	c := NewCounter()
	const n = shards*keysPerPart + 50000
	for i := range n {
		c.Count(Call{Tenant: "t", Key: fmt.Sprint("k", i), Status: 200, At: noon})
	}
	got := c.take()
	if len(got) > shards*keysPerPart+1 {
		t.Errorf("%d lines are held, more than the bound", len(got))
	}
	if sumOf(got).Calls() != n || c.Lost() != 0 {
		t.Errorf("%d calls of %d, %d lost", sumOf(got).Calls(), n, c.Lost())
	}
	own := got[line{tenant: "t", hour: noon.Truncate(time.Hour).UnixMilli()}]
	if own == nil || own.Calls() < 50000 {
		t.Errorf("the tenant's own line: %+v", own)
	}
}

// The access record of every request comes through here.
func BenchmarkCount(b *testing.B) {
	c := NewCounter()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Count(Call{Tenant: "main", Key: "01JD0000000000000000000000", Status: 200, Bytes: 512, At: noon})
		}
	})
}

func BenchmarkCountOfManyKeys(b *testing.B) {
	c := NewCounter()
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprintf("01JD%022d", i)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			c.Count(Call{Tenant: "main", Key: keys[i%len(keys)], Status: 200, Bytes: 512, At: noon})
		}
	})
}
