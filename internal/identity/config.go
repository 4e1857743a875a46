package identity

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/principal"
)

// TimeRules are the times that every kind of token is held to.
type TimeRules struct {
	// Leeway forgives clocks that differ: 60s unless set.
	Leeway *config.Duration `json:"leeway"`
	// MaxTokenAge is how far ahead a token may expire: 24h unless set, 400d for a jwt with a shared secret.
	MaxTokenAge *config.Duration `json:"maxTokenAge"`
}

func (t TimeRules) validate(r *config.Reporter) {
	if t.Leeway != nil && t.Leeway.Std() > 5*time.Minute {
		r.Errorf("leeway", "is longer than 5m; set the clocks right instead")
	}
	if t.MaxTokenAge != nil && t.MaxTokenAge.Std() <= 0 {
		r.Errorf("maxTokenAge", "must be longer than nothing")
	}
}

func (t TimeRules) apply(p *Provider, maxAge time.Duration) {
	p.leeway, p.maxAge = defaultLeeway, maxAge
	if t.Leeway != nil {
		p.leeway = t.Leeway.Std()
	}
	if t.MaxTokenAge != nil {
		p.maxAge = t.MaxTokenAge.Std()
	}
}

// TrustRules say which of a provider's words count.
type TrustRules struct {
	// TrustRoles lets its role and roles claims name roles of the file: true only for a jwt with a shared secret unless set.
	TrustRoles *bool `json:"trustRoles"`
	// TrustTenant lets its tenant claim choose the tenant: true for firebase and a jwt with a shared secret unless set.
	TrustTenant *bool `json:"trustTenant"`
	// TenantClaim is the claim that names the tenant: tenant_id unless set.
	TenantClaim string `json:"tenantClaim"`
	// TrustEmail takes addresses in some domains as verified without email_verified.
	TrustEmail *TrustEmailConfig `json:"trustEmail"`
}

// TrustEmailConfig lists domains whose addresses a provider is believed about.
type TrustEmailConfig struct {
	// Domains are whole domains: example.com does not cover sub.example.com.
	Domains config.List[string] `json:"domains" conf:"required"`
}

func (t TrustRules) apply(p *Provider, roles, tenant bool) {
	p.trustRoles, p.trustTenant, p.tenantClaim = roles, tenant, "tenant_id"
	if t.TrustRoles != nil {
		p.trustRoles = *t.TrustRoles
	}
	if t.TrustTenant != nil {
		p.trustTenant = *t.TrustTenant
	}
	if t.TenantClaim != "" {
		p.tenantClaim = t.TenantClaim
	}
	if t.TrustEmail != nil {
		for _, d := range t.TrustEmail.Domains {
			p.emailDomains = append(p.emailDomains, principal.FoldASCII(d))
		}
	}
}

// validate refuses trustEmail for issuers that speak for many tenants at once:
// any of them can write any address into its tokens.
func (t TrustRules) validate(r *config.Reporter, sources ...string) {
	if t.TrustEmail == nil {
		return
	}
	for i, d := range t.TrustEmail.Domains {
		if _, _, ok := plainEmail("x@" + d); !ok || strings.Contains(d, "*") {
			r.Errorf("trustEmail.domains"+config.Index(i), "is not a domain")
		}
	}
	if slices.ContainsFunc(sources, multiTenant) {
		r.Errorf("trustEmail", "this issuer speaks for every tenant of Entra, and any of them can claim any address; name one tenant's issuer")
	}
}

// entraHosts are the sign-in hosts of Entra's clouds.
var entraHosts = []string{
	"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn",
	"login.chinacloudapi.cn", "login.windows.net", "login.microsoft.com", "sts.windows.net",
}

// everyTenant are the first path segments of Entra URLs that do not name one
// tenant; the last is that of personal accounts.
var everyTenant = []string{"common", "organizations", "consumers", "{tenantid}", "{tenant}", "9188040d-6c67-4c5b-b112-36a304b66dad"}

func multiTenant(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || !slices.Contains(entraHosts, principal.FoldASCII(u.Hostname())) {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return first == "" || slices.Contains(everyTenant, principal.FoldASCII(first))
}

// checkURL reports what keeps a URL from being an issuer or a place of keys.
func checkURL(r *config.Reporter, key, raw, env string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		r.Errorf(key, "is not a URL with https:// and a host")
	case u.Scheme == "http" && !relaxed(env):
		r.Errorf(key, "must be https; http needs `environment: test` or `dev` in the file")
	case u.User != nil:
		r.Errorf(key, "must not hold a user name or password")
	case u.RawQuery != "" && key == "issuer", u.Fragment != "":
		r.Errorf(key, "must not have a query or fragment")
	}
}

// checkAudiences refuses empty members: an empty audience would be met by a
// token that names an empty one.
func checkAudiences(r *config.Reporter, list []string) {
	for i, a := range list {
		if strings.TrimSpace(a) == "" {
			r.Errorf("audience"+config.Index(i), "is empty")
		}
	}
}

var providerName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$`)

// reserved words mean a kind wherever a provider is named.
var reserved = []string{KindAccess, KindFirebase, KindOIDC, KindJWT, KindAPIKey, KindMachine, KindSession, KindLink, "none", "any"}

// checkName reports what keeps a name from being a provider's. seen are the
// names before it.
func checkName(r *config.Reporter, name string, seen map[string]bool) {
	switch {
	case name == "":
		r.Errorf("", "needs a name, as one of several")
	case !providerName.MatchString(name):
		r.Errorf("name", "is not a name: letters, digits, - and _, at most 63")
	case slices.Contains(reserved, name):
		r.Errorf("name", "%s is the word for a kind of provider; choose another", name)
	case seen[name]:
		r.Errorf("name", "another provider has this name")
	}
	seen[name] = true
}
