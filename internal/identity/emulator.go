package identity

import (
	"encoding/base64"
	"strings"

	"github.com/portreeve/portreeve/internal/jws"
)

// parseUnsigned reads a token of the Firebase Auth emulator: the compact form
// with alg "none" and an empty signature (RFC 7515 appendix A.5). It exists for
// providers with the emulator switch alone, which take no other token; the
// strict parser knows no such form.
func parseUnsigned(compact string) (payload []byte, why string) {
	header, rest, _ := strings.Cut(compact, ".")
	body, signature, three := strings.Cut(rest, ".")
	if len(compact) > jws.MaxToken || !three || signature != "" {
		return nil, "not a token of the emulator: three parts, the last one empty"
	}
	strict := base64.RawURLEncoding.Strict()
	if strings.ContainsAny(compact, "\r\n") { // which the decoder would skip
		return nil, "not base64url"
	}
	h, err := strict.DecodeString(header)
	if err != nil {
		return nil, "not base64url"
	}
	if payload, err = strict.DecodeString(body); err != nil {
		return nil, "not base64url"
	}
	head, err := jws.DecodeClaims(h)
	if err != nil || head["alg"] != "none" {
		return nil, "not a token of the emulator: its alg is not none"
	}
	if typ, there := head["typ"]; there && typ != "JWT" {
		return nil, "its typ is not JWT"
	}
	if _, crit := head["crit"]; crit {
		return nil, "crit is not supported"
	}
	return payload, ""
}

// emulated reports whether a token can only be one of the Firebase emulator
// and the site takes such: it ends in an empty signature.
func (s *Site) emulated(token string) bool {
	if !strings.HasSuffix(token, ".") {
		return false
	}
	for _, m := range s.members {
		if m.unsigned {
			return true
		}
	}
	return false
}

// examineUnsigned takes a token of the emulator: by every rule but the
// signature, which it has not. Nothing is remembered.
func (s *Site) examineUnsigned(a *Ask, c credential) outcome {
	payload, why := parseUnsigned(c.token)
	if why != "" {
		return s.refused(a, c, nil, malformed(why))
	}
	content, r := decode(payload)
	if r != nil {
		return s.refused(a, c, nil, r)
	}
	m, r := s.choose(c.source, content.issuer, content.audience)
	if r == nil && !m.unsigned {
		r = m.algorithm("none")
		if r == nil {
			r = malformed("an unsigned token")
		}
	}
	if r == nil {
		r = m.check(content, m.audience, a.Now)
	}
	if r != nil {
		return s.refused(a, c, m, r)
	}
	who, r := m.principal(content)
	if r != nil {
		return s.refused(a, c, m, r)
	}
	if a.Trace.On() {
		a.Trace.Pass("identify", c.where(), "", m.Name+" (emulator, unsigned)")
	}
	return outcome{member: m, who: who}
}
