package identity

import (
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/request"
)

// AccessConfig is Cloudflare Access in front of the site.
type AccessConfig struct {
	// TeamDomain is the team's host: acme.cloudflareaccess.com.
	TeamDomain string `json:"teamDomain" conf:"env=ACCESS_TEAM_DOMAIN"`
	// Audience is the application's AUD tag, or several. Without one the provider is off.
	Audience config.List[string] `json:"audience" conf:"env=ACCESS_AUD|CF_ACCESS_AUD"`
	// CertsURL is where the team's keys are, in test and dev.
	CertsURL config.URL `json:"certsURL"`
	// TrustRoles lets role and roles claims name roles of the file: false unless set.
	TrustRoles *bool `json:"trustRoles"`
	FactorRules
	TimeRules
}

// Validate reports what is wrong with the settings. env is as Deps.Env.
func (c *AccessConfig) Validate(r *config.Reporter, env string) {
	host, ok := request.CanonicalHost(c.TeamDomain)
	switch {
	case c.TeamDomain == "":
		r.Errorf("teamDomain", "is missing; set it, or ACCESS_TEAM_DOMAIN")
	case strings.Contains(c.TeamDomain, "/"):
		r.Errorf("teamDomain", "must be the host alone, without https:// and path")
	case !ok || host != c.TeamDomain && !relaxed(env):
		r.Errorf("teamDomain", "must be a host name in lower case, without port")
	}
	if len(c.audiences()) == 0 {
		r.Warnf("audience", "is empty, so access is off: what needs it answers 401")
	}
	if c.CertsURL != "" {
		if !relaxed(env) {
			r.Errorf("certsURL", "needs `environment: test` or `dev` in the file")
		} else {
			checkURL(r, "certsURL", c.CertsURL.String(), env)
		}
	}
	c.FactorRules.validate(r)
	c.TimeRules.validate(r)
}

// audiences leaves out empty ones: the variable is often set and still blank.
func (c *AccessConfig) audiences() []string {
	var out []string
	for _, a := range c.Audience {
		if a = strings.TrimSpace(a); a != "" {
			out = append(out, a)
		}
	}
	return out
}

// NewAccess builds the provider from valid settings.
func NewAccess(c *AccessConfig, d Deps) *Provider {
	p := &Provider{
		Name: KindAccess, Kind: KindAccess, source: accessHeader,
		algs: []string{"RS256", "ES256"}, audience: c.audiences(),
		emailTrusted: true, extra: accessRules,
	}
	c.TimeRules.apply(p, defaultMaxAge)
	c.FactorRules.apply(p)
	TrustRules{TrustRoles: c.TrustRoles}.apply(p, false, false)
	if len(p.audience) == 0 {
		p.Off = "it has no audience"
	}
	issuer := "https://" + c.TeamDomain
	certs := issuer + "/cdn-cgi/access/certs"
	if c.CertsURL != "" && relaxed(d.Env) {
		certs = c.CertsURL.String()
	}
	p.keyed = []keyed{{issuer: issuer}}
	if p.Off == "" { // one that is off fetches nothing
		p.keyed[0].keys = d.keySet(keyset.Config{Name: KindAccess, URL: certs})
	}
	return p.seal(d.Env, certs)
}

// accessRules are what Access's own tokens look like: a person has a subject;
// a service token has none and no address, but a common name. The organisation
// cookie (type "org") is for the team's sign-in page, not for an application.
func accessRules(_ *Provider, c *claims, _ time.Time) *refusal {
	switch {
	case c.hasKind && c.kind != "app":
		return &refusal{code: CodeWrongType, check: "type", wanted: "app", found: c.kind,
			enough: "the token of an application"}
	case c.subject != "":
		return nil
	case c.email != "" || c.commonName == "":
		return malformed("neither a person (sub) nor a service token (common_name)")
	}
	return nil
}
