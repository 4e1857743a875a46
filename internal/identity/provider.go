package identity

import (
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/principal"
)

// The kinds of provider, which are also their keys in the config file.
const (
	KindAccess   = "access"
	KindFirebase = "firebase"
	KindOIDC     = "oidc"
	KindJWT      = "jwt"
	KindAPIKey   = "apiKey"
	KindMachine  = "machine"
	KindSession  = "session"
)

// Provider is one configured issuer of tokens: what its tokens have to say, by
// whose keys, and which of its words count. It is immutable but for the key
// sets' content. The zero Provider accepts nothing.
type Provider struct {
	Name string // as routes and logs call it: "access", "jwt", "entra"
	Kind string // KindAccess, …

	// Off says why the provider accepts nothing, "" if it works: an access
	// provider without audience.
	Off string
	// OpenSignUp says that anybody may get a credential of it, so that it counts
	// only where a route names it.
	OpenSignUp bool

	source   source
	keyed    []keyed  // at least one, unless Off or unsigned
	algs     []string // what is accepted; nil: whatever the key is for
	audience []string // one of them must be named; nil: none is asked for
	leeway   time.Duration
	maxAge   time.Duration

	emailTrusted bool     // its addresses count as verified
	emailDomains []string // those in these domains do, folded
	trustRoles   bool
	trustTenant  bool
	tenantClaim  string

	unsigned bool // the Firebase emulator: see emulator.go
	// extra are the kind's own rules, after the common ones.
	extra func(p *Provider, c *claims, now time.Time) *refusal

	verifier KeyVerifier // of keys and machine tokens; they have no issuer
	header   string      // that holds them, of keys
	sessions SessionVerifier
	site     string   // of sessions: whose they are
	client   *Client  // for sign-in by browsers; nil: none
	amr      []string // trustAmr: what says so of a second factor

	files  []string
	digest [32]byte
}

// keyed is an issuer and the keys that speak for it. Only Firebase has two.
type keyed struct {
	issuer string // exact; "": any, the jwt provider without issuer
	keys   *keyset.Set
}

// Digest is the digest of the provider's name and settings, secrets included:
// remembered tokens carry over a reload exactly where it did not change.
func (p *Provider) Digest() [32]byte { return p.digest }

// KeySets are the sets to keep fresh (keyset.Set.Run) and to report on. Sets
// that several providers share appear in each.
func (p *Provider) KeySets() []*keyset.Set {
	var out []*keyset.Set
	for _, k := range p.keyed {
		if k.keys != nil {
			out = append(out, k.keys)
		}
	}
	return out
}

// Keys is the first of KeySets, or nil.
func (p *Provider) Keys() *keyset.Set {
	if s := p.KeySets(); len(s) > 0 {
		return s[0]
	}
	return nil
}

// Issuers lists the exact issuers of its tokens; empty: any (a jwt provider
// without issuer).
func (p *Provider) Issuers() []string {
	var out []string
	for _, k := range p.keyed {
		if k.issuer != "" {
			out = append(out, k.issuer)
		}
	}
	return out
}

// Audience lists the audiences of which a token must name one; empty: none is
// asked for.
func (p *Provider) Audience() []string { return slices.Clone(p.audience) }

// Files lists the files that its keys are read from: a watched config reloads
// when one changes.
func (p *Provider) Files() []string { return slices.Clone(p.files) }

// TrustsTenant reports whether its tenant claim counts.
func (p *Provider) TrustsTenant() bool { return p.trustTenant }

// TrustsRoles reports whether its role claims count.
func (p *Provider) TrustsRoles() bool { return p.trustRoles }

// keysFor returns the keys that speak for an issuer.
func (p *Provider) keysFor(issuer string) *keyset.Set {
	for i := range p.keyed {
		if k := &p.keyed[i]; k.issuer == issuer || k.issuer == "" {
			return k.keys
		}
	}
	return nil
}

// holds reports whether the key of that thumbprint still speaks for issuer.
func (p *Provider) holds(issuer, thumbprint string) bool {
	set := p.keysFor(issuer)
	return set != nil && set.Has(thumbprint) // Has is false for keys that are too old
}

// refusal is a check that did not hold: the fault, and for the trace what was
// wanted and found.
type refusal struct {
	code, check, wanted, found, enough string
}

func (r *refusal) fault() *fault.Error {
	why := r.check
	if r.found != "" {
		why += ": " + r.found
	}
	return refuse(r.code, why)
}

// principal builds what a verified token proved. Call it after the signature.
func (p *Provider) principal(c *claims) (*principal.Principal, *refusal) {
	who := &principal.Principal{
		Kind: principal.User, Provider: p.Name, ProviderKind: p.Kind,
		Issuer: c.issuer, Subject: c.subject, Email: c.email,
		Audience: c.audience, Scopes: c.scopes, Groups: c.groups,
		TrustRoles: p.trustRoles, TrustTenant: p.trustTenant, SharedSecret: p.Kind == KindJWT && p.emailTrusted,
		IssuerFree: p.Kind == KindJWT && len(p.Issuers()) == 0, SecondFactor: p.secondFactor(c.all),
		Claims: c.all, Raw: c.raw,
		AuthTime: c.authTime.at, IssuedAt: c.issuedAt.at, Expires: c.expires.at,
	}
	if issuers := p.Issuers(); len(issuers) > 1 {
		who.Realm = issuers[0]
	}
	if p.Kind == KindAccess && c.subject == "" {
		who.Kind, who.CommonName = principal.Service, c.commonName
	}
	if folded, domain, ok := plainEmail(c.email); ok && p.emailVerified(c, domain) {
		who.EmailVerified, who.EmailFolded, who.EmailDomain = true, folded, domain
	}
	r := reader{all: c.all}
	roles := append(r.texts("role"), r.texts("roles")...)
	if roles = unique(roles); r.wrong != "" && p.trustRoles {
		return nil, malformed(r.wrong)
	} else if r.wrong == "" {
		who.Roles = roles
	}
	r = reader{all: c.all}
	if tenant := r.text(p.tenantClaim, true); r.wrong == "" {
		who.Tenant = tenant
	} else if p.trustTenant {
		return nil, malformed(r.wrong)
	}
	return who, nil
}

// unique keeps the order: the first role that a token names is the one that
// auth.role yields.
func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(list, func(s string) bool {
		twice := seen[s]
		seen[s] = true
		return twice
	})
}

func (p *Provider) emailVerified(c *claims, domain string) bool {
	return p.emailTrusted || c.verified || slices.Contains(p.emailDomains, domain)
}

func malformed(why string) *refusal {
	return &refusal{code: CodeMalformed, check: "claims", wanted: "claims of the usual types", found: why,
		enough: "a token whose claims have their registered types"}
}

// Leeway is how far the provider forgives clocks that differ: a credential
// counts so much longer than its expiry.
func (p *Provider) Leeway() time.Duration { return p.leeway }
