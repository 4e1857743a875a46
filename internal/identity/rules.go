package identity

import (
	"slices"
	"strings"
	"time"
)

// Defaults of a provider's rules.
const (
	defaultLeeway     = time.Minute
	defaultMaxAge     = 24 * time.Hour
	defaultMaxAgeHMAC = 400 * 24 * time.Hour
)

// algorithm refuses a token whose header names an algorithm that no key of the
// provider is for.
func (p *Provider) algorithm(alg string) *refusal {
	if p.algs == nil || slices.Contains(p.algs, alg) {
		return nil
	}
	return &refusal{code: CodeWrongAlgorithm, check: "algorithm", wanted: strings.Join(p.algs, ", "), found: alg,
		enough: "a token signed with " + strings.Join(p.algs, " or ")}
}

// check applies the rules that need no key, cheapest and most telling first.
// audience is the site's, which is the provider's own or narrower.
func (p *Provider) check(c *claims, audience []string, now time.Time) *refusal {
	if r := checkAudience(c.audience, audience); r != nil {
		return r
	}
	if r := p.times(c, now); r != nil {
		return r
	}
	if p.extra != nil {
		return p.extra(p, c, now)
	}
	return nil
}

// checkAudience reports whether a token names one of wanted; no wanted
// audience asks for none.
func checkAudience(named, wanted []string) *refusal {
	if len(wanted) == 0 || meets(named, wanted) {
		return nil
	}
	return &refusal{code: CodeWrongAudience, check: "audience", wanted: strings.Join(wanted, ", "),
		found: strings.Join(named, ", "), enough: "a token whose aud holds " + strings.Join(wanted, " or ")}
}

func meets(named, wanted []string) bool {
	for _, w := range wanted {
		if slices.Contains(named, w) {
			return true
		}
	}
	return false
}

// times checks exp, nbf and iat (RFC 7519 section 4.1).
func (p *Provider) times(c *claims, now time.Time) *refusal {
	at := func(i instant) string {
		if !i.set {
			return "absent"
		}
		return i.at.UTC().Format(time.RFC3339)
	}
	bad := func(code, check, wanted string, i instant, enough string) *refusal {
		return &refusal{code: code, check: check, wanted: wanted, found: at(i), enough: enough}
	}
	limit := now.Add(p.leeway)
	switch {
	case !c.expires.set:
		return bad(CodeMalformed, "exp", "an expiry", c.expires, "a token with exp")
	case !now.Before(c.expires.at.Add(p.leeway)):
		return bad(CodeExpired, "exp", "later than "+now.UTC().Format(time.RFC3339), c.expires, "a fresh token")
	case c.expires.at.After(limit.Add(p.maxAge)):
		return bad(CodeTooLongLived, "exp", "at most "+p.maxAge.String()+" ahead", c.expires,
			"a token that expires within "+p.maxAge.String()+" (maxTokenAge)")
	case c.notBefore.set && c.notBefore.at.After(limit):
		return bad(CodeNotYetValid, "nbf", "not later than now", c.notBefore, "waiting, or a clock that is right")
	case c.issuedAt.set && c.issuedAt.at.After(limit):
		return bad(CodeNotYetValid, "iat", "not later than now", c.issuedAt, "a clock that is right")
	}
	return nil
}
