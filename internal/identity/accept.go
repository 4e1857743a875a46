package identity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/principal"
)

// Accept says whose credentials count on a route. It is immutable.
type Accept struct {
	providers []*Provider
	// signers are those whose sessions count: the providers themselves, and where
	// session is named, those whose credentials open what requireAuth alone asks.
	signers []*Provider
	named   bool
}

// Accept compiles a route's authProvider. A name is a provider's, or a kind
// (access, firebase, oidc, jwt, apiKey, machine, session), which means each of
// that kind; a session counts besides wherever the provider that signed it in does.
// No names mean every provider of the site but machine, whose tokens are for what
// is made for them, and those where anybody may sign up (firebase, unless
// openSignUp is false). The error says what the site has.
func (s *Site) Accept(names []string) (*Accept, error) {
	a := &Accept{named: len(names) > 0}
	if !a.named {
		for _, m := range s.members {
			if !m.OpenSignUp && m.Off == "" && m.Kind != KindMachine && m.Kind != KindSession {
				a.providers = append(a.providers, m.Provider)
			}
		}
		a.signers = a.providers
		if s.sessions != nil && len(a.providers) > 0 { // without a provider that counts, no session does
			a.providers = append(a.providers[:len(a.providers):len(a.providers)], s.sessions.Provider)
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
			if m.Off != "" || slices.Contains(a.providers, m.Provider) {
				continue
			}
			a.providers = append(a.providers, m.Provider)
			if m.sessions != nil {
				a.signers = append(a.signers, s.any.signers...)
			} else {
				a.signers = append(a.signers, m.Provider)
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
			out.signers = append(out.signers, one.signers...)
		}
	}
	return out
}

func (s *Site) unknownProvider(name string) error {
	switch name {
	case KindAPIKey, KindMachine:
		return fmt.Errorf("the site has no provider %s: it comes with tenantApi, or with the key %s", name, name)
	case KindSession:
		return fmt.Errorf("the site has no provider session: it comes with signIn, or with a provider that people sign in by")
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

// holds reports whether a credential of p counts; who is whom it shows. A session
// counts where the provider that signed it in does.
func (a *Accept) holds(p *Provider, who *principal.Principal) bool {
	if p.Kind != KindSession {
		return slices.Contains(a.providers, p)
	}
	for _, signer := range a.signers {
		if signer.Name == who.Provider && signer.Kind == who.Via {
			return true
		}
	}
	return false
}

// SignsIn reports whether a session that the provider of that name signs in
// counts.
func (a *Accept) SignsIn(provider string) bool {
	return a != nil && slices.ContainsFunc(a.signers, func(p *Provider) bool { return p.Name == provider })
}

// Counts reports whether a credential that shows somebody as who does counts.
func (a *Accept) Counts(who *principal.Principal) bool {
	if a == nil {
		return false
	}
	if who.ProviderKind == KindSession {
		return a.holds(&Provider{Kind: KindSession}, who)
	}
	return slices.ContainsFunc(a.providers, func(p *Provider) bool { return p.Name == who.Provider && p.Kind == who.ProviderKind })
}
