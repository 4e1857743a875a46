package docs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/template"
)

// answer is what a route says when it lets a request through.
type answer struct {
	status  int    // 0: whatever the application answers
	words   string // for people
	kind    string // media type; "" for no content, or for any
	schema  schema
	sketch  string // the schema for people
	forward bool
	moved   bool // a redirect
}

// body is what a route reads of a request's body.
type body struct {
	kind   string // media type; "" for any
	max    int64  // bytes; 0 for no bound
	fields []string
}

// failure is one error that a route can answer.
type failure struct {
	kind fault.Kind
	when string
}

// reads finds what an answer of the file takes from the request.
func (r *route) reads(from *gateway.Route) {
	var refs []template.Ref
	switch a := from.Answer.(type) {
	case *gateway.Forwarding:
		if slices.ContainsFunc(r.methods, takesBody) {
			r.body = &body{max: a.MaxBody}
		}
	case *gateway.Redirect:
		if a.To != nil {
			refs = a.To.Refs()
		}
	case *gateway.Document:
		refs = documentRefs(a)
		if a.UsesBody {
			r.body = &body{kind: "application/json", max: gateway.MaxTemplateBody}
		}
	case *gateway.Operation:
		if most := a.BodyLimit(); most > 0 {
			r.body = &body{kind: "application/json", max: most}
		}
	}
	for _, ref := range refs {
		if len(ref.Path) == 0 || ref.Path[0].IsIndex {
			continue
		}
		switch name := ref.Path[0].Name; ref.Source {
		case template.Query:
			r.addParameter(parameter{name: name, in: "query", words: "read by the answer"})
		case template.Headers:
			r.addParameter(parameter{name: name, in: "header", words: "read by the answer"})
		case template.Body:
			if r.body != nil && !slices.Contains(r.body.fields, name) {
				r.body.fields = append(r.body.fields, name)
			}
		}
	}
}

func documentRefs(d *gateway.Document) (refs []template.Ref) {
	if d.JSON != nil {
		refs = slices.Clone(d.JSON.Refs())
	}
	if d.Text != nil {
		refs = append(refs, d.Text.Refs()...)
	}
	for _, h := range d.Headers {
		refs = append(refs, h.Value.Refs()...)
	}
	return refs
}

func takesBody(method string) bool { return method == "POST" || method == "PUT" || method == "PATCH" }

// addParameter adds what is not there yet. OpenAPI describes three headers by
// other means and wants them left out.
func (r *route) addParameter(p parameter) {
	if p.in == "header" && slices.ContainsFunc([]string{"Accept", "Content-Type", "Authorization"}, func(s string) bool { return strings.EqualFold(s, p.name) }) {
		return
	}
	for _, q := range r.parameters {
		if q.in == p.in && (q.name == p.name || p.in == "header" && strings.EqualFold(q.name, p.name)) {
			return
		}
	}
	r.parameters = append(r.parameters, p)
}

// answers says what a request gets that is let through.
func (r *route) answers(from *gateway.Route) {
	switch a := from.Answer.(type) {
	case *gateway.Forwarding:
		r.answer = answer{words: "What the application answers.", forward: true}
	case *gateway.Redirect:
		r.answer = answer{status: a.Status, words: "Elsewhere: Location says where.", moved: true}
	case *gateway.Document:
		r.answer = answer{status: a.Status, kind: documentType(a), words: "The answer."}
		if a.JSON != nil {
			r.answer.schema, r.answer.sketch = shape(a.Data)
		} else {
			r.answer.schema, r.answer.sketch = schema{"type": "string"}, "text"
		}
	case *gateway.Operation: // what it answers is in the surface's own documentation
		r.answer = answer{status: 200, kind: "application/json", words: "The answer."}
	case *gateway.Builtin:
		o := owns[a.Name]
		r.answer = answer{status: 200, kind: o.kind, words: "The answer.", schema: o.schema, sketch: o.sketch}
	}
}

// documentType is the media type without its parameters.
func documentType(d *gateway.Document) string {
	kind := d.ContentType
	for _, h := range d.Headers {
		if strings.EqualFold(h.Name, "Content-Type") {
			text, fixed := h.Value.Literal()
			if kind = text; !fixed {
				return ""
			}
		}
	}
	kind, _, _ = strings.Cut(kind, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if main, sub, ok := strings.Cut(kind, "/"); !ok || main == "" || sub == "" || strings.ContainsAny(kind, " ,{}") {
		return ""
	}
	return kind
}

// fails lists the errors of a route by status.
func (r *route) fails(a *api, site *gateway.Site, from *gateway.Route) {
	add := func(kind fault.Kind, when string) { r.faults = append(r.faults, failure{kind, when}) }
	add(fault.BadRequest, "the request is malformed, or its path has no single spelling")
	identifies := from.Identify && len(a.schemes) > 0
	switch {
	case !r.public:
		add(fault.Unauthenticated, "no credential that counts here, or one that does not verify")
	case identifies:
		add(fault.Unauthenticated, "a credential that does not verify; without one the answer is for anybody")
	}
	if ambient := slices.ContainsFunc(a.schemes, func(s scheme) bool { return s.kind == identity.KindAccess }); len(r.who) > 1 || identifies && ambient || !r.public && site.Allow.Any() {
		add(fault.Forbidden, "the caller is known and may not, or a page of another site caused the request")
	}
	if r.body != nil && r.body.max > 0 {
		add(fault.TooLarge, "the body is larger than "+size(r.body.max))
	}
	if len(r.limits)+len(a.limits) > 0 {
		add(fault.TooManyRequests, "too many requests; the answer says when to come back")
	}
	if r.answer.forward {
		add(fault.BadGateway, "the application cannot be reached, or broke off")
	}
	if r.answer.forward || identifies {
		add(fault.Unavailable, "nobody is there to answer, or a credential cannot be verified right now")
	}
	if r.answer.forward {
		add(fault.GatewayTimeout, "the application did not answer in time")
	}
}

func size(n int64) string {
	switch {
	case n%(1<<20) == 0:
		return strconv.FormatInt(n>>20, 10) + " MiB"
	case n%(1<<10) == 0:
		return strconv.FormatInt(n>>10, 10) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// limitWords says what is counted, each limit once.
func limitWords(list []gateway.LimitFacts) (out []string) {
	for _, l := range list {
		by := map[string]string{"ip": "an address", "principal": "a caller", "tenant": "a tenant", "key": "a key"}[l.By]
		s := fmt.Sprintf("%d in %s for %s", l.Rule.Max, span(l.Rule.Window), by)
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// span is a duration in the largest unit that divides it.
func span(d time.Duration) string {
	for _, u := range []struct {
		is   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}, {time.Millisecond, "millisecond"}} {
		if d >= u.is && d%u.is == 0 {
			if d == u.is {
				return "1 " + u.name
			}
			return strconv.FormatInt(int64(d/u.is), 10) + " " + u.name + "s"
		}
	}
	return d.String()
}
