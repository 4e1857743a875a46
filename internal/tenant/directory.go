package tenant

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
)

// Directory answers policy.Directory from the store: by a table that is read
// without locks, and by jobs that fill it. It outlives reloads; With makes the
// one of a configuration.
type Directory struct {
	*directory
	auto AutoCreate
}

// directory is what all configurations share.
type directory struct {
	s      *Service
	feed   *change.Feed
	keys   KeySource
	sess   SessionSource
	roles  *roleShelf
	table  *table
	refuse func(p *principal.Principal, tenant, reason string)
}

// AutoCreate says whether a trusted claim that names no tenant makes one.
type AutoCreate struct {
	On  bool
	Max int // in all; 100 where it is 0
}

// DirectoryDeps is what a Directory works with besides the Service.
type DirectoryDeps struct {
	Feed *change.Feed
	Keys KeySource // nil: no key is known
	// Sessions: nil: no session is known.
	Sessions SessionSource
	Roles    RoleSource // nil: tenants define no roles
	Entries  int        // DefaultEntries where it is 0
	// Refused counts a refusal that the audit trail has to name; nil: nobody counts.
	Refused func(p *principal.Principal, tenant, reason string)
}

// NewDirectory makes the directory of a process. It makes no tenants: see With.
func NewDirectory(s *Service, d DirectoryDeps) *Directory {
	return &Directory{directory: &directory{s: s, feed: d.Feed, keys: d.Keys, sess: d.Sessions, roles: newRoleShelf(d.Roles, d.Feed), table: newTable(d.Entries), refuse: d.Refused}}
}

// With is the directory as a configuration wants it: what is remembered is
// shared.
func (d *Directory) With(a AutoCreate) *Directory { return &Directory{d.directory, a} }

// Len counts the callers that are remembered, for metrics.
func (d *Directory) Len() int { return d.table.len() }

// nothing is known of nobody.
var nothing = &policy.Known{}

// Find implements policy.Directory. What is at hand and has not changed is
// returned without a lock or an allocation.
func (d *Directory) Find(a policy.DirectoryAsk) (*policy.Known, *park.Job, *fault.Error) {
	if !a.Who.Authenticated() {
		return nothing, nil, nil
	}
	if !d.feed.Fresh(a.Now) {
		if a.Trace.On() {
			a.Trace.Fail("store", "stored facts", "changes read lately", "the store has not been read for too long", "the same request once the store can be reached")
		}
		return nil, nil, unavailable(nil)
	}
	if e := d.table.get(a.Who, a.Claim, a.Default, d.auto.On); e != nil && d.feed.Holds(e.asOf, e.slots...) && !e.known.Session.Stale(a.Now) {
		return d.found(&a, e.known), nil, nil
	}
	key := d.key(&a, d.feed.Seq())
	if done, ok := park.Find(a.Settled, key); ok {
		return d.settled(&a, done)
	}
	return nil, d.job(a.Who, a.Claim, a.Default, a.Now, key), nil
}

// key is the digest of all that the job's result depends on. With the number of
// the last change among it, what came back before a change is never taken for
// what would come back after it.
func (d *Directory) key(a *policy.DirectoryAsk, seq int64) park.Key {
	p := a.Who
	return sha256.Sum256(packed("directory", string(p.Kind), p.Provider, p.ProviderKind, p.Issuer, p.Authority(), strconv.FormatBool(p.IssuerFree), p.Subject,
		p.EmailFolded, p.CommonName, p.Tenant, p.CredentialID, p.SecretDigest, p.SessionID, a.Claim, a.Default,
		strconv.FormatBool(d.auto.On), strconv.Itoa(d.auto.Max), strconv.FormatInt(seq, 10)))
}

func (d *Directory) job(who *principal.Principal, claim, standard string, now time.Time, key park.Key) *park.Job {
	q := question{who: who, claim: claim, standard: standard, auto: d.auto}
	return &park.Job{Kind: "directory", Key: key, Waits: true, Run: func(ctx context.Context) (any, error) {
		r, err := d.kept(ctx, &q)
		if err != nil {
			return nil, err
		}
		d.table.put(&entry{who: who, claim: claim, standard: standard, auto: q.auto.On, known: r.known, asOf: q.asOf, slots: r.slots, born: now.UnixNano()})
		if r.known.Refuse != nil && r.known.Refuse.Code == ErrIdentityConflict.Code && d.refuse != nil {
			d.refuse(who, r.known.Tenant, r.known.Refuse.Code)
		}
		return r.known, nil
	}}
}

// kept answers a question and lets the keeper of sessions do its part.
func (d *Directory) kept(ctx context.Context, q *question) (*resolution, error) {
	ctx, cancel := d.feed.Within(ctx)
	defer cancel()
	keeper, _ := d.sess.(SessionKeeper)
	if q.who.ProviderKind != identity.KindSession {
		keeper = nil
	}
	if keeper != nil {
		if err := keeper.Keep(ctx, q.who); err != nil {
			return nil, err
		}
	}
	q.asOf = d.feed.Seq() // before the first read
	r, err := d.answer(ctx, *q)
	if err != nil || keeper == nil || r.facts == nil || r.known.Refuse != nil {
		return r, err
	}
	renew, err := keeper.Stand(ctx, q.who, *r.facts, r.known)
	if renew != "" {
		r.known.Renew = renew
	}
	return r, err
}

func (d *Directory) settled(a *policy.DirectoryAsk, done park.Settled) (*policy.Known, *park.Job, *fault.Error) {
	if done.Err != nil {
		f := fault.From(done.Err)
		if f.Kind == fault.Internal { // whatever it was, nothing is known
			f = unavailable(done.Err)
		}
		if a.Trace.On() {
			a.Trace.Fail("store", "stored facts", "what is stored about the caller", f.Code, "the same request later")
		}
		return nil, nil, f
	}
	known, ok := done.Value.(*policy.Known)
	if !ok || known == nil {
		return nil, nil, fault.Wrap(fault.Internal, "internal", "", fmt.Errorf("a directory job came to a %T", done.Value))
	}
	return d.found(a, known), nil, nil
}

// found records what is known.
func (d *Directory) found(a *policy.DirectoryAsk, k *policy.Known) *policy.Known {
	if a.Trace.On() && k.Refuse == nil {
		user := "no users row"
		if k.UserID != "" {
			user = "user " + k.UserID
		}
		a.Trace.Pass("store", "stored facts", "", user+" of tenant "+k.Tenant+", roles "+strings.Join(k.Roles, " "))
	}
	return k
}

// unavailable says that nothing can be said of what is stored.
func unavailable(err error) *fault.Error {
	f := fault.Wrap(fault.Unavailable, "store_unavailable", "The store is not available right now", err)
	f.RetryAfter = 5 * time.Second
	return f
}
