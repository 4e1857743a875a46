package identity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/keyset"
)

// Site is what one site accepts: its providers, which of them a token belongs
// to, and for whom a token must be meant. It is immutable.
type Site struct {
	members  []*member // in the order of the configuration, the ones that are off included
	reads    [sources]bool
	byIssuer map[string][]*member // of those that read Authorization
	taken    map[string]bool      // issuers of providers that read elsewhere
	fallback *member              // the jwt provider without issuer, if there is exactly one
	access   *member
	verify   []*member // those of keys and machine tokens
	sessions *member   // that of sessions; nil: none are taken
	// sessionDigest is what sessions are remembered under: it covers the settings
	// of every provider of the site, any of which may have signed one in.
	sessionDigest [32]byte
	// keyHeader is the header that API keys are read in; "" where none are.
	keyHeader string
	memory    *Memory
	any       *Accept
}

// member is a provider as one site uses it.
type member struct {
	*Provider
	audience []string // the provider's, or narrower
}

// SiteOptions are a site's own settings.
type SiteOptions struct {
	// Audience narrows providers' audiences, by provider name.
	Audience map[string][]string
	// Memory is the process's table of remembered tokens; nil remembers nothing.
	Memory *Memory
}

// Problem is what is wrong with a site's providers together.
type Problem struct {
	Provider string // its name
	Message  string
	Warning  bool
}

// NewSite puts providers together. With problems that are no warnings the site
// must not be used.
func NewSite(providers []*Provider, o SiteOptions) (*Site, []Problem) {
	s := &Site{byIssuer: map[string][]*member{}, taken: map[string]bool{}, memory: o.Memory}
	var problems []Problem
	var loose []*member // jwt providers without issuer
	for _, p := range providers {
		m := &member{Provider: p, audience: p.audience}
		if narrow, ok := o.Audience[p.Name]; ok {
			problems = append(problems, m.narrow(narrow)...)
		}
		s.members = append(s.members, m)
		if p.Off != "" {
			continue
		}
		if p.source != sessionCookie || p.sessions != nil { // or nobody could say whose the cookie is
			s.reads[p.source] = true
		}
		switch issuers := p.Issuers(); {
		case p.verifier != nil:
			s.verify = append(s.verify, m)
			s.reads[bearer] = true
			if p.source == keyHeader {
				s.keyHeader = p.header
			}
		case p.sessions != nil:
			s.sessions = m
		case p.source == accessHeader:
			s.access = m
			s.taken[issuers[0]] = true
		case len(issuers) == 0:
			loose = append(loose, m)
		default:
			for _, iss := range issuers {
				s.byIssuer[iss] = append(s.byIssuer[iss], m)
			}
		}
	}
	if len(loose) == 1 {
		s.fallback = loose[0]
	}
	s.sessionDigest = s.digestOfSessions()
	s.any, _ = s.Accept(nil)
	return s, append(problems, s.conflicts(loose)...)
}

// narrow limits the audience. A wider one, or none, is a mistake: the site
// would accept what the provider does not.
func (m *member) narrow(to []string) []Problem {
	if len(to) == 0 {
		return []Problem{{Provider: m.Name, Message: "an empty audience narrows nothing; leave the key out"}}
	}
	for _, a := range to {
		if a == "" || len(m.audience) > 0 && !slices.Contains(m.audience, a) {
			return []Problem{{Provider: m.Name, Message: fmt.Sprintf("audience %q is none of the provider's: a site may only narrow it", a)}}
		}
	}
	m.audience = slices.Clone(to)
	return nil
}

func sortedKeys(m map[string][]*member) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// choose finds the one provider that a token belongs to by its issuer, and
// where several have that issuer, by its audience. It only compares: whether
// the token is what it says, verification by that one provider tells.
func (s *Site) choose(from source, issuer string, audience []string) (*member, *refusal) {
	if from == accessHeader {
		if len(s.access.keyed) > 0 && s.access.keyed[0].issuer == issuer {
			return s.access, nil
		}
		return nil, &refusal{code: CodeWrongIssuer, check: KindAccess + ": issuer",
			wanted: s.access.keyed[0].issuer, found: issuer, enough: "a token of that team"}
	}
	list := s.byIssuer[issuer]
	if issuer != "" && len(list) == 1 {
		return list[0], nil
	}
	if issuer != "" && len(list) > 1 {
		return chooseByAudience(list, audience)
	}
	if s.fallback != nil && !s.taken[issuer] {
		return s.fallback, nil
	}
	return nil, &refusal{code: CodeUnknownIssuer, check: "issuer", wanted: strings.Join(sortedKeys(s.byIssuer), ", "),
		found: issuer, enough: "a token of one of these issuers, sent where its provider reads"}
}

func chooseByAudience(list []*member, audience []string) (*member, *refusal) {
	var one *member
	for _, m := range list {
		if !meets(audience, m.audience) {
			continue
		}
		if one != nil {
			return nil, &refusal{code: CodeWrongAudience, check: "audience", wanted: "the audience of one provider",
				found: strings.Join(audience, ", "), enough: "a token that is not meant for two providers at once"}
		}
		one = m
	}
	if one == nil {
		return nil, &refusal{code: CodeWrongAudience, check: "audience", wanted: "the audience of one provider",
			found: strings.Join(audience, ", "), enough: "a token meant for this site"}
	}
	return one, nil
}

// Providers lists the site's providers in the order of the configuration.
func (s *Site) Providers() []*Provider {
	out := make([]*Provider, len(s.members))
	for i, m := range s.members {
		out[i] = m.Provider
	}
	return out
}

// Audience lists what a provider's token must name on this site, one of them.
func (s *Site) Audience(provider string) []string {
	for _, m := range s.members {
		if m.Name == provider {
			return slices.Clone(m.audience)
		}
	}
	return nil
}

// KeySets lists the key sets of the site's providers, each once.
func (s *Site) KeySets() []*keyset.Set {
	var out []*keyset.Set
	for _, m := range s.members {
		for _, k := range m.KeySets() {
			if !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	return out
}

// CredentialHeaders names the headers that the site's providers read, those that
// are off included: what no upstream gets unless passCredential.
func (s *Site) CredentialHeaders() []string {
	var out []string
	add := func(h string) {
		if !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	for _, m := range s.members {
		switch m.source {
		case accessHeader:
			add(headerAccess)
			continue
		case sessionCookie:
			continue
		case keyHeader:
			add(m.header)
		}
		add(headerAuthorization)
	}
	return out
}

// CredentialCookies are the cookies that they read: see CredentialHeaders.
func (s *Site) CredentialCookies() (out []string) {
	for _, m := range s.members {
		switch m.source {
		case accessHeader:
			out = append(out, cookieAccess)
		case sessionCookie:
			out = append(out, CookieSession)
		}
	}
	return out
}

// internal is the fault for what cannot happen: it refuses all the same.
func internal(why string) *fault.Error { return fault.From(fmt.Errorf("identity: %s", why)) }
