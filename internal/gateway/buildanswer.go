package gateway

import (
	"net/url"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
)

// What templates can read in each place.
const (
	answerSources   = template.Auth | template.Params | template.Query | template.Headers | template.Body | template.Tenant | template.Request | template.Now
	urlSources      = answerSources &^ template.Body
	upstreamSources = urlSources
)

func (b *builder) document(c *RouteConfig, r *config.Reporter) *Document {
	d := &Document{Status: c.Status, ContentType: jsonType}
	if d.Status == 0 {
		d.Status = 200
	}
	if d.Status < 200 || d.Status > 599 || d.Status == 204 || d.Status == 304 {
		r.Errorf("status", "%d is no status for an answer with a body; 200 to 599, not 204 or 304", c.Status)
	}
	var uses template.Source
	if c.Data != nil {
		t, err := template.CompileTree(*c.Data, answerSources)
		if err != nil {
			r.Errorf("data", "%v", err)
			return d
		}
		d.JSON, uses = t, t.Uses()
	} else {
		t, err := template.Compile(*c.Response, answerSources)
		if err != nil {
			r.Errorf("response", "%v", err)
			return d
		}
		d.Text, d.ContentType, uses = t, "text/plain; charset=utf-8", t.Uses()
	}
	d.Headers = b.headerTemplates(c.Headers, answerSources, r.At("headers"))
	for _, h := range d.Headers {
		uses |= h.Value.Uses()
	}
	d.UsesBody = uses&template.Body != 0
	return d
}

// headerTemplates compiles headers to set, in the order of their names.
func (b *builder) headerTemplates(set map[string]template.Text, allow template.Source, r *config.Reporter) []HeaderTemplate {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []HeaderTemplate
	folded := map[string]string{}
	for _, name := range names {
		key := config.Key(name)
		switch f := request.Fold(name); {
		case !headerName(name):
			r.Errorf(key, "is no header name")
		case folded[f] != "":
			r.Errorf(key, "is the same header as %s to many upstreams", folded[f])
		case f != "host" && hopByHop[f]:
			r.Errorf(key, "belongs to the connection and cannot be set")
		case strings.HasPrefix(f, "x-portreeve-"):
			r.Errorf(key, "X-Portreeve-* are Portreeve's own")
		default:
			folded[f] = name
			t, err := template.CompileHeader(set[name], allow)
			if err != nil {
				r.Errorf(key, "%v", err)
				continue
			}
			out = append(out, HeaderTemplate{Name: name, Value: t})
		}
	}
	return out
}

// headerName reports whether s is an RFC 9110 token.
func headerName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

func (b *builder) redirect(c *RedirectConfig, r *config.Reporter) *Redirect {
	out := &Redirect{Status: c.Status}
	if out.Status == 0 {
		out.Status = 302
	}
	if !slices.Contains([]int{301, 302, 303, 307, 308}, out.Status) {
		r.Errorf("status", "%d is no redirect; 301, 302, 303, 307 or 308", c.Status)
	}
	t, err := template.CompileURL(c.To, urlSources)
	if err != nil {
		r.Errorf("to", "%v", err)
		return out
	}
	out.To = t
	return out
}

func (b *builder) forwarding(c *UpstreamConfig, identify bool, r *config.Reporter) *Forwarding {
	raw := string(c.URL)
	switch {
	case raw != "" && len(c.URLs) > 0:
		r.Errorf("urls", "url and urls exclude each other")
	case len(c.URLs) > 1:
		r.Errorf("urls", "more than one upstream URL (load balancing) is not in this release; name one")
	case len(c.URLs) == 1:
		raw = string(c.URLs[0])
	}
	to := &Forwarding{AccessHeaders: c.AccessHeaders, Assertion: c.Assertion, PassCredential: c.PassCredential, MaxBody: int64(c.MaxBody)}
	u := upstreamURL(raw, r)
	if u == nil {
		return to
	}
	to.Base, to.Audience = strings.TrimSuffix(u.EscapedPath(), "/"), c.Name
	if to.Audience == "" {
		to.Audience = u.Host
	}
	to.Upstream = b.upstreamKey(u, c)
	to.Set = b.headerTemplates(c.Headers.Set, upstreamSources, r.At("headers.set"))
	to.Remove = map[string]bool{}
	for _, name := range c.Headers.Remove {
		to.Remove[request.Fold(name)] = true
	}
	to.Strip = b.strip(c.PassCredential || !identify)
	b.changedPath(to, c, r)
	return to
}

func upstreamURL(raw string, r *config.Reporter) *url.URL {
	if raw == "" {
		r.Errorf("", "an upstream needs a url, like http://127.0.0.1:9000")
		return nil
	}
	if strings.HasPrefix(raw, "unix:") {
		r.Errorf("", "upstreams on unix sockets are not in this release")
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		r.Errorf("", "is no upstream URL; write http://host:port, with a base path if need be")
		return nil
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		r.Errorf("", "an upstream URL holds no user, query or fragment")
		return nil
	}
	t := request.ParseTarget("/"+strings.Trim(u.EscapedPath(), "/"), request.PathRules{}, nil)
	if p, bad := t.Refused(request.PathRules{}); bad {
		r.Errorf("", "the base path is not acceptable: %s", p)
		return nil
	}
	u.Path, u.RawPath = "", ""
	if s := t.Path.String(); s != "/" {
		u.Path, _ = url.PathUnescape(s)
		u.RawPath = s
	}
	return u
}

// upstreamKey names an upstream by all that its transport depends on, so that
// routes share one and a reload keeps those that did not change.
func (b *builder) upstreamKey(u *url.URL, c *UpstreamConfig) string {
	key := strings.Join([]string{u.Scheme, strings.ToLower(u.Host), c.Timeout.String(), c.ConnectTimeout.String(), c.IdleTimeout.String()}, " ")
	if _, ok := b.Upstreams[key]; !ok {
		b.Upstreams[key] = UpstreamSettings{Key: key, URL: u, Config: c}
	}
	return key
}

// strip is what clients may not send to upstreams of this site.
func (b *builder) strip(leaveCredentials bool) *Strip {
	headers := slices.Concat(b.IdentityHeaders, b.setters)
	cookies := slices.Clone(b.OwnCookies)
	if !leaveCredentials && b.Identity != nil && !b.NoAuth {
		headers = append(headers, b.Identity.CredentialHeaders()...)
		cookies = append(cookies, b.Identity.CredentialCookies()...)
	}
	return NewStrip(headers, cookies)
}

func (b *builder) changedPath(to *Forwarding, c *UpstreamConfig, r *config.Reporter) {
	if c.StripPrefix != "" && c.Rewrite != nil {
		r.Errorf("rewrite", "stripPrefix and rewrite exclude each other")
	}
	if c.StripPrefix != "" {
		p, err := ParsePattern(c.StripPrefix)
		if err != nil {
			r.Errorf("stripPrefix", "%v", err)
			return
		}
		for _, piece := range p.pieces {
			if piece.kind != literal {
				r.Errorf("stripPrefix", "holds plain segments only")
				return
			}
			if piece.value != "" {
				to.StripPrefix = append(to.StripPrefix, piece.value)
			}
		}
	}
	if c.Rewrite != nil {
		t, err := template.CompilePath(*c.Rewrite, urlSources)
		if err != nil {
			r.Errorf("rewrite", "%v", err)
			return
		}
		to.Rewrite = t
	}
}
