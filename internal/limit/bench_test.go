package limit

import (
	"net/netip"
	"testing"
	"time"
)

func TestAWarmKeyCostsNoAllocation(t *testing.T) {
	table, rule := NewTable(10000), Rule{Window: time.Minute, Max: 100}
	addr := netip.MustParseAddr("2001:db8::1")
	long := "a subject that is longer than what fits the small buffers of the compiler"
	now := start
	run := func() {
		now = now.Add(time.Second)
		var buf [8]Claim
		claims := AppendAddress(buf[:0], 1, addr, rule)
		claims = append(claims, Claim{TextKey(2, "jwt", long), rule})
		table.TakeAll(claims, now)
		table.Take(subjectKey, rule, now)
	}
	for range 1000 {
		run()
	}
	if n := testing.AllocsPerRun(1000, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var subjectKey = subject(1)

func BenchmarkTake(b *testing.B) {
	for name, rule := range map[string]Rule{
		"admitted": {time.Microsecond, 100}, "refused": {time.Hour, 100}, "large": {time.Millisecond, 100000},
	} {
		b.Run(name, func(b *testing.B) {
			table, now := NewTable(65536), start
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(100)
				table.Take(subjectKey, rule, now)
			}
		})
	}
}

func BenchmarkTakeManyKeys(b *testing.B) {
	table, rule := NewTable(65536), Rule{time.Minute, 1 << 20}
	keys := make([]Key, 20000)
	for i := range keys {
		keys[i] = subject(i)
	}
	now, i := start, 0
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(100)
		table.Take(keys[i%len(keys)], rule, now)
		i++
	}
}

func BenchmarkTakeFullTable(b *testing.B) {
	table, rule := NewTable(65536), Rule{time.Minute, 5}
	keys := make([]Key, 200000)
	for i := range keys {
		keys[i] = subject(i)
		table.Take(keys[i], rule, start)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		table.Take(keys[i%len(keys)], rule, start.Add(time.Duration(i)*100))
		i++
	}
}

func BenchmarkTakeParallel(b *testing.B) {
	table, rule := NewTable(65536), Rule{time.Minute, 100}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			table.Take(subjectKey, rule, start)
		}
	})
}

func BenchmarkAddressAndPrincipal(b *testing.B) {
	table, rule := NewTable(65536), Rule{time.Minute, 100}
	addr := netip.MustParseAddr("2001:db8::1")
	b.ReportAllocs()
	for b.Loop() {
		var buf [4]Claim
		claims := append(AppendAddress(buf[:0], 1, addr, rule), Claim{TextKey(2, "jwt", "alice"), rule})
		table.TakeAll(claims, start)
	}
}
