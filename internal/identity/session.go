package identity

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// SessionVerifier is the store of sessions.
type SessionVerifier interface {
	// Verify finds the session whose cookie it is, on the site that made it.
	//
	// Of the principal count: Provider (the name of the one that signed it in),
	// Issuer, Subject, Email, EmailVerified (as that provider said), Claims and Raw
	// (of its ID token), Groups and Scopes where they are not nil (else the claims'),
	// AuthTime, Anew, IssuedAt, Expires (the absolute end; zero: SessionFacts tells),
	// SessionID and SecretDigest. All else follows from the provider's settings as
	// they are now: its kind, which of its words count, roles, tenant, e-mail.
	//
	// A cookie that is no session, of this site or any more, is
	// fault.Unauthenticated. What changes about a session (ended, revoked) is
	// policy.Directory's to say.
	Verify(ctx context.Context, cookie, site string) (*principal.Principal, error)
}

// NewSession builds the provider of a site's sessions. site is the site's name.
func NewSession(site string, v SessionVerifier) *Provider {
	p := &Provider{Name: KindSession, Kind: KindSession, source: sessionCookie, sessions: v, site: site}
	return p.seal("")
}

// Cookies hold 256 random bits: 43 characters of base64url. There is room for
// other forms, and none for what would cost the store something.
const minCookie, maxCookie = 16, 256

// session finds out whose a session is: remembered, or to be looked up.
func (s *Site) session(a *Ask, c credential) outcome {
	m := s.sessions
	if !cookieLike(c.token) {
		return s.refused(a, c, m, &refusal{code: CodeSessionEnded, check: "shape", wanted: "a session cookie as it was set", found: "another text",
			enough: "signing in again"})
	}
	digest := digestOf(c.token)
	if s.memory != nil {
		if e := s.memory.get(&digest, &s.sessionDigest, a.Now); e != nil {
			if a.Trace.On() {
				a.Trace.Pass("identify", c.where(), "", (&outcome{member: m, who: e.who}).called()+" (remembered)")
			}
			return outcome{member: m, who: e.who}
		}
	}
	job := jobKey("session", digest[:], s.sessionDigest[:])
	done, ok := park.Find(a.Settled, job)
	if !ok {
		a.Trace.Pass("identify", m.Name+": row", "", "to be looked up")
		return outcome{job: s.findSession(m, strings.Clone(c.token), digest, job, a)}
	}
	return s.foundSession(a, c, m, done)
}

// cookieLike reports whether a text may be a session's cookie.
func cookieLike(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return minCookie <= len(s) && len(s) <= maxCookie
}

// sessionMisses is how many cookies of one address that are no session are looked
// up in a minute. A stranger who tries them has 2^256 to go through, and everybody
// who comes back after a night has one: it is there for the store's sake alone.
const sessionMisses = 600

// findSession is the job that finds a session and remembers whose it is. It
// holds copies alone: the request may be gone when it runs.
func (s *Site) findSession(m *member, token string, digest [32]byte, key park.Key, a *Ask) *park.Job {
	now := a.Now
	return &park.Job{Kind: "session", Key: key, Waits: true, Guess: true, Misses: sessionMisses, Run: func(ctx context.Context) (any, error) {
		row, err := m.sessions.Verify(ctx, token, m.site)
		if err != nil {
			return nil, err
		}
		if row == nil || row.SessionID == "" {
			return nil, internal("a session without a row")
		}
		who, r := s.vouched(row)
		if r != nil {
			return nil, r.fault()
		}
		v := verified{who: who}
		if s.memory != nil {
			s.memory.put(digest, s.sessionDigest, v, now)
		}
		return v, nil
	}}
}

// foundSession reads what became of a look-up.
func (s *Site) foundSession(a *Ask, c credential, m *member, done park.Settled) outcome {
	if done.Err != nil {
		f := fault.From(done.Err)
		if a.Trace.On() {
			a.Trace.Fail("identify", m.Name+": row", "a session of this site that has not ended", clip(f.Code), "signing in again")
		}
		return outcome{fault: f}
	}
	v, ok := done.Value.(verified)
	if !ok || v.who == nil {
		return outcome{fault: internal("a look-up without result")}
	}
	o := outcome{member: m, who: v.who}
	if a.Trace.On() {
		a.Trace.Pass("identify", c.where(), "", o.called())
	}
	return o
}

// vouched holds what is stored of a session to the settings of the provider that
// signed it in. One whose provider the site has no more, or has off, is somebody's
// still, and counts nowhere; so is one whose provider's name has come to stand for
// another issuer, whose settings say nothing about the words of the one before.
func (s *Site) vouched(row *principal.Principal) (*principal.Principal, *refusal) {
	for _, m := range s.members {
		if m.Name == row.Provider && m.sessions == nil && m.verifier == nil && m.issues(row.Issuer) {
			return m.vouch(row)
		}
	}
	return &principal.Principal{Kind: principal.User, Provider: row.Provider, ProviderKind: KindSession, Issuer: row.Issuer, Subject: row.Subject,
		SessionID: row.SessionID, SecretDigest: row.SecretDigest, AuthTime: row.AuthTime, Expires: row.Expires}, nil
}

// issues reports whether the provider's tokens may be of that issuer.
func (p *Provider) issues(issuer string) bool {
	return slices.ContainsFunc(p.keyed, func(k keyed) bool { return k.issuer == issuer || k.issuer == "" })
}

// vouch makes the principal of a session that the provider signed in: what its
// claims say, as far as the provider's word counts now.
func (p *Provider) vouch(row *principal.Principal) (*principal.Principal, *refusal) {
	c, wrong := readClaims(row.Claims, row.Raw)
	if wrong != "" {
		return nil, malformed(wrong)
	}
	if row.Subject == "" {
		return nil, malformed("a session without a subject")
	}
	c.issuer, c.subject = row.Issuer, row.Subject
	if row.Email != "" {
		c.email, c.verified = row.Email, row.EmailVerified
	}
	if row.Groups != nil {
		c.groups = row.Groups
	}
	if row.Scopes != nil {
		c.scopes = row.Scopes
	}
	who, r := p.principal(c)
	if r != nil {
		return nil, r
	}
	who.Kind, who.ProviderKind, who.Via, who.CommonName = principal.User, KindSession, p.Kind, ""
	who.SessionID, who.SecretDigest = row.SessionID, row.SecretDigest
	if !row.AuthTime.IsZero() {
		who.AuthTime = row.AuthTime
	}
	who.Anew, who.IssuedAt, who.Expires = row.Anew, row.IssuedAt, row.Expires
	return who, nil
}

// digestOfSessions is the digest of all that the principal of a session depends
// on besides its row.
func (s *Site) digestOfSessions() [32]byte {
	d := &settings{}
	for _, m := range s.members {
		d.text(string(m.digest[:]))
	}
	return sha256.Sum256(d.b)
}

// Ambient reports whether a request carries a credential that its browser adds by
// itself, and whether one is a cookie, whatever it is worth: for operations that
// look at none and change something all the same. Ask CrossSite then.
func (s *Site) Ambient(v *request.View) (ambient, fromCookie bool) {
	if s.reads[sessionCookie] {
		_, n := cookie(v.Header, CookieSession)
		ambient, fromCookie = n > 0, n > 0
	}
	if s.reads[accessHeader] {
		_, n := cookie(v.Header, cookieAccess)
		ambient, fromCookie = ambient || n > 0 || v.Header.Has(headerAccess), fromCookie || n > 0
	}
	return ambient, fromCookie
}
