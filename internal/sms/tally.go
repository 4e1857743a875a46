package sms

import (
	"slices"
	"strings"
	"sync"
)

// Count is how many requests of a campaign had an outcome.
type Count struct {
	Site, Campaign string // Campaign "": none of the file's
	// Outcome is sent, repeated (sent a moment ago), refused (by Twilio), unknown
	// (whether Twilio took it), unavailable (the store, or a key), or the word that
	// the caller was told.
	Outcome string
	N       uint64
}

// tally counts. Sites, campaigns and outcomes are the file's and ours, so that
// what is kept is bounded.
type tally struct {
	mu sync.Mutex
	n  map[Count]uint64 // by a Count without N
}

func (t *tally) add(site, campaign, outcome string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[Count]uint64{}
	}
	t.n[Count{Site: site, Campaign: campaign, Outcome: outcome}]++
}

// Counts are the figures since the process began, in order.
func (s *Service) Counts() []Count {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	out := make([]Count, 0, len(s.tally.n))
	for c, n := range s.tally.n {
		c.N = n
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Count) int {
		return strings.Compare(a.Site+"\x00"+a.Campaign+"\x00"+a.Outcome, b.Site+"\x00"+b.Campaign+"\x00"+b.Outcome)
	})
	return out
}
