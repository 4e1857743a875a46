package gateway

import (
	"net/url"
	"testing"

	"github.com/portreeve/portreeve/internal/request"
)

// Some upstreams run "post" as POST: it must not get past POST's requirements
// by the route for any method.
func TestAnotherSpellingOfAMethodIsNotAnyMethod(t *testing.T) {
	t.Parallel()
	pattern, err := ParsePattern("/a")
	if err != nil {
		t.Fatal(err)
	}
	strict := &Route{Key: "strict", Pattern: pattern, Methods: []string{"POST", "GET"}}
	loose := &Route{Key: "loose", Pattern: pattern, Methods: []string{AnyMethod}}
	e := &Entry{Text: "/a"}
	for _, r := range []*Route{strict, loose} {
		if err := e.add(r); err != nil {
			t.Fatal(err)
		}
	}
	for method, want := range map[string]*Route{
		"POST": strict, "GET": strict, "HEAD": strict, "PUT": loose, "purge": loose, "put": loose,
		"post": nil, "Post": nil, "get": nil, "head": nil, "TRACE": nil, "trace": nil, "connect": nil,
	} {
		if got := e.Route(method); got != want {
			t.Errorf("%s goes to %v, want %v", method, got, want)
		}
	}
}

// Two routes lead to one server whatever their time-outs and however its
// address is written: a path changed by the one must not reach what the other
// guards.
func TestChangedPathsAreComparedByServer(t *testing.T) {
	t.Parallel()
	server := func(raw string) string {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return serverOf(u)
	}
	for _, same := range [][]string{
		{"http://app", "http://app:80", "http://APP.", "http://app:80/base"},
		{"http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000", "https://127.0.0.2:9000"},
		{"https://app", "https://app:443"},
	} {
		for _, other := range same[1:] {
			if server(same[0]) != server(other) {
				t.Errorf("%s is %s, %s is %s", same[0], server(same[0]), other, server(other))
			}
		}
	}
	if server("http://a:1") == server("http://a:2") || server("http://a") == server("http://b") {
		t.Error("two servers are taken for one")
	}

	route := func(path string, to *Forwarding) *Route {
		p, err := ParsePattern(path)
		if err != nil {
			t.Fatal(err)
		}
		return &Route{Pattern: p, Methods: []string{AnyMethod}, Answer: to}
	}
	guarded := &Forwarding{Upstream: "http app:80 1m0s", Server: "app:80"}
	open := &Forwarding{Upstream: "http app 5s", Server: "app:80", StripPrefix: []string{"pub"}}
	site := &Site{Table: NewTable(false), ways: []way{wayOf(guarded), wayOf(open)}}
	lists := route("/admin", guarded)
	lists.Methods = []string{"POST"} // takes no GET: nobody may get there by another way
	for _, r := range []*Route{lists, route("/pub/*", open)} {
		if err := site.Table.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]bool{"/pub/admin": false, "/pub/else": true} {
		x := &Exchange{Site: site}
		x.View.Method, x.View.Path = "GET", request.ParseTarget(path, request.PathRules{}, nil).Path
		x.Entry = site.Table.Find(x.View.Path, &x.Params)
		if _, f := x.outgoingPath(open, x.View.Received); (f == nil) != want {
			t.Errorf("%s: %v", path, f)
		}
	}
}
