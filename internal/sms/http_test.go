package sms

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestStatusesAndWords(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	n := r.node(r.configured("widget: true"), Place{})
	for _, c := range []struct {
		name, method, path, body string
		origin                   string
		status                   int
		word                     string
	}{
		{"preflight", "OPTIONS", "/", "", page, 204, ""},
		{"preflight of any campaign", "OPTIONS", "/no/such", "", page, 204, ""},
		{"preflight of another page", "OPTIONS", "/", "", "https://evil.example", 403, "origin_not_allowed"},
		{"preflight of nobody", "OPTIONS", "/", "", "", 403, "origin_not_allowed"},
		{"another page", "POST", "/", `{"to":"4155552671"}`, "https://evil.example", 403, "origin_not_allowed"},
		{"no origin", "POST", "/", `{"to":"4155552671"}`, "", 403, "origin_not_allowed"},
		{"an origin in other letters", "POST", "/", `{"to":"4155552671"}`, "https://Example.com", 403, "origin_not_allowed"},
		{"an origin with its port", "POST", "/", `{"to":"4155552671"}`, "https://example.com:443", 403, "origin_not_allowed"},
		{"a longer origin", "POST", "/", `{"to":"4155552671"}`, "https://example.com.evil.example", 403, "origin_not_allowed"},
		{"a sandboxed page", "POST", "/", `{"to":"4155552671"}`, "null", 403, "origin_not_allowed"},
		{"no body", "POST", "/", "", page, 403, "invalid_request"},
		{"no JSON", "POST", "/", "to=4155552671", page, 403, "invalid_request"},
		{"a list", "POST", "/", `["4155552671"]`, page, 403, "invalid_request"},
		{"no to", "POST", "/", `{"number":"4155552671"}`, page, 403, "invalid_request"},
		{"to twice", "POST", "/", `{"to":"4155552671","to":"4155552672"}`, page, 403, "invalid_request"},
		{"to is a number", "POST", "/", `{"to":4155552671}`, page, 403, "invalid_request"},
		{"to is null", "POST", "/", `{"to":null}`, page, 403, "invalid_request"},
		{"no number", "POST", "/", `{"to":"call me"}`, page, 403, "invalid_number"},
		{"too short", "POST", "/", `{"to":"555 2671"}`, page, 403, "invalid_number"},
		{"another country", "POST", "/", `{"to":"+49 1512 3456789"}`, page, 403, "region_not_allowed"},
		{"a line without texts", "POST", "/", `{"to":"+44 20 7946 0018"}`, page, 403, "invalid_number"},
		{"toll-free", "POST", "/", `{"to":"1-800-356-9377"}`, page, 403, "invalid_number"},
		{"no such campaign", "POST", "/winter", `{"to":"4155552671"}`, page, 403, "unknown_campaign"},
		{"names have a case", "POST", "/Spring", `{"to":"4155552671"}`, page, 403, "unknown_campaign"},
		{"the number comes first", "POST", "/winter", `{"to":"1"}`, page, 403, "invalid_number"},
		{"a path with two readings", "POST", "//spring", `{"to":"4155552671"}`, page, 403, "unknown_campaign"},
		{"GET", "GET", "/spring", "", page, 403, "method_not_allowed"},
		{"HEAD", "HEAD", "/", "", page, 403, "method_not_allowed"},
		{"PUT", "PUT", "/", `{"to":"4155552671"}`, page, 403, "method_not_allowed"},
		{"DELETE by nobody", "DELETE", "/", "", "", 403, "method_not_allowed"},
		{"post in small letters", "post", "/", `{"to":"4155552671"}`, page, 403, "method_not_allowed"},
		{"the widget elsewhere", "GET", "/a/widget.js", "", page, 403, "method_not_allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := n.ask(caller{c.origin, "192.0.2.1"}, c.method, c.path, c.body)
			if c.word != "" {
				got.is(t, c.status, c.word)
			}
			if got.status != c.status {
				t.Fatalf("%d %s", got.status, got.body)
			}
			listed := c.origin == page
			if (got.header.Get("Access-Control-Allow-Origin") == page) != listed || got.header.Get("Vary") != "Origin" {
				t.Errorf("CORS: %v", got.header)
			}
			if got.status == 204 && (got.header.Get("Access-Control-Allow-Methods") != "POST, OPTIONS" || got.header.Get("Access-Control-Allow-Headers") != "Content-Type" || got.header.Get("Access-Control-Max-Age") != "86400") {
				t.Errorf("preflight: %v", got.header)
			}
		})
	}
	r.texts(t, 0)
}

// What the gate itself refuses has the same words, and nothing else.
func TestFaultsOfTheGate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f      *fault.Error
		status int
		word   string
	}{
		{fault.New(fault.NotFound, "no_route", ""), 403, "unknown_campaign"},
		{fault.New(fault.NotFound, "bad_path", ""), 403, "unknown_campaign"},
		{fault.New(fault.TooLarge, "body_too_large", "x"), 403, "invalid_request"},
		{fault.New(fault.BadRequest, "bad_head", "x"), 403, "invalid_request"},
		{fault.New(fault.MethodNotAllowed, "method_not_allowed", ""), 403, "method_not_allowed"},
		{fault.New(fault.TooManyRequests, "rate_limit", ""), 429, "rate_limited"},
		{fault.New(fault.Unavailable, "store_unavailable", "The store"), 500, "send_failed"},
		{fault.New(fault.Internal, "", ""), 500, "send_failed"},
	} {
		reply := Shape(c.f, "r", "d")
		if string(reply.Body) != `{"error":"`+c.word+`"}` || reply.Status != c.status || reply.Header.Has("Allow") {
			t.Errorf("%v: %d %s", c.f, reply.Status, reply.Body)
		}
	}
}

func TestCampaignsOfPaths(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	n := r.node(r.configured(""), Place{})
	paths := map[string]bool{ // spring or default
		"/": false, "/default": false, "/spring": true, "/spring.html": true, "/spring.tar.gz": true, "/promo/spring": true, "/spring/": false,
		"/.html": false, "/%73pring": true, "/spring%2Ejson": true, "/default.x": false, "/a/b/c/spring.x": true,
	}
	i := 0
	for path, spring := range paths {
		i++
		n.ask(visitor, "POST", path, `{"to":"`+numberOf(i)+`"}`).sent(t)
		texts := r.texts(t, i)
		if got := strings.HasPrefix(texts[i-1].Body, "Spring"); got != spring {
			t.Errorf("%s: %q", path, texts[i-1].Body)
		}
	}
}

func TestRoutesStandAlone(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	n := r.node(r.configured(""), Place{})
	for _, route := range n.s.Routes(n.c, Place{Plain: true}) {
		if !route.Anonymous || !route.OtherSites || route.Method != "any" || route.Op.BodyLimit() != maxBody {
			t.Errorf("%+v", route)
		}
	}
	var _ gateway.Shape = Shape
}
