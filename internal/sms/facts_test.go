package sms

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestDaysCountWhatIsStoredOfOneSite(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		err := db.Tx(t.Context(), func(tx *store.Tx) error {
			for i, x := range []struct {
				site, campaign, state string
				at                    time.Time
			}{
				{"a.example", "default", accepted, noon}, {"a.example", "default", accepted, noon.Add(11 * time.Hour)},
				{"a.example", "default", unknown, noon}, {"a.example", "spring", sending, noon},
				{"a.example", "default", accepted, noon.Add(12 * time.Hour)}, {"b.example", "default", accepted, noon},
			} {
				if _, err := tx.Exec(`INSERT INTO sms_sends (id, site, campaign, number, network, prefix, state, at, keep_until) VALUES ($1, $2, $3, 'n', 'w', 'p', $4, $5, $6)`,
					string(rune('a'+i)), x.site, x.campaign, x.state, x.at.UnixMilli(), x.at.Add(day).UnixMilli()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := New(Deps{DB: db}).Days(t.Context(), "a.example")
		want := []Day{{"2026-11-22", "default", 1, 0}, {"2026-11-21", "default", 2, 1}, {"2026-11-21", "spring", 0, 1}}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s %v", d, err)
		}
	})
}

// TestFactsTellWhatHolds: the caps too, and nothing of the account that pays.
func TestFactsTellWhatHolds(t *testing.T) {
	t.Parallel()
	c, problems := parse(whole+"\nlimits: {perNumber: {windowMs: 60000, max: 1}}", Place{})
	if len(problems) > 0 && c == nil {
		t.Fatal(problems)
	}
	got := c.Facts(Place{Prod: true})
	want := Facts{
		Origins: []string{"https://example.com"}, Regions: []string{"US"}, Campaigns: []CampaignFacts{{"default", "Get the app"}},
		Limits: []LimitFacts{{"number", 60_000, 1}, {"network", 3_600_000, capPerIP}, {"all", day.Milliseconds(), capPerDay}}, Capped: true,
		DedupeMs: 600_000, KeptMs: day.Milliseconds(),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
