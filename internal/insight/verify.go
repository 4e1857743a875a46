package insight

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/request"
)

// Verified is what reading a tenant's chain from its beginning came to.
type Verified struct {
	OK     bool  `json:"ok"`
	Events int64 `json:"events"`
	Erased int64 `json:"erased"` // persons who were erased
	// Checkpoints are those that the chain was held against; 0: a missing end would
	// not be seen.
	Checkpoints int64           `json:"checkpoints"`
	Problem     string          `json:"problem,omitempty"` // the first
	Problems    []audit.Problem `json:"problems"`          // the first hundred
	More        int64           `json:"more"`              // that are not listed
}

// mostVerified bounds how many tenants' chains are read at a time.
const mostVerified = 4

// verifying are the tenants whose chains are being read: each once, so that nobody
// who keeps asking for their own takes the place of the others.
type verifying struct {
	mu   sync.Mutex
	busy map[string]bool
}

func (v *verifying) begin(tenant string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.busy[tenant] || len(v.busy) >= mostVerified {
		return false
	}
	if v.busy == nil {
		v.busy = map[string]bool{}
	}
	v.busy[tenant] = true
	return true
}

func (v *verifying) end(tenant string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.busy, tenant)
}

// verifyEvents verifies the chain of the caller's tenant. It reads all of it, so
// that of a tenant one at a time.
func (s *Service) verifyEvents(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	if elsewhere(c) {
		return request.Reply{}, errElsewhere
	}
	_, log, err := s.trail(c)
	if err != nil {
		return request.Reply{}, err
	}
	if !s.verifying.begin(c.Tenant) {
		return request.Reply{}, fault.New(fault.Unavailable, "verifying", "Another trail is being verified; try again in a moment")
	}
	defer s.verifying.end(c.Tenant)
	from, done, err := s.checkpoints()
	if err != nil {
		return request.Reply{}, err
	}
	defer done()
	r, err := log.Verify(ctx, audit.Scope{Tenant: c.Tenant}, from)
	if err != nil {
		return request.Reply{}, err
	}
	out := Verified{OK: r.OK(), Events: r.Rows, Erased: r.Erased, Checkpoints: r.Checkpoints, Problems: r.Problems, More: r.More}
	if len(out.Problems) > 0 {
		out.Problem = out.Problems[0].What
		if n := out.Problems[0].N; n > 0 {
			out.Problem = fmt.Sprintf("event %d: %s", n, out.Problem)
		}
	} else {
		out.Problems = []audit.Problem{}
	}
	return gateway.JSON(200, out), nil
}

// checkpoints opens what the trail is held against. A file that cannot be read
// is no reason to say that all is well without it.
func (s *Service) checkpoints() (io.Reader, func(), error) {
	open := s.d.Events.Checkpoints
	if open == nil {
		return nil, func() {}, nil
	}
	f, err := open()
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, "checkpoints", "The checkpoints cannot be read", err)
	}
	if f == nil {
		return nil, func() {}, nil
	}
	return f, func() { _ = f.Close() }, nil
}

var errElsewhere = fault.New(fault.Forbidden, "cross_site", "Cross-site request refused")

// elsewhere reports whether a page of another site may have caused a GET: one that
// costs, or is on record, is held to what posts are.
func elsewhere(c *gateway.Call) bool {
	v := *c.View
	v.Method = "POST"
	return identity.CrossSite(&v, false, nil)
}
