package gateway

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/assertion"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
)

// names are the upstream's fields, sorted, without those of every request.
func sent(f *Forward) string {
	if f == nil {
		return "nothing"
	}
	var out []string
	for _, h := range f.Header {
		switch h.Name {
		case "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id":
		default:
			out = append(out, h.Name+": "+h.Value)
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

const forwardFile = `
rbac: {roles: [{name: editor}, {name: boss}]}
identityHeaders: [X-User]
upstream: http://app:9000/base
routes:
  - {path: /a/*, method: any}
  - {path: /opts, method: any, upstream: {url: "http://app:9000", accessHeaders: true, passCredential: true, headers: {set: {X-Sub: "u:{{auth.sub}}", X-Opt: "{{auth.claims.gone?}}", X-Mail: "{{auth.email}}", X-Q: "{{query.q}}", x-api_key: k1, Authorization: "Basic abc"}, remove: [X-Removed, user-agent]}}}
  - {path: /pass, method: any, upstream: {url: "http://app:9000", passCredential: true}}
  - {path: /raw, method: any, identify: none}
  - {path: /host, method: any, upstream: {url: "http://app:9000", headers: {set: {Host: "{{query.h}}"}}}}
  - {path: /kept, method: any, requireAuth: true}
  - {path: /shared, method: any, requireAuth: true, sharedCache: true}
  - {path: /cors, method: any, cors: {origins: [https://a.example]}}
`

func TestWhatUpstreamsGet(t *testing.T) {
	t.Parallel()
	g := serving(t, forwardFile)
	editor := bearer(alice.with("roles", []string{"boss", "unknown"}))
	for _, c := range []struct {
		name, line string
		fields     []string
		want       string
	}{
		{"nobody's request says nothing about who", "GET /a/b", []string{"Accept: x", "X-Portreeve-Subject: root", "X_User: root", "X-Api-Key: k", "Authorization: Basic YTpi"}, "Accept: x"},
		{"somebody's says who", "GET /a/b", []string{editor, "X-Portreeve-Roles: boss", "Connection: X-Portreeve-Subject, x-portreeve-email"},
			"X-Portreeve-Email: alice@example.com\nX-Portreeve-Provider: jwt\nX-Portreeve-Roles: editor,boss\nX-Portreeve-Subject: alice\nX-Portreeve-Tenant: main"},
		{"what is set replaces every spelling", "GET /opts?q=1", []string{editor, "X.Api.Key: k", "X-Opt: mine", "X_SUB: root", "X-Removed: 1", "User-Agent: u", "Cf-Access-Authenticated-User-Email: root"},
			"Authorization: Basic abc\nCf-Access-Authenticated-User-Email: alice@example.com\nX-Mail: alice@example.com\nX-Portreeve-Email: alice@example.com\nX-Portreeve-Provider: jwt\nX-Portreeve-Roles: editor,boss\nX-Portreeve-Subject: alice\nX-Portreeve-Tenant: main\nX-Q: 1\nX-Sub: u:alice\nx-api_key: k1"},
		{"what another route sets is no client's", "GET /a/b", []string{"X-Sub: root", "x_mail: root", "X-Q: 1"}, ""},
		{"cookies but the credential's", "GET /a/b", []string{"Cookie: a=1; CF_Authorization=" + accessToken() + "; __Host-portreeve=x"}, "Cookie: a=1\nX-Portreeve-Email: alice@example.com\nX-Portreeve-Provider: access\nX-Portreeve-Subject: alice"},
		{"identify: none leaves the credential", "GET /raw", []string{"Authorization: Bearer x", "Cookie: CF_Authorization=y; __Host-portreeve=z", "X-Portreeve-Subject: root"}, "Authorization: Bearer x\nCookie: CF_Authorization=y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := g.ask(c.line, c.fields...)
			if got := sent(a.forward); got != c.want {
				t.Errorf("%d %s\n%s", a.status, a.code, cmp.Diff(strings.Split(c.want, "\n"), strings.Split(got, "\n")))
			}
		})
	}
	a := g.ask("GET /pass", bearer(alice), "Cookie: CF_Authorization="+accessToken())
	if got := sent(a.forward); !strings.Contains(got, "Cookie: CF_Authorization=") || !strings.Contains(got, "Authorization: Bearer ") {
		t.Errorf("passCredential does not pass the credential: %s", got)
	}
}

func TestTheForwardedFamilyIsRebuilt(t *testing.T) {
	t.Parallel()
	g := serving(t, forwardFile)
	a := g.ask("GET Api.Example.com:8443/a/b", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1", "Forwarded: for=1", "X-Request-Id: theirs", "True-Client-IP: 1.2.3.4")
	want := request.Header{
		{Name: "X-Forwarded-For", Value: "203.0.113.9"}, {Name: "X-Real-IP", Value: "203.0.113.9"}, {Name: "X-Forwarded-Proto", Value: "http"},
		{Name: "X-Forwarded-Host", Value: "Api.Example.com:8443"}, {Name: "X-Request-Id", Value: "req-1"},
	}
	if d := cmp.Diff(want, a.forward.Header); d != "" || a.forward.Host != "Api.Example.com:8443" {
		t.Errorf("host %s\n%s", a.forward.Host, d)
	}
}

func TestValuesThatNoHeaderCanCarry(t *testing.T) {
	t.Parallel()
	g := serving(t, forwardFile)
	for _, sub := range []string{"alice ", " alice", "a\r\nX-Portreeve-Roles: boss", "a\x00", "a\x7f", "a\u0085b", "\u2003a"} {
		a := g.ask("GET /a/b", bearer(alice.with("sub", sub)))
		if a.forward != nil || a.code != "identity_not_representable" && a.code != "malformed_token" {
			t.Errorf("subject %q: %d %s, %s", sub, a.status, a.code, sent(a.forward))
		}
	}
	for _, sub := range []string{"a b", "\u00e9", "a,b"} {
		if a := g.ask("GET /a/b", bearer(alice.with("sub", sub))); !strings.Contains(sent(a.forward), "X-Portreeve-Subject: "+sub) {
			t.Errorf("subject %q: %d %s", sub, a.status, sent(a.forward))
		}
	}
	for q, want := range map[string]int{"x": 200, "x%0d%0aX-Portreeve-Subject:root": 403, "x%20": 403, "%09": 403, "": 200} {
		if a := g.ask("GET /opts?q=" + q); a.status != want {
			t.Errorf("a header set from %q: %d, want %d", q, a.status, want)
		}
	}
	for h, want := range map[string]string{"other.example:81": "200 other.example:81", "": "403 ", "a/b": "403 ", "a%20b": "403 "} {
		a := g.ask("GET /host?h=" + h)
		host := ""
		if a.forward != nil {
			host = a.forward.Host
		}
		if got := itoa(a.status) + " " + host; got != want {
			t.Errorf("Host set to %q: %s, want %s", h, got, want)
		}
	}
}

func TestUnverifiedAddressesStayHere(t *testing.T) {
	t.Parallel()
	x := &Exchange{View: request.View{}}
	who := *g0(t).x.Stand.Who
	who.EmailVerified = false
	x.Stand.Who = &who
	h, f := x.identityHeaders(nil, &Forwarding{AccessHeaders: true})
	if f != nil || h.Has("X-Portreeve-Email") || h.Has("Cf-Access-Authenticated-User-Email") || h.Get("X-Portreeve-Subject") != "alice" {
		t.Errorf("%v %v", h, f)
	}
	for verifiedOnly, want := range map[bool]bool{true: false, false: true} { // false: only back to the caller
		e := env{x: x, verifiedOnly: verifiedOnly}
		if _, found := e.Lookup(template.Auth, []template.Step{{Name: "email"}}); found != want {
			t.Errorf("{{auth.email}}, verifiedOnly %v: found %v", verifiedOnly, found)
		}
	}
	if facts := x.assertion(&Forward{}, "app"); facts.Email != "" {
		t.Errorf("asserted: %+v", facts)
	}
}

// g0 is an answered request of alice's.
func g0(t *testing.T) answer {
	return serving(t, forwardFile).ask("GET /a/b", bearer(alice))
}

func TestWhatIsSetReplacesOurOwnToo(t *testing.T) {
	t.Parallel()
	g := serving(t, `routes: [{path: /a, method: get, upstream: {url: "http://app", headers: {set: {x_real_ip: fixed, X-Forwarded-Host: other}}}}]`)
	h := g.ask("GET /a").forward.Header
	if h.Has("X-Real-IP") || h.Get("x_real_ip") != "fixed" || h.Count("X-Forwarded-Host") != 1 || h.Get("X-Forwarded-Host") != "other" {
		t.Error(h)
	}
}

func TestFlagsForTransport(t *testing.T) {
	t.Parallel()
	g := serving(t, forwardFile)
	for line, want := range map[string][2]bool{"GET /a/b": {}, "GET /kept": {true, false}, "GET /shared": {}, "GET /cors": {false, true}} {
		f := g.ask(line, bearer(alice)).forward
		if f.Private != want[0] || f.DropCORS != want[1] {
			t.Errorf("%s: %+v", line, f)
		}
	}
}

func TestAssertionsStateWhatIsSent(t *testing.T) {
	t.Parallel()
	g := serving(t, `{rbac: {roles: [{name: editor}]}, routes: [{path: /v1/*, method: any, upstream: {url: "http://app:9000/base", name: orders, stripPrefix: /v1, assertion: true}}]}`)
	keys := must(assertion.New(clock))
	x := g.ask("POST /none").x
	for _, who := range []string{"", bearer(alice)} {
		a := arrival("POST /v1/x?y=1", who)
		x = &Exchange{}
		g.gate.Ask(t.Context(), g.snap, x, a)
		out, f := x.Forward(x.Route.Answer.(*Forwarding), keys, clock)
		if f != nil || out.Header.Has("X-Portreeve-Assertion") != (who != "") {
			t.Fatalf("%v %v", f, out)
		}
	}
	want := assertion.Facts{Issuer: "http://api.example.com", Audience: "orders", Subject: "alice", Email: "alice@example.com", Tenant: "main", Roles: []string{"editor"},
		Provider: "jwt", Method: "POST", Host: "api.example.com", Path: "/base/x", Query: "y=1", HasQuery: true}
	out, _ := x.Forward(x.Route.Answer.(*Forwarding), keys, clock)
	if d := cmp.Diff(want, x.assertion(out, "orders")); d != "" {
		t.Error(d)
	}
}
