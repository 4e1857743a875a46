package policy

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
	"github.com/portreeve/portreeve/internal/trace"
)

// file is as much of a configuration file as policy reads.
type file struct {
	RBAC    *RBACConfig     `json:"rbac"`
	Site    *SiteRBACConfig `json:"site"`
	Tenants *TenantsConfig  `json:"tenants"`
	Route   Requirements    `json:"route"`
}

// loaded is a file after loading, with its problems one to a line.
type loaded struct {
	book     *Book
	tenants  *Tenants
	req      *Requirement
	problems string
}

// load reads a file whose route has the path parameters id and tenant.
func load(t testing.TB, text string) loaded {
	t.Helper()
	if text == "" {
		text = "{}"
	}
	var f file
	doc := config.Decode([]byte(text), &f, config.Options{Name: "p.yaml"})
	l := loaded{book: NewBook(f.RBAC, doc.Report("rbac")).Site(f.Site, doc.Report("site"))}
	l.tenants = NewTenants(f.Tenants, []Provider{{"jwt", "jwt"}, {"entra", "oidc"}}, doc.Report("tenants"))
	l.req = Compile(f.Route, Deps{Book: l.book, Params: []string{"id", "tenant"}}, doc.Report("route"))
	var lines []string
	for _, p := range doc.Problems() {
		lines = append(lines, p.String())
	}
	l.problems = strings.Join(lines, "\n")
	return l
}

// mustLoad refuses a file with problems.
func mustLoad(t testing.TB, text string) loaded {
	t.Helper()
	l := load(t, text)
	if l.problems != "" {
		t.Fatalf("the file has problems:\n%s", l.problems)
	}
	return l
}

// noon is when everything in these tests happens.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// alice is a user of a jwt provider with a shared secret.
func alice(change ...func(*principal.Principal)) *principal.Principal {
	p := &principal.Principal{
		Kind: principal.User, Provider: "jwt", ProviderKind: "jwt", Subject: "alice",
		Email: "Alice@Example.com", EmailFolded: "alice@example.com", EmailDomain: "example.com", EmailVerified: true,
		TrustRoles: true, TrustTenant: true, SharedSecret: true, Expires: noon.Add(time.Hour),
		Claims: map[string]any{},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func roles(names ...string) func(*principal.Principal) {
	return func(p *principal.Principal) { p.Roles = names }
}

func claims(pairs ...any) func(*principal.Principal) {
	return func(p *principal.Principal) {
		for i := 0; i < len(pairs); i += 2 {
			p.Claims[pairs[i].(string)] = pairs[i+1]
		}
	}
}

// params are path parameters.
type params map[string]string

func (p params) Get(name string) (string, bool) { v, ok := p[name]; return v, ok }
func (p params) Each(f func(name, value string)) {
	for k, v := range p {
		f(k, v)
	}
}

// get is a request of the given target and header lines.
func get(target string, header ...string) *request.View {
	path, query, has := strings.Cut(target, "?")
	v := &request.View{
		Method: "GET", Host: "api.example.com", Scheme: "https", Query: query, HasQuery: has,
		Client: netip.MustParseAddr("192.0.2.7"), Received: noon,
	}
	for _, s := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		v.Path.Segments = append(v.Path.Segments, request.Segment{Text: s, Value: s})
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		v.Header = append(v.Header, request.Field{Name: name, Value: value})
	}
	return v
}

// env answers templates from a request.
type env struct {
	view   *request.View
	stand  *Standing
	params params
}

func (e env) Lookup(source template.Source, path []template.Step) (any, bool) {
	name := path[0].Name
	switch source {
	case template.Params:
		v, ok := e.params[name]
		return v, ok
	case template.Query:
		if v := e.view.QueryValues(name); len(v) > 0 {
			return v[0], true
		}
	case template.Headers:
		return e.view.Header.Get(name), e.view.Header.Has(name)
	case template.Auth:
		v, ok := e.stand.Who.Claims[name]
		return v, ok
	}
	return nil, false
}

// ask decides: the code of the refusal, "" for yes. It asks twice, without and
// with a recorder, and both must agree.
func (l loaded) ask(t testing.TB, who *principal.Principal, v *request.View, p params) (code string, steps []trace.Step) {
	t.Helper()
	return l.askKnown(t, who, nil, v, p)
}

// askKnown is ask where something is stored about the caller.
func (l loaded) askKnown(t testing.TB, who *principal.Principal, known *Known, v *request.View, p params) (code string, steps []trace.Step) {
	t.Helper()
	stand := l.book.Stand(who, l.tenants, known)
	in := Input{View: v, Standing: &stand, Params: p, Now: noon, Env: env{v, &stand, p}}
	rec := &trace.Recorder{}
	quiet, told := l.req.Check(in, nil), l.req.Check(in, rec)
	if (quiet == nil) != (told == nil) || quiet != nil && quiet.Code != told.Code {
		t.Fatalf("decided %v without a recorder and %v with one", quiet, told)
	}
	if quiet == nil {
		return "", rec.Steps
	}
	return quiet.Code, rec.Steps
}

// failed is the trace of what did not hold, as sentences.
func failed(steps []trace.Step) string {
	var b strings.Builder
	for _, s := range steps {
		if !s.OK {
			b.WriteString(s.Check + ": wanted " + s.Wanted + "; found " + s.Found + "; enough: " + s.Enough + "\n")
		}
	}
	return b.String()
}
