package session

import (
	"encoding/json"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/tenant"
)

const (
	// preSession is how long a sign-in may take.
	preSession = 10 * time.Minute
	// oldCookie is how long a cookie that was replaced is good for other tabs.
	oldCookie = 30 * time.Second
	// touchEvery is how exactly it is stored when a session was last used, at most:
	// see touch.
	touchEvery = time.Minute
	// refreshGrace is how long a session goes on whose tokens have expired while its
	// provider cannot be reached.
	refreshGrace = 10 * time.Minute
	// retryEvery is how often such a provider is asked for one session.
	retryEvery = 15 * time.Second
	// linkLife is how long a one-time link is good.
	linkLife = 10 * time.Minute
)

// The faults of this feature.
var (
	ErrEnded     = fault.New(fault.Unauthenticated, identity.CodeSessionEnded, "")
	ErrNoSession = fault.New(fault.NotFound, "no_session", "")
	ErrProvider  = &fault.Error{Kind: fault.Unavailable, Code: "provider_unavailable", Message: "The sign-in provider cannot be reached right now", RetryAfter: retryEvery}
	ErrNoLink    = fault.New(fault.NotFound, "no_link", "The link is not good any more")
)

// Session is one session as people see it.
type Session struct {
	ID       string
	Tenant   string // as known at sign-in
	UserID   string
	Site     string
	Provider string
	// CreatedAt is when it began, SeenAt when it was last used, to the minute.
	CreatedAt, SeenAt, EndsAt time.Time
}

// facts is what the provider said of a person, as it is kept: sealed.
type facts struct {
	Issuer  string          `json:"iss"`
	Subject string          `json:"sub"`
	Nonce   string          `json:"nonce,omitempty"` // of the sign-in: refreshed ID tokens may have it
	Anew    bool            `json:"anew,omitempty"`  // the sign-in asked the provider to authenticate anew, whom it knew or not
	Claims  json.RawMessage `json:"claims"`
}

// row is a session as it is stored. Times are unix milliseconds; 0 is none.
type row struct {
	id, tenant, user    string
	site, provider      string
	owner, sid          string
	facts, refresh      []byte
	refreshRev          int64
	tokensEnd, retryAt  int64
	lease               string
	leaseUntil          int64
	stood               string
	idle, seenAt        int64
	authTime, createdAt int64
	endsAt              int64
}

// over reports whether a session has ended by time; seen is when it was last used,
// as far as this node knows.
func (r *row) over(now time.Time, seen int64) bool {
	at := now.UnixMilli()
	return at >= r.endsAt || at >= max(seen, r.seenAt)+r.idle
}

// touch is how exactly it is stored when it was last used: a session that ends soon
// without use must not end between two looks at it while it is used.
func (r *row) touch() time.Duration {
	return min(touchEvery, time.Duration(r.idle)*time.Millisecond/3)
}

// due reports whether its tokens have to be refreshed before it goes on.
func (r *row) due(now time.Time) bool {
	return len(r.refresh) > 0 && r.tokensEnd != 0 && now.UnixMilli() >= r.tokensEnd
}

// spent reports whether it can go on no longer without a refresh.
func (r *row) spent(now time.Time) bool {
	return r.due(now) && now.UnixMilli() >= r.tokensEnd+refreshGrace.Milliseconds()
}

func (r *row) view() Session {
	return Session{
		ID: r.id, Tenant: r.tenant, UserID: r.user, Site: r.site, Provider: r.provider,
		CreatedAt: moment(r.createdAt), SeenAt: moment(r.seenAt), EndsAt: moment(r.endsAt),
	}
}

// ownerOf is the digest of who somebody is, whatever it signs in by being part of
// that.
func ownerOf(provider, issuer, subject string) string {
	return digestOf("owner", provider, issuer, subject)
}

// ownerOfWho is ownerOf for a caller.
func ownerOfWho(p *principal.Principal) string { return ownerOf(p.Provider, p.Issuer, p.Subject) }

// Of says whose sessions are meant: those that a users row signed in, or those of
// an identity. Either may be empty.
type Of struct {
	Tenant, UserID string
	Bound          tenant.Binding
}

// OfUser is a users row and the identity that it is bound to.
func OfUser(u tenant.User) Of { return Of{Tenant: u.Tenant, UserID: u.ID, Bound: u.Bound} }

func (o Of) owner() string {
	if o.Bound.IsZero() {
		return ""
	}
	return ownerOf(o.Bound.Provider, o.Bound.Issuer, o.Bound.Subject)
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
