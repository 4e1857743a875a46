package mfa

import (
	"context"
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
)

var _ policy.StepUps = (*Service)(nil)

// Find implements policy.StepUps: the second factor that a token proves. The
// tenant is the one that the caller was found to be in, as a.Claim. What is at
// hand and has not changed is returned without a lock or a query; a token that
// proves nothing is not remembered.
func (s *Service) Find(a policy.DirectoryAsk, token, site string) (*policy.StepUp, *park.Job, *fault.Error) {
	if len(token) != tokenLength || !policy.Person(a.Who) || a.Claim == "" {
		return nil, nil, nil
	}
	if s.d.Feed == nil || !s.d.Feed.Fresh(a.Now) {
		return nil, nil, unavailable(nil)
	}
	key := sha256.Sum256([]byte(token))
	if e := s.held.get(key, a.Who, a.Claim, site); e != nil && s.d.Feed.Holds(e.asOf, e.slots...) {
		return e.at(a.Now), nil, nil
	}
	p, err := PersonOf(a.Who, a.Claim, "", site)
	if err != nil {
		return nil, nil, nil
	}
	name := sha256.Sum256([]byte(digest("find", token, p.Tenant, p.ID, p.Site, p.Bound, strconv.FormatInt(s.d.Feed.Seq(), 10))))
	done, ok := park.Find(a.Settled, name)
	if !ok {
		now := a.Now
		return nil, &park.Job{Kind: "step-up", Key: name, Waits: true, Run: func(ctx context.Context) (any, error) { return s.load(ctx, p, key, token, now) }}, nil
	}
	e, ok := done.Value.(*entry)
	if done.Err != nil || !ok || e == nil {
		return nil, nil, unavailable(done.Err)
	}
	return e.at(a.Now), nil, nil
}

// load reads what a token proves.
func (s *Service) load(ctx context.Context, p Person, key [32]byte, token string, now time.Time) (*entry, error) {
	e := &entry{key: key, who: p.Who, tenant: p.Tenant, site: p.Site, born: now.UnixNano(), asOf: s.d.Feed.Seq()} // before the reading: a change after it is noticed
	err := s.d.DB.Read(ctx, func(tx *store.Tx) error {
		up, err := readStepUp(tx, p, token, now)
		if err != nil || up == nil {
			return err
		}
		e.stepUp = &policy.StepUp{At: up.grantedAt, Factor: up.factor}
		e.expires = up.expires
		e.slots = []change.Slot{change.SlotOf(p.Tenant, change.Factor, p.ID)}
		if up.userID != "" {
			e.slots = append(e.slots, change.SlotOf(p.Tenant, change.User, up.userID))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if e.stepUp != nil {
		s.held.put(e)
	}
	return e, nil
}

// at is the step-up as long as it has not ended.
func (e *entry) at(now time.Time) *policy.StepUp {
	if e.stepUp == nil || !e.expires.After(now) {
		return nil
	}
	return e.stepUp
}

func unavailable(err error) *fault.Error {
	f := fault.Wrap(fault.Unavailable, "store_unavailable", "The store is not available right now", err)
	f.RetryAfter = 5 * time.Second
	return f
}
