package identity

import (
	"context"
	"errors"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/park"
)

// keys finds the keys that may have signed a token, or says what to do about
// there being none: fetch the set once, refuse, or say that the issuer is out
// of reach.
func (s *Site) keys(a *Ask, c credential, m *member, tok *jws.Token, content *claims) ([]*jws.Key, outcome) {
	set := m.keysFor(content.issuer)
	if set == nil {
		return nil, outcome{fault: internal("a provider without keys")}
	}
	all, ready := set.Keys()
	keys, named := candidates(all, tok.Header)
	if ready && len(keys) > 0 {
		return keys, outcome{}
	}
	if !ready || tok.Header.Kid != "" && !named {
		fetch := jobKey("keys", []byte(set.Health().Name), m.digest[:])
		done, tried := park.Find(a.Settled, fetch)
		var f *fault.Error
		switch {
		case !tried && set.MayRefetch(a.Now):
			return nil, outcome{job: refetch(set, fetch)}
		case errors.As(done.Err, &f): // nobody asked the issuer: no room for the job
			return nil, outcome{fault: f}
		}
	}
	if !ready {
		a.Trace.Fail("identify", m.Name+": keys", "the issuer's keys", "none yet", "an issuer that can be reached")
		return nil, outcome{fault: unavailable(errors.New(m.Name + ": " + set.Health().Err))}
	}
	r := &refusal{code: CodeUnknownKey, check: "key", wanted: "a key of the provider",
		found: "kid " + tok.Header.Kid + " for " + tok.Header.Alg, enough: "a token signed with one of the provider's keys"}
	if named { // the key is known, and is not for this algorithm
		r.code = CodeWrongAlgorithm
	}
	return nil, s.refused(a, c, m, r)
}

// candidates picks the keys to try: those that the token names; else, where
// the set's keys have no ids or the token names none, at most localKeys of the
// algorithm. named reports that some key has the token's kid.
func candidates(all []*jws.Key, h jws.Header) (keys []*jws.Key, named bool) {
	for _, k := range all {
		if h.Kid != "" && k.ID == h.Kid {
			named = true
			if k.Allows(h.Alg) {
				keys = append(keys, k)
			}
		}
	}
	if !named {
		for _, k := range all {
			if (h.Kid == "" || k.ID == "") && k.Allows(h.Alg) {
				keys = append(keys, k)
			}
		}
	}
	if len(keys) > localKeys {
		keys = keys[:localKeys]
	}
	return keys, named
}

// refetch is the job that fetches a key set.
func refetch(set *keyset.Set, key park.Key) *park.Job {
	return &park.Job{Kind: "keys", Key: key, Waits: true, Run: func(ctx context.Context) (any, error) {
		return nil, set.Refetch(ctx)
	}}
}
