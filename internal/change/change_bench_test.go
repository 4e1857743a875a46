package change_test

import (
	"context"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func BenchmarkHolds(b *testing.B) {
	f := change.NewFeed(storetest.SQLite(b), change.Options{})
	poll(b, f)
	asOf := f.Seq()
	b.ReportAllocs()
	for b.Loop() {
		if !f.Holds(asOf, ada, users, roles) {
			b.Fatal("does not hold")
		}
	}
}

// From a write's commit on one handle until the feed of another, as another
// process has it, no longer holds what it remembered.
func BenchmarkOtherProcessKnows(b *testing.B) {
	for _, engine := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLiteURL}, {"postgres", storetest.PostgresURL}} {
		b.Run(engine.name, func(b *testing.B) {
			url := engine.url(b)
			here, there := storetest.Open(b, url), storetest.Open(b, url)
			f := change.NewFeed(there, change.Options{})
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { defer close(done); f.Run(ctx) }()
			defer func() { stop(); <-done }()
			until(b, "fresh", func() bool { return f.Fresh(time.Now()) })
			worst := time.Duration(0)
			for b.Loop() {
				asOf := f.Seq()
				note(b, here, "acme", change.User, "ada")
				began := time.Now()
				for f.Holds(asOf, ada) {
					time.Sleep(20 * time.Microsecond)
				}
				worst = max(worst, time.Since(began))
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		})
	}
}
