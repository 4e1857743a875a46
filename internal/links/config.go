package links

import (
	"net/url"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
)

// Bounds of a file.
const (
	maxApps  = 100
	maxPaths = 500
	maxRules = 10_000
	maxName  = 40
)

// Config is the key links of a site, which then is the app's host and nothing else.
type Config struct {
	// IOS are the apps that open this host's links on iOS: a list, or {prod: […], test: […]} by environment.
	IOS IOSApps `json:"ios"`
	// Android are the apps that open this host's links on Android: a list, or {prod: […], test: […]} by environment.
	Android AndroidApps `json:"android"`
	// WebCredentials false keeps iOS from offering this host's passwords in the apps.
	WebCredentials *bool `json:"webcredentials"`
	// Name is what the pages call the app: "the app" unless written.
	Name string `json:"name"`
	// Scheme is the app's own, without ://.
	Scheme string `json:"scheme"`
	// Mode is what a phone gets for a link that a rule matches: page, which opens the scheme and goes on to the store, or redirect, a 302 to the scheme.
	Mode string `json:"mode" conf:"default=page,oneof=page|redirect"`
	// Rules say where in the app a link leads. Without any every link is answered by nothing, 200.
	Rules []Rule `json:"rules"`
	// Fallback is where people go who do not have the app.
	Fallback Fallback `json:"fallback"`
}

// Rule is one kind of link.
type Rule struct {
	// Match is a path, as a route's.
	Match string `json:"match" conf:"required"`
	// To is a URL of the scheme, or of a fallback's host, with {{params.x}}, {{query.x}}, {{path}} (whole, without its first /) and, behind a ?, {{query}} (whole).
	To template.Text `json:"to" conf:"required"`
}

// Fallback is where people go who do not have the app.
type Fallback struct {
	// IOS is the app's page in the App Store.
	IOS config.URL `json:"ios"`
	// Android is the app's page in Google Play.
	Android config.URL `json:"android"`
	// Desktop is a URL, or page: one with the link as a QR code.
	Desktop config.URL `json:"desktop"`
}

// desktopPage is what Desktop says for our own page, and what holds unless it says
// something else.
const desktopPage = "page"

// Validate reports what the types cannot say.
func (c *Config) Validate(r *config.Reporter) {
	c.IOS.validate(r.At("ios"))
	c.Android.validate(r.At("android"))
	if c.Scheme != "" {
		if why := badScheme(c.Scheme); why != "" {
			r.Errorf("scheme", "%s", why)
		}
	}
	if len(c.Name) > maxName || strings.ContainsFunc(c.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		r.Errorf("name", "must be at most %d characters on one line", maxName)
	}
	for _, f := range []struct {
		key string
		url config.URL
	}{{"ios", c.Fallback.IOS}, {"android", c.Fallback.Android}, {"desktop", c.Fallback.Desktop}} {
		if f.url == "" || f.key == "desktop" && f.url == desktopPage {
			continue
		}
		if _, why := fallbackURL(f.url); why != "" {
			r.Errorf("fallback."+f.key, "%s", why)
		}
	}
	c.validateRules(r)
}

func (c *Config) validateRules(r *config.Reporter) {
	if len(c.Rules) == 0 {
		if r.Has("mode") || r.Has("fallback") {
			r.Warnf("", "without rules every link is answered by nothing: mode and fallback do not count")
		}
		return
	}
	if len(c.Rules) > maxRules {
		r.Errorf("rules", "at most %d rules", maxRules)
		return
	}
	c.warnOfDeadEnds(r)
	to, seen := c.destinations(), map[string]string{}
	for i := range c.Rules {
		at := "rules" + config.Index(i)
		p, err := gateway.ParsePattern(c.Rules[i].Match)
		if err != nil {
			r.Errorf(at+".match", "%v", err)
			continue
		}
		if why := taken(p); why != "" {
			r.Errorf(at+".match", "%s", why)
			continue
		}
		if other, twice := seen[shapeOf(p)]; twice {
			r.Errorf(at+".match", "matches the same paths as %s", other)
			continue
		}
		seen[shapeOf(p)] = at
		if _, err := compileTarget(c.Rules[i].To, paramsOf(p), to); err != nil {
			r.Errorf(at+".to", "%v", err)
		}
	}
}

// warnOfDeadEnds says where the page of a phone without the app leads nowhere.
func (c *Config) warnOfDeadEnds(r *config.Reporter) {
	if c.Mode == "redirect" { // which has no page
		return
	}
	for _, p := range []struct {
		key, name string
		apps      int
		to        config.URL
	}{
		{"ios", "an iPhone", len(c.IOS.every) + len(c.IOS.Prod) + len(c.IOS.Test), c.Fallback.IOS},
		{"android", "an Android phone", len(c.Android.every) + len(c.Android.Prod) + len(c.Android.Test), c.Fallback.Android},
	} {
		if p.apps > 0 && p.to == "" {
			r.Warnf("rules", "%s without the app is led nowhere: fallback.%s says where the app comes from", p.name, p.key)
		}
	}
}

// ValidateHosts reports fallbacks that lead back to the site, whose hosts these
// are: nothing stands there but links.
func (c *Config) ValidateHosts(r *config.Reporter, hosts []string) {
	for _, f := range []struct {
		key string
		url config.URL
	}{{"ios", c.Fallback.IOS}, {"android", c.Fallback.Android}, {"desktop", c.Fallback.Desktop}} {
		u, why := fallbackURL(f.url)
		if why != "" || u.Port() != "" && u.Port() != "443" {
			continue
		}
		if host, ok := request.CanonicalHost(u.Host); ok && slices.Contains(hosts, host) {
			r.Errorf("fallback."+f.key, "leads back to %s, where nothing stands but links: a browser would go in circles, or find an empty page", host)
		}
	}
}

// taken says why a rule's pattern cannot be one: ours stand there.
func taken(p *gateway.Pattern) string {
	segs := p.Segments()
	switch {
	case len(segs) > 0 && segs[0].Literal == ".portreeve":
		return "/.portreeve/ is ours"
	case slices.Contains(applePaths, p.Text), p.Text == androidPath:
		return "the association file stands there"
	}
	return ""
}

// shapeOf is a pattern without the names of its parameters.
func shapeOf(p *gateway.Pattern) string {
	var b strings.Builder
	for _, s := range p.Segments() {
		switch {
		case s.Param == "*":
			b.WriteString("/*")
		case s.Param != "":
			b.WriteString("/:")
		default:
			b.WriteString("/" + s.Literal)
		}
	}
	return b.String()
}

func paramsOf(p *gateway.Pattern) (names []string) {
	for _, s := range p.Segments() {
		if s.Param != "" {
			names = append(names, s.Param)
		}
	}
	return names
}

// destinations are where targets may lead.
func (c *Config) destinations() destinations {
	d := destinations{scheme: c.Scheme}
	for _, f := range []config.URL{c.Fallback.IOS, c.Fallback.Android, c.Fallback.Desktop} {
		if u, why := fallbackURL(f); why == "" && !slices.Contains(d.hosts, u.Host) {
			d.hosts = append(d.hosts, u.Host)
		}
	}
	return d
}

// fallbackURL reads the URL of a fallback.
func fallbackURL(s config.URL) (*url.URL, string) {
	u, err := url.Parse(s.String())
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "":
		return nil, "must be a URL that begins with https://"
	case u.User != nil:
		return nil, "must hold no user and password"
	}
	if _, ok := request.CanonicalHost(u.Host); !ok {
		return nil, "its host is none"
	}
	return u, ""
}

// badScheme says why a scheme is none of an app's own.
func badScheme(s string) string {
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(c))) {
			return "must be a scheme in lower case without ://, such as example"
		}
	}
	if len(s) > 64 {
		return "must be at most 64 characters"
	}
	if slices.Contains(foreignSchemes, s) {
		return "is not an app's own"
	}
	return ""
}

// foreignSchemes mean something to a browser or to the system: content that runs
// in the page, a file, an address, somebody else's app.
var foreignSchemes = []string{"about", "blob", "chrome", "content", "data", "facetime", "file", "filesystem", "ftp", "geo", "http", "https",
	"intent", "itms", "itms-apps", "javascript", "mailto", "maps", "market", "sms", "tel", "vbscript", "view-source", "ws", "wss"}
