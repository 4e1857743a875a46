package identity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// conflicts finds tokens that would belong to more than one provider, or to
// none.
func (s *Site) conflicts(loose []*member) (out []Problem) {
	out = s.keyConflicts()
	names := map[string]bool{}
	access, sessions := 0, 0
	for _, m := range s.members {
		if names[m.Name] {
			out = append(out, Problem{Provider: m.Name, Message: "two providers have this name"})
		}
		names[m.Name] = true
		if m.Off == "" && m.source == accessHeader {
			if access++; access > 1 {
				out = append(out, Problem{Provider: m.Name, Message: "only one provider can read Access's header"})
			}
		}
	}
	for _, m := range s.members {
		if m.sessions != nil {
			if sessions++; sessions > 1 {
				out = append(out, Problem{Provider: m.Name, Message: "a site has one provider of sessions"})
			}
		}
	}
	for _, iss := range sortedKeys(s.byIssuer) {
		list := s.byIssuer[iss]
		for i, m := range list {
			for _, other := range list[:i] {
				if !disjoint(m.audience, other.audience) {
					out = append(out, Problem{Provider: m.Name, Message: fmt.Sprintf(
						"has the issuer of %s, %s: give the two audiences that have nothing in common", other.Name, iss)})
				}
			}
		}
		if s.taken[iss] {
			out = append(out, Problem{Provider: list[0].Name, Message: "has the issuer of the access provider, " + iss})
		}
	}
	if len(loose) > 1 {
		for _, m := range loose {
			out = append(out, Problem{Provider: m.Name, Warning: true,
				Message: "has no issuer, nor have others: with more than one such provider no token belongs to any of them"})
		}
	}
	return out
}

// notForKeys are headers that have another meaning, folded.
var notForKeys = []string{"authorization", "cookie", "host", "origin", "content-type", "content-length", "x-tenant-id", "x-request-id"}

// keyConflicts finds a header for keys that is none, or somebody else's.
func (s *Site) keyConflicts() (out []Problem) {
	for _, m := range s.verify {
		if m.source != keyHeader {
			continue
		}
		switch folded := request.Fold(m.header); {
		case !headerName(m.header):
			out = append(out, Problem{Provider: m.Name, Message: "its header is no header name"})
		case slices.Contains(notForKeys, folded), strings.HasPrefix(folded, "cf-access-"), strings.HasPrefix(folded, "x-forwarded-"), strings.HasPrefix(folded, "x-portreeve-"):
			out = append(out, Problem{Provider: m.Name, Message: "its header has another meaning; choose another"})
		}
	}
	return out
}

// headerName reports whether s is an RFC 9110 token.
func headerName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

func disjoint(a, b []string) bool { return len(a) > 0 && len(b) > 0 && !meets(a, b) }
