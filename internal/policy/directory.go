package policy

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/trace"
)

// Directory says what is stored about callers. Find is pure but for atomic
// loads: what is not at hand is a Job, whose Key is the digest of all that its
// result depends on. Exactly one of the three is not nil. A fault says that
// nothing can be said, which refuses (a node that is stale: Unavailable).
type Directory interface {
	Find(a DirectoryAsk) (known *Known, job *park.Job, f *fault.Error)
}

// DirectoryAsk is the question what is stored about a caller.
type DirectoryAsk struct {
	Who     *principal.Principal
	Claim   string // the tenant by its own, or by a trusted claim; "" for none
	Default string // the tenant by tenants.defaultFor; "" for none
	Now     time.Time
	Settled []park.Settled  // what became of the jobs that earlier answers asked for
	Trace   *trace.Recorder // nil: nothing is recorded
}

// Known is what is stored about a caller. It is immutable and shared by all
// requests that it holds for.
type Known struct {
	Tenant string // resolved: own or claimed, else of the bound row, else the default; "" for none
	UserID string // of the users row; "" where there is none
	// Called is what people call the row: its e-mail, else its name. It is for pages,
	// and decides nothing.
	Called string
	Roles  []string // stored roles of the tenant, in their order
	// TenantRoles are the tenant's own role definitions; nil: none.
	TenantRoles *StoredRoles
	// TenantLimit counts all requests of the tenant's callers together, besides
	// all other limits; nil: nothing does.
	TenantLimit *limit.RuleConfig
	// Key is what a key or machine token may do; nil for everybody else.
	Key *KeyGrant
	// Session is what is stored of the session that the caller came by; nil for
	// everybody else.
	Session *SessionFacts
	// Renew is a new value for the session's cookie, which the answer carries; "":
	// the one that was shown stays.
	Renew string
	// Expires is when the key's secret ends; zero: never.
	Expires time.Time
	// Refuse refuses whatever is asked: a disabled user, an unknown tenant, a
	// revoked key.
	Refuse *fault.Error
	// Why is for the trace: with Refuse what would have been enough, else why
	// there is no tenant.
	Why string
}

// SessionFacts is what is stored of a session. It is immutable.
type SessionFacts struct {
	ID       string    // the row's
	Idle     time.Time // when it ends unless it is used before; zero: never by that
	Absolute time.Time // when it ends whatever happens; zero: never by that
	// Again is when what is known has to be asked anew, since a session is used up by
	// time and not only by changes; zero: it need not.
	Again time.Time
}

// Stale reports whether what is known of the session has to be asked anew.
func (s *SessionFacts) Stale(now time.Time) bool {
	return s != nil && !s.Again.IsZero() && !now.Before(s.Again)
}

// Ends is when the session ends as far as is known now; zero: never.
func (s *SessionFacts) Ends() time.Time {
	switch {
	case s == nil:
		return time.Time{}
	case s.Idle.IsZero(), !s.Absolute.IsZero() && s.Absolute.Before(s.Idle):
		return s.Absolute
	}
	return s.Idle
}

// KeyGrant is what a key or machine token may do, as far as it is stored. It is
// immutable, and goes by pointer.
type KeyGrant struct {
	ID      string // the row's
	Machine bool
	Scopes  []string // "*" or resource:action
	// ByHost says that it was made on the host: whoever made it holds everything
	// in its tenant.
	ByHost bool
	// CreatorRoles are the creator's stored roles now, CreatorClaimed those that
	// its token claimed when it made or last changed the key.
	CreatorRoles, CreatorClaimed []string
	// AllowedIPs are the networks it may be used from; none: all.
	AllowedIPs []netip.Prefix
	// Limit counts the key's requests besides all other limits; nil: nothing does.
	Limit *limit.RuleConfig

	power atomic.Pointer[power]
}

// Admits reports whether the key may be used from an address. One that is not
// known for sure (the zero one too) is in no list.
func (k *KeyGrant) Admits(a netip.Addr, unsure bool) bool {
	if k == nil || len(k.AllowedIPs) == 0 {
		return true
	}
	if unsure || !a.IsValid() {
		return false
	}
	a = a.Unmap().WithZone("")
	for _, p := range k.AllowedIPs {
		if p.Contains(a) || p.Addr().Is4In6() && p.Bits() >= 96 && netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Contains(a) {
			return true
		}
	}
	return false
}
