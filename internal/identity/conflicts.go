package identity

import "fmt"

// conflicts finds tokens that would belong to more than one provider, or to
// none.
func (s *Site) conflicts(loose []*member) (out []Problem) {
	names := map[string]bool{}
	access := 0
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

func disjoint(a, b []string) bool { return len(a) > 0 && len(b) > 0 && !meets(a, b) }
