package docs

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

//go:embed reference.html
var pageText string

var pageTemplate = template.Must(template.New("reference").Parse(pageText))

// group is the routes of one tag.
type group struct {
	name   string
	routes []*route
}

// groups are the tags in the order of their names; routes without one come
// first, Portreeve's own last.
func (a *api) groups() []*group {
	var out []*group
	for _, r := range a.routes {
		for _, name := range r.tags {
			i := slices.IndexFunc(out, func(g *group) bool { return g.name == name })
			if i < 0 {
				i, out = len(out), append(out, &group{name: name})
			}
			out[i].routes = append(out[i].routes, r)
		}
	}
	rank := func(g *group) int {
		switch g.name {
		case untagged:
			return 0
		case ownTag:
			return 2
		}
		return 1
	}
	slices.SortStableFunc(out, func(x, y *group) int {
		if c := rank(x) - rank(y); c != 0 {
			return c
		}
		return strings.Compare(x.name, y.name)
	})
	return out
}

// What the template sees.
type (
	pageView struct {
		Title, Origin, Document, Stylesheet string
		Count                               string
		Schemes                             []schemeView
		Groups                              []groupView
		Faults                              []faultView
		Limits                              []string
		Limited                             bool
	}
	schemeView struct{ Name, Words, Header, Discovery string }
	groupView  struct {
		ID, Name string
		Routes   []routeView
	}
	routeView struct {
		ID           string
		Methods      []string
		Path         []pathPart
		Description  string
		Public       bool
		Who          []string
		Optional     bool // a credential counts if one is sent
		Parameters   []parameterView
		Body         string
		Answer, Kind string
		Status       int // 0: the application's
		Sketch       string
		Limits       []string
		Faults       []faultView
		Curl         string
	}
	parameterView struct {
		Name, In, Words string
		Required        bool
	}
	pathPart struct {
		Text  string
		Param bool
	}
	faultView struct {
		Status      int
		Label, When string
	}
)

// page is the page in pieces, between which stands the origin that it was asked
// for under: a curl line that can be pasted names it, and only the request knows
// the port.
type page struct{ pieces [][]byte }

// page writes the page, the same for everybody but for the origin.
func (a *api) page() page {
	mark := rand.Text() // so that nothing the file says is taken for it
	v := pageView{Title: a.title, Limits: a.limits, Limited: len(a.limits) > 0, Origin: mark, Document: strings.TrimPrefix(documentPath, "/"), Stylesheet: strings.TrimPrefix(stylesheetPath, "/")}
	n := 0
	for i := range a.schemes {
		v.Schemes = append(v.Schemes, a.schemes[i].view())
	}
	ids := map[string]bool{}
	for _, g := range a.groups() {
		gv := groupView{ID: slug("group "+g.name, "-", ids), Name: g.name}
		for _, r := range g.routes {
			gv.Routes = append(gv.Routes, a.view(r, mark, ids))
			n++
			v.Limited = v.Limited || len(r.limits) > 0
		}
		v.Groups = append(v.Groups, gv)
	}
	v.Count = fmt.Sprintf("%d routes", n)
	for _, k := range []fault.Kind{fault.BadRequest, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.MethodNotAllowed, fault.RequestTimeout,
		fault.TooLarge, fault.Misdirected, fault.TooManyRequests, fault.HeadTooLarge, fault.Internal, fault.BadGateway, fault.Unavailable, fault.GatewayTimeout} {
		v.Faults = append(v.Faults, faultView{Status: k.Status(), Label: k.Label(), When: everyFault[k]})
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil { // a buffer, and a template that tests execute
		return page{pieces: [][]byte{[]byte("<!doctype html><title>API reference</title><p>The page could not be made.")}}
	}
	return page{pieces: bytes.Split(b.Bytes(), []byte(mark))}
}

// everyFault says of each error when it comes.
var everyFault = map[fault.Kind]string{
	fault.BadRequest:       "The request is malformed. details names the fields.",
	fault.Unauthenticated:  "No credential that counts here, or one that does not verify. WWW-Authenticate says which is asked for.",
	fault.Forbidden:        "The caller is known and may not.",
	fault.NotFound:         "No route has this path.",
	fault.MethodNotAllowed: "The path does not answer this method. Allow lists those that it does.",
	fault.RequestTimeout:   "The request did not arrive in time.",
	fault.TooLarge:         "The body is larger than the route takes.",
	fault.Misdirected:      "Nothing is served for this host.",
	fault.TooManyRequests:  "A limit is reached. Retry-After and retryAfter say when to come back.",
	fault.HeadTooLarge:     "The header fields are more than is taken.",
	fault.Internal:         "Something went wrong. requestId finds it in the log.",
	fault.BadGateway:       "The application could not be reached, or broke off.",
	fault.Unavailable:      "Nobody is there to answer right now.",
	fault.GatewayTimeout:   "The application did not answer in time.",
}

// reply serves the page under the origin that it was asked for. (The Host was
// checked to be one before; it is escaped all the same.)
func (p page) reply(caching string) func(*gateway.Exchange) request.Reply {
	base := tagOf(bytes.Join(p.pieces, nil))
	return func(x *gateway.Exchange) request.Reply {
		origin := []byte(template.HTMLEscapeString(x.View.Origin()))
		tag := tagOf(append([]byte(base), origin...))
		return tagged(x, policy, tag, caching, "text/html; charset=utf-8", func() []byte { return bytes.Join(p.pieces, origin) })
	}
}
