package audit_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// BenchmarkAppend is the cost of one row: alone in its transaction, and with
// others; with a person, who is a second row, and without.
func BenchmarkAppend(b *testing.B) {
	nobody := full("acme")
	nobody.TargetEmail, nobody.Actor.Email, nobody.Actor.IP = "", "", netip.Addr{}
	actor := full("acme")
	actor.TargetEmail = ""
	for _, engine := range []struct {
		name string
		open func(testing.TB) *store.DB
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		for _, c := range []struct {
			name  string
			batch int
			e     audit.Event
		}{{"alone", 1, actor}, {"500", 500, nobody}, {"500-with-actor", 500, actor}} {
			b.Run(engine.name+"/"+c.name, func(b *testing.B) {
				db := engine.open(b)
				l := audittest.New(b, db)
				b.ReportAllocs()
				b.ResetTimer()
				for done := 0; done < b.N; done += c.batch {
					if err := db.Tx(context.Background(), func(tx *store.Tx) error {
						for range min(c.batch, b.N-done) {
							if err := l.Append(tx, c.e); err != nil {
								return err
							}
						}
						return nil
					}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	db := storetest.SQLite(b)
	l := audittest.New(b, db)
	events := make([]audit.Event, 10_000)
	for i := range events {
		events[i] = full("acme")
	}
	add(b, db, l, events...)
	b.ResetTimer()
	for b.Loop() {
		mustVerify(b, l, 10_000)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10_000, "µs/row")
}

func BenchmarkRefused(b *testing.B) {
	l := audittest.New(b, nil)
	ip := netip.MustParseAddr("2001:db8::1")
	b.ReportAllocs()
	for b.Loop() {
		l.Refused("acme", "bad_token", "", ip)
	}
}
