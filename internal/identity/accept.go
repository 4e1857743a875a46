package identity

import (
	"fmt"
	"slices"
	"strings"
)

// Accept says whose credentials count on a route. It is immutable.
type Accept struct {
	providers []*Provider
	named     bool
}

// Accept compiles a route's authProvider. A name is a provider's, or a kind
// (access, firebase, oidc, jwt, apiKey, machine), which means each of that kind.
// No names mean every provider of the site but machine, whose tokens are for what
// is made for them, and those where anybody may sign up (firebase, unless
// openSignUp is false). The error says what the site has.
func (s *Site) Accept(names []string) (*Accept, error) {
	a := &Accept{named: len(names) > 0}
	if !a.named {
		for _, m := range s.members {
			if !m.OpenSignUp && m.Off == "" && m.Kind != KindMachine {
				a.providers = append(a.providers, m.Provider)
			}
		}
		return a, nil
	}
	for _, name := range names {
		found := false
		for _, m := range s.members {
			if m.Name != name && m.Kind != name {
				continue
			}
			found = true
			if m.Off == "" && !slices.Contains(a.providers, m.Provider) {
				a.providers = append(a.providers, m.Provider)
			}
		}
		if !found {
			return nil, s.unknownProvider(name)
		}
	}
	return a, nil
}

// AcceptKnown is Accept for an operation of Portreeve's own: a provider that it
// names and the site has not opens nothing, and is no mistake of the file's.
func (s *Site) AcceptKnown(names []string) *Accept {
	if len(names) == 0 {
		return s.any
	}
	out := &Accept{named: true}
	for _, name := range names {
		if one, err := s.Accept([]string{name}); err == nil {
			for _, p := range one.providers {
				if !slices.Contains(out.providers, p) {
					out.providers = append(out.providers, p)
				}
			}
		}
	}
	return out
}

func (s *Site) unknownProvider(name string) error {
	switch name {
	case KindAPIKey, KindMachine:
		return fmt.Errorf("the site has no provider %s: it comes with tenantApi, or with the key %s", name, name)
	case "session":
		return fmt.Errorf("provider %s is not in this release", name)
	}
	var have []string
	for _, m := range s.members {
		have = append(have, m.Name)
	}
	if len(have) == 0 {
		return fmt.Errorf("no provider is called %q: the site has none", name)
	}
	return fmt.Errorf("no provider is called %q; the site has %s", name, strings.Join(have, ", "))
}

// Any is what requireAuth alone accepts.
func (s *Site) Any() *Accept { return s.any }

// Names lists the providers that count, for the check table. Those that are off
// are not among them.
func (a *Accept) Names() []string {
	out := make([]string, len(a.providers))
	for i, p := range a.providers {
		out[i] = p.Name
	}
	return out
}

// holds reports whether credentials of p count.
func (a *Accept) holds(p *Provider) bool { return slices.Contains(a.providers, p) }
