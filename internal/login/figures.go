package login

import (
	"slices"
	"strings"
	"sync"

	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/metric"
)

// Figures are what Castle and the forwarding of what applications track came to at
// one site since the process began, under all its configurations.
type Figures struct {
	Site    string
	Castle  *castle.Stats // nil: it has none
	Tracked *metric.Stats // nil: nothing is forwarded
}

// board knows the surfaces that run, and what those came to that ran.
type board struct {
	mu      sync.Mutex
	running []*Surface
	ended   map[string]Figures // by site
}

func (b *board) begin(u *Surface) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = append(b.running, u)
}

func (b *board) end(u *Surface) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = slices.DeleteFunc(b.running, func(o *Surface) bool { return o == u })
	f := u.Figures()
	if f.Castle == nil && f.Tracked == nil {
		return
	}
	if f.Castle != nil {
		f.Castle.Queued = 0
	}
	if f.Tracked != nil {
		f.Tracked.Queued = 0
	}
	if b.ended == nil {
		b.ended = map[string]Figures{}
	}
	b.ended[f.Site] = f.plus(b.ended[f.Site])
}

// Figures are those of all sites that have any, in the order of their names.
func (s *Service) Figures() []Figures {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	sum := map[string]Figures{}
	for site, f := range s.board.ended {
		sum[site] = f
	}
	for _, u := range s.board.running {
		sum[u.site.Name] = u.Figures().plus(sum[u.site.Name])
	}
	var out []Figures
	for _, f := range sum {
		if f.Castle != nil || f.Tracked != nil {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b Figures) int { return strings.Compare(a.Site, b.Site) })
	return out
}

// Figures are those of this surface alone.
func (u *Surface) Figures() Figures {
	f := Figures{Site: u.site.Name}
	if c, ok := u.risk.(interface{ Stats() castle.Stats }); ok {
		s := c.Stats()
		f.Castle = &s
	}
	if u.metrics != nil {
		s := u.metrics.Stats()
		f.Tracked = &s
	}
	return f
}

// plus adds those of the same site under another configuration.
func (f Figures) plus(g Figures) Figures {
	if f.Castle != nil && g.Castle != nil {
		a, b := f.Castle, g.Castle
		f.Castle = &castle.Stats{
			Allowed: a.Allowed + b.Allowed, Challenged: a.Challenged + b.Challenged, Denied: a.Denied + b.Denied, Failing: a.Failing + b.Failing,
			Refused: a.Refused + b.Refused, Sent: a.Sent + b.Sent, Dropped: a.Dropped + b.Dropped, Queued: a.Queued + b.Queued,
		}
	} else if g.Castle != nil {
		f.Castle = g.Castle
	}
	if f.Tracked != nil && g.Tracked != nil {
		a, b := f.Tracked, g.Tracked
		f.Tracked = &metric.Stats{Taken: a.Taken + b.Taken, Sent: a.Sent + b.Sent, Dropped: a.Dropped + b.Dropped, Queued: a.Queued + b.Queued}
	} else if g.Tracked != nil {
		f.Tracked = g.Tracked
	}
	return f
}
