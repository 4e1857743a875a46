package identity

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/park"
)

// examine looks at a token that is not remembered: everything but its
// signature, in order of cost, then what became of the signature's job.
func (s *Site) examine(a *Ask, c credential, digest [32]byte) outcome {
	if c.source == bearer && s.emulated(c.token) {
		return s.examineUnsigned(a, c)
	}
	tok, err := jws.Parse(c.token)
	if err != nil {
		return s.refused(a, c, nil, unreadable(err))
	}
	content, r := decode(tok.Payload)
	if r != nil {
		return s.refused(a, c, nil, r)
	}
	m, r := s.choose(c.source, content.issuer, content.audience)
	if r == nil {
		r = m.algorithm(tok.Header.Alg)
	}
	if r == nil {
		r = m.check(content, m.audience, a.Now)
	}
	if r != nil {
		return s.refused(a, c, m, r)
	}
	key := jobKey("verify", digest[:], m.digest[:])
	if done, ok := park.Find(a.Settled, key); ok {
		return s.settled(a, c, m, done)
	}
	keys, o := s.keys(a, c, m, tok, content)
	if keys == nil {
		return o
	}
	a.Trace.Pass("identify", m.Name+": signature", "", "to be verified")
	return outcome{job: s.verification(a, m.Provider, tok, content, keys, digest, key)}
}

// decode reads a payload. Nothing of it is verified.
func decode(payload []byte) (*claims, *refusal) {
	all, err := jws.DecodeClaims(payload)
	if err != nil {
		return nil, unreadable(err)
	}
	c, wrong := readClaims(all, payload)
	if wrong != "" {
		return nil, malformed(wrong)
	}
	return c, nil
}

func unreadable(err error) *refusal {
	r := &refusal{code: CodeMalformed, check: "shape", wanted: "a compact JWS", found: err.Error(),
		enough: "a signed token as its issuer made it, whole"}
	if errors.Is(err, jws.ErrAlgorithm) {
		r.code, r.check = CodeWrongAlgorithm, "algorithm"
		r.wanted, r.enough = "one of RS, PS, ES, HS (256, 384, 512), EdDSA", "a token signed with one of them"
	}
	return r
}

// jobKey is the digest of all that a job depends on: what it does, the whole
// token, the provider's settings.
func jobKey(kind string, parts ...[]byte) park.Key {
	s := &settings{}
	s.text(kind)
	for _, p := range parts {
		s.text(string(p))
	}
	return sha256.Sum256(s.b)
}

// verification is the job that verifies a signature and remembers what it
// proved. It holds copies alone: the request may be gone when it runs.
func (s *Site) verification(a *Ask, p *Provider, tok *jws.Token, c *claims, keys []*jws.Key, digest [32]byte, key park.Key) *park.Job {
	memory, now := s.memory, a.Now
	return &park.Job{Kind: "verify", Key: key, Run: func(context.Context) (any, error) {
		k := signer(tok, keys)
		if k == nil {
			return nil, refuse(CodeBadSignature, p.Name+": no key of the provider made the signature")
		}
		who, r := p.principal(c)
		if r != nil {
			return nil, r.fault()
		}
		v := verified{who: who, key: k.Thumbprint()}
		if memory != nil {
			memory.put(digest, p.digest, v, now)
		}
		return v, nil
	}}
}

func signer(tok *jws.Token, keys []*jws.Key) *jws.Key {
	for _, k := range keys {
		if tok.Verify(k) == nil {
			return k
		}
	}
	return nil
}

// settled reads what became of a verification.
func (s *Site) settled(a *Ask, c credential, m *member, done park.Settled) outcome {
	if done.Err != nil {
		f := fault.From(done.Err)
		if a.Trace.On() {
			a.Trace.Fail("identify", m.Name+": signature", "a key of the provider", clip(f.Code), "the token as its issuer signed it, whole")
		}
		return outcome{fault: f}
	}
	v, ok := done.Value.(verified)
	if !ok || v.who == nil {
		return outcome{fault: internal("a verification without result")}
	}
	if !m.holds(v.who.Issuer, v.key) { // the set changed meanwhile
		return s.refused(a, c, m, &refusal{code: CodeUnknownKey, check: "key", wanted: "a key of the provider",
			found: "a key that is gone", enough: "a token signed with one of the provider's keys"})
	}
	if a.Trace.On() {
		a.Trace.Pass("identify", c.where(), "", m.Name)
	}
	return outcome{member: m, who: v.who}
}
