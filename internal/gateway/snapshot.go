package gateway

import (
	"strings"

	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// Snapshot is everything a decision depends on, made from one configuration and
// never changed: a request takes it once and is decided by it to the end.
type Snapshot struct {
	Generation uint64
	Version    string // of the binary, for /health
	Tenants    *policy.Tenants
	Trusted    *client.Trust
	// Directory says what is stored about callers; nil: there is no store.
	Directory policy.Directory
	// StepUps knows the step-up tokens; nil: there are none, and no token counts.
	StepUps policy.StepUps
	// Resources knows the roles on rows; nil: nobody has one.
	Resources policy.Resources
	// RefusalPage makes the page that a refused browser sees; nil: it gets JSON.
	// Status and the headers of the fault are seen to by whoever asks for it. stood is
	// the path at which the form stood that was refused, "" where it was none.
	RefusalPage func(f *fault.Error, requestID, decision string, site *Site, stood string) request.Reply
	// Secrets has the values of tenants' secrets; nil: there are none.
	Secrets SecretFinder
	// ClientCerts says that TLS clients are asked for certificates, RequireCert
	// that they must have shown one: a connection may be older than the setting.
	ClientCerts, RequireCert bool
	// RequireHTTPS turns away what is known to have come by plain HTTP.
	RequireHTTPS bool

	hosts    map[string]*Site // exact
	wildcard map[string]*Site // "example.com" for *.example.com
	standard *Site            // for any other host; never nil
	named    []*Site          // in the order of the file
}

// Site is one or more hosts and what is served on them.
type Site struct {
	Name     string // its first host, or "default"
	Hosts    []string
	Default  bool
	Owner    *Owner // whose the site is alone; nil: nobody's
	Empty    bool   // the default site with nothing on it
	Tenant   string // of its anonymous requests
	Rules    request.PathRules
	Table    *Table
	Identity *identity.Site
	Book     *policy.Book
	NoAuth   bool // auth: none
	// SignIn is the provider that browsers without a credential are led to sign in
	// by; "": they get 401 like everybody.
	SignIn  string
	mfaPage bool // there is a page to show a second factor on
	// secretPaths are those of operations with a secret in their path.
	secretPaths []*Pattern
	CORS        *CORS
	Allow       *policy.Requirement // the site's own allow and deny
	limits      limits              // by default, for whatever is asked of the site
	ways        []way               // of its routes, each once
	report      bool
}

// ownSegment is the first segment of the paths that are Portreeve's own.
const ownSegment = ".portreeve"

// reserved reports whether a path is among Portreeve's own.
func (s *Site) reserved(p request.Path) bool {
	if len(p.Segments) == 0 {
		return false
	}
	first := p.Segments[0].Value
	return first == ownSegment || s.Table.fold && strings.EqualFold(first, ownSegment)
}

// NewSnapshot makes a snapshot of sites; standard is the default one.
func NewSnapshot(standard *Site, named []*Site) *Snapshot {
	s := &Snapshot{hosts: map[string]*Site{}, wildcard: map[string]*Site{}, standard: standard, named: named}
	for _, site := range named {
		for _, h := range site.Hosts {
			if domain, ok := strings.CutPrefix(h, "*."); ok {
				s.wildcard[domain] = site
			} else {
				s.hosts[h] = site
			}
		}
	}
	return s
}

// Site returns the site for a canonical host: the one that names it, the one
// whose "*.domain" matches it by one label, else the default one.
func (s *Snapshot) Site(host string) (site *Site, named bool) {
	if site := s.hosts[host]; site != nil {
		return site, true
	}
	if _, domain, ok := strings.Cut(host, "."); ok {
		if site := s.wildcard[domain]; site != nil {
			return site, true
		}
	}
	return s.standard, false
}

// Sites calls f for every site: the default one, then those of the file in its
// order.
func (s *Snapshot) Sites(f func(*Site)) {
	f(s.standard)
	for _, site := range s.named {
		f(site)
	}
}
