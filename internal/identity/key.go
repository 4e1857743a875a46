package identity

import (
	"context"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
)

// KeyVerifier is the store of API keys and machine tokens.
type KeyVerifier interface {
	// Parse looks at the shape of a token, its checksum and environment: no I/O.
	// kind is KindAPIKey, KindMachine, or "" with an error, which does not quote
	// the token.
	Parse(token string) (kind string, err error)
	// Verify finds the token's row. Unknown and wrong are the same
	// fault.Unauthenticated after the same work; what changes about a row (revoked,
	// expired, scopes) is not its to say but policy.Directory's.
	Verify(ctx context.Context, token string) (*principal.Principal, error)
}

// DefaultKeyHeader is where API keys are read besides Authorization.
const DefaultKeyHeader = "x-api-key"

// NewAPIKey builds the provider of API keys: read in a header of that name
// (empty: DefaultKeyHeader) and after "Bearer prk_".
func NewAPIKey(header string, v KeyVerifier) *Provider {
	if header == "" {
		header = DefaultKeyHeader
	}
	p := &Provider{Name: KindAPIKey, Kind: KindAPIKey, source: keyHeader, verifier: v, header: header, trustTenant: true}
	return p.seal("", header)
}

// NewMachine builds the provider of machine tokens: read after "Bearer tok_", or
// after "Bearer prk_" where that key is of the machine class. It counts only
// where it is named.
func NewMachine(v KeyVerifier) *Provider {
	p := &Provider{Name: KindMachine, Kind: KindMachine, source: bearer, verifier: v, trustTenant: true}
	return p.seal("")
}

// keyLike reports whether a bearer is a key or machine token by how it begins:
// such a one never goes to a provider of signed tokens.
func keyLike(token string) bool {
	return strings.HasPrefix(token, "prk_") || strings.HasPrefix(token, "tok_")
}

// maxKey bounds what is looked at as a key. The real ones have 70 characters.
const maxKey = 256

// key finds out whose a key or machine token is: remembered, or to be looked up.
// Shape, checksum and environment come first each time: they need no store.
func (s *Site) key(a *Ask, c credential) outcome {
	m := s.keyMember(c)
	if m == nil {
		return s.refused(a, c, nil, s.notTaken(c))
	}
	digest := digestOf(c.token)
	if s.memory != nil {
		if e := s.memory.get(&digest, &m.digest, a.Now); e != nil {
			if a.Trace.On() {
				a.Trace.Pass("identify", c.where(), "", m.Name+" "+clip(e.who.ID())+" (remembered)")
			}
			return outcome{member: m, who: e.who}
		}
	}
	return s.examineKey(a, c, m, digest)
}

// examineKey looks a key up that is not remembered.
func (s *Site) examineKey(a *Ask, c credential, m *member, digest [32]byte) outcome {
	job := jobKey("key", digest[:], m.digest[:])
	done, ok := park.Find(a.Settled, job)
	if !ok {
		a.Trace.Pass("identify", m.Name+": row", "", "to be looked up")
		return outcome{job: s.lookUp(m.Provider, strings.Clone(c.token), digest, job, a.Now)}
	}
	return s.lookedUp(a, c, m, done)
}

// keyMember is the provider that a key belongs to by what it says of itself; nil:
// none.
func (s *Site) keyMember(c credential) *member {
	if len(c.token) > maxKey {
		return nil
	}
	for _, m := range s.verify {
		kind, err := m.verifier.Parse(c.token)
		if err == nil && kind == m.Kind && (c.source == bearer || m.source == keyHeader) {
			return m
		}
	}
	return nil
}

// notTaken says why a key belongs to no provider. It quotes nothing of the key.
func (s *Site) notTaken(c credential) *refusal {
	for _, m := range s.verify {
		kind, err := m.verifier.Parse(c.token[:min(len(c.token), maxKey)])
		if err == nil && kind != "" && len(c.token) <= maxKey {
			continue
		}
		found := "a text that is longer than any key"
		if err != nil {
			found = err.Error()
		}
		return &refusal{code: CodeMalformed, check: m.Name + ": shape", wanted: "a key of this environment, whole",
			found: found, enough: "the key as it was shown when it was made"}
	}
	return &refusal{code: CodeNoKeys, check: "key", wanted: "a kind of key that the site takes", found: "one that it does not take in " + c.where(),
		enough: "a credential of a provider of the site, sent where it is read"}
}

// lookUp is the job that finds a key's row and remembers whose it is. It holds
// copies alone: the request may be gone when it runs.
func (s *Site) lookUp(p *Provider, token string, digest [32]byte, key park.Key, now time.Time) *park.Job {
	memory := s.memory
	return &park.Job{Kind: "key", Key: key, Waits: true, Guess: true, Run: func(ctx context.Context) (any, error) {
		found, err := p.verifier.Verify(ctx, token)
		if err != nil {
			return nil, err
		}
		v := verified{who: p.owner(found)}
		if v.who == nil {
			return nil, internal("a key without an owner")
		}
		if memory != nil {
			memory.put(digest, p.digest, v, now)
		}
		return v, nil
	}}
}

// owner is the principal of a key: its tenant is its own, no claim of it counts,
// and whatever the store says it goes by the provider that took it.
func (p *Provider) owner(found *principal.Principal) *principal.Principal {
	if found == nil || found.Subject == "" || found.CredentialID == "" {
		return nil
	}
	who := *found
	who.Provider, who.ProviderKind, who.Kind = p.Name, p.Kind, principal.Service
	if p.Kind == KindMachine {
		who.Kind = principal.Machine
	}
	who.TrustTenant, who.TrustRoles, who.SharedSecret, who.EmailVerified = true, false, false, false
	return &who
}

// lookedUp reads what became of a look-up.
func (s *Site) lookedUp(a *Ask, c credential, m *member, done park.Settled) outcome {
	if done.Err != nil {
		f := fault.From(done.Err)
		if a.Trace.On() {
			a.Trace.Fail("identify", m.Name+": row", "a key that exists", clip(f.Code), "a key that exists, as it was shown when it was made")
		}
		return outcome{fault: f}
	}
	v, ok := done.Value.(verified)
	if !ok || v.who == nil {
		return outcome{fault: internal("a look-up without result")}
	}
	if a.Trace.On() {
		a.Trace.Pass("identify", c.where(), "", m.Name+" "+clip(v.who.ID()))
	}
	return outcome{member: m, who: v.who}
}
