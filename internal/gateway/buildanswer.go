package gateway

import (
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
	upstreamSources = urlSources | template.Secret
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
		d.JSON, d.Data, uses = t, *c.Data, t.Uses()
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
	if d.Text != nil && d.Text.Uses() != 0 && markup(d.Headers) {
		r.Warnf("response", "values stand in this markup as they are, so whoever makes a request chooses what a browser runs; answer with data, or with plain text")
	}
	return d
}

// markup reports whether a header says that a browser is to read the answer as
// a document.
func markup(set []HeaderTemplate) bool {
	for _, h := range set {
		if text, _ := h.Value.Literal(); strings.EqualFold(h.Name, "Content-Type") {
			text = strings.ToLower(text)
			return strings.Contains(text, "html") || strings.Contains(text, "xml") || strings.Contains(text, "svg")
		}
	}
	return false
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
