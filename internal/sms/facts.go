package sms

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// Facts are what a site's texts are, told to people.
type Facts struct {
	Origins   []string        `json:"origins"`
	Regions   []string        `json:"regions"`
	Campaigns []CampaignFacts `json:"campaigns"`
	Limits    []LimitFacts    `json:"limits"` // all that hold, the caps of prod too
	Capped    bool            `json:"capped"` // those caps hold
	DedupeMs  int64           `json:"dedupeMs"`
	Widget    bool            `json:"widget"`
	Turnstile bool            `json:"turnstile"`
	KeptMs    int64           `json:"keptMs"` // for how long a text that was sent is counted
}

// CampaignFacts is a text by its name.
type CampaignFacts struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// LimitFacts is never more than Max in any span of WindowMs, by number, network
// (an address, IPv6 by /64), prefix, or all.
type LimitFacts struct {
	By       string `json:"by"`
	WindowMs int64  `json:"windowMs"`
	Max      int    `json:"max"`
}

// Facts are what holds at a place.
func (c *Config) Facts(at Place) Facts {
	rules := c.rules(at)
	f := Facts{
		Origins: append([]string{}, c.Origins...), Regions: append([]string{}, c.Regions...), Campaigns: []CampaignFacts{}, Limits: []LimitFacts{},
		Capped: c.capped(at), DedupeMs: c.DedupeMs, Widget: c.Widget, Turnstile: c.Turnstile != nil,
		KeptMs: remember(rules, time.Duration(c.DedupeMs)*time.Millisecond).Milliseconds(),
	}
	for _, name := range slices.Sorted(maps.Keys(c.Campaigns)) {
		f.Campaigns = append(f.Campaigns, CampaignFacts{name, c.Campaigns[name]})
	}
	for _, r := range rules {
		by := string(r.by)
		if r.by == byAll {
			by = "all"
		}
		f.Limits = append(f.Limits, LimitFacts{by, r.window.Milliseconds(), r.max})
	}
	return f
}

// Day is how many texts of a campaign are stored of one day (UTC). What Twilio
// refused is stored nowhere: Counts has it.
type Day struct {
	Day      string `json:"day"` // 2026-11-22
	Campaign string `json:"campaign"`
	Sent     int64  `json:"sent"`    // Twilio took them
	Unknown  int64  `json:"unknown"` // whether it did, nobody can say
}

// mostDays bounds the answer of Days.
const mostDays = 1000

// Days are the texts of a site that are stored, the newest day first. They are kept
// only as long as a limit counts them.
func (s *Service) Days(ctx context.Context, site string) (list []Day, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		list, err = store.List(tx, func(r store.Row) (d Day, err error) {
			var n int64
			err = r.Scan(&n, &d.Campaign, &d.Sent, &d.Unknown)
			d.Day = time.UnixMilli(n * day.Milliseconds()).UTC().Format(time.DateOnly)
			return d, err
		}, `SELECT at / 86400000 AS d, campaign, SUM(CASE WHEN state = $2 THEN 1 ELSE 0 END), SUM(CASE WHEN state = $2 THEN 0 ELSE 1 END)
			FROM sms_sends WHERE site = $1 GROUP BY at / 86400000, campaign ORDER BY d DESC, campaign LIMIT $3`, site, accepted, int64(mostDays))
		return err
	})
	return list, err
}
