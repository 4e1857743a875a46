package agents

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
)

var _ policy.Resources = (*Service)(nil)

// Find implements policy.Resources: the caller's role on one thing of its tenant,
// "" for none. What is at hand and has not changed is returned without a lock or
// an allocation.
func (s *Service) Find(a policy.DirectoryAsk, tenantID, collection, id string) (string, *park.Job, *fault.Error) {
	if _, ok := callerOf(a.Who); !ok || tenantID == "" || !named(collection) || !named(id) {
		return "", nil, nil
	}
	if s.d.Feed == nil || s.d.DB == nil {
		return "", nil, unavailable(nil)
	}
	if !s.d.Feed.Fresh(a.Now) {
		if a.Trace.On() {
			a.Trace.Fail("store", "roles on things", "changes read lately", "the store has not been read for too long", "the same request once the store can be reached")
		}
		return "", nil, unavailable(nil)
	}
	at := place{a.Who, tenantID, collection, id}
	if e := s.table.get(at); e != nil && s.d.Feed.Holds(e.asOf, e.slots[:]...) {
		return e.role, nil, nil
	}
	key := jobKey(at, s.d.Feed.Seq())
	if done, ok := park.Find(a.Settled, key); ok {
		return settled(done)
	}
	return "", s.job(at, a.Now, key), nil
}

// jobKey is the digest of all that the job's result depends on. With the number of
// the last change among it, what came back before a change is never taken for
// what would come back after it.
func jobKey(at place, seq int64) park.Key {
	p := at.who
	var b []byte
	for _, part := range []string{"agents", at.tenant, at.collection, at.id, string(p.Kind), p.ProviderKind, p.Provider, p.Issuer, p.Authority(), strconv.FormatBool(p.IssuerFree),
		p.Subject, strconv.FormatBool(p.EmailVerified), p.EmailFolded, p.CommonName, p.CredentialID, strconv.FormatInt(seq, 10)} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

func (s *Service) job(at place, now time.Time, key park.Key) *park.Job {
	return &park.Job{Kind: "resource", Key: key, Waits: true, Run: func(ctx context.Context) (any, error) {
		e := &entry{place: at, asOf: s.d.Feed.Seq(), born: now.UnixNano(), slots: [3]change.Slot{ // before the first read
			change.SlotOf(at.tenant, change.Agent, slotID(at.collection, at.id)),
			change.SlotOf(at.tenant, change.User, ""), // an address may come to be a row's, or another's
			change.SlotOf(at.tenant, change.Tenant, at.tenant),
		}}
		c, _ := callerOf(at.who)
		err := s.d.DB.Read(ctx, func(tx *store.Tx) error {
			a, err := selectAgent(tx, at.tenant, at.collection, at.id, c)
			if errors.Is(err, ErrNoAgent) {
				a, err = Agent{}, nil
			}
			e.role = a.Role
			return err
		})
		if err != nil {
			return nil, err
		}
		s.table.put(e)
		return e.role, nil
	}}
}

func settled(done park.Settled) (string, *park.Job, *fault.Error) {
	if done.Err != nil {
		f := fault.From(done.Err)
		if f.Kind == fault.Internal { // whatever it was, nothing is known
			f = unavailable(done.Err)
		}
		return "", nil, f
	}
	role, ok := done.Value.(string)
	if !ok {
		return "", nil, unavailable(errors.New("a resource job came to no role"))
	}
	return role, nil, nil
}

// unavailable says that nothing can be said of what is stored.
func unavailable(err error) *fault.Error {
	f := fault.Wrap(fault.Unavailable, "store_unavailable", "The store is not available right now", err)
	f.RetryAfter = 5 * time.Second
	return f
}
