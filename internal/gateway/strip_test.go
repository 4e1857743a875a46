package gateway

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/request"
)

// identityNames are the headers by which upstreams learn who called, from where
// and what for.
var identityNames = []string{
	"X-Portreeve-Subject", "X-Portreeve-Assertion", "X-Portreeve-Anything", "X-Auth-Request-User", "X-Auth-Request-Email",
	"X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
	"Remote-User", "Remote-Email", "Remote-Groups", "Remote-Name", "Cf-Access-Authenticated-User-Email", "Cf-Access-Jwt-Assertion",
	"X-Original-URL", "X-Original-URI", "X-Original-Method", "X-Original-Host", "X-Rewrite-URL",
	"X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "Proxy", "Forwarded", "X-Real-IP", "CF-Connecting-IP",
	"X-Site-User", "X-Set", "Authorization", // by the site: identityHeaders, headers.set, a provider
}

// alias draws a spelling of a name that some upstream takes for the name.
func alias(t *rapid.T, name string) string {
	b := []byte(name)
	for i, c := range b {
		switch n := rapid.IntRange(0, 3).Draw(t, "change"); {
		case (c == '-' || c == '_') && n > 0:
			b[i] = "-_."[n-1]
		case n == 1:
			b[i] = strings.ToUpper(string(c))[0]
		case n == 2:
			b[i] = strings.ToLower(string(c))[0]
		}
	}
	return string(b)
}

// P2: no alias of an identity header gets through, wherever it stands and
// whatever Connection says.
func TestNoAliasOfAnIdentityHeaderPasses(t *testing.T) {
	t.Parallel()
	s := NewStrip([]string{"X-Site-User", "x_set", "AUTHORIZATION"}, nil)
	rapid.Check(t, func(t *rapid.T) {
		name := alias(t, rapid.SampledFrom(identityNames).Draw(t, "name"))
		in := request.Header{{Name: "Accept", Value: "*/*"}, {Name: name, Value: "root"}, {Name: "X-Mine", Value: "1"}}
		if rapid.Bool().Draw(t, "connection") {
			in = append(in, request.Field{Name: "Connection", Value: name})
		}
		want := request.Header{{Name: "Accept", Value: "*/*"}, {Name: "X-Mine", Value: "1"}}
		if d := cmp.Diff(want, s.Apply(nil, in, nil)); d != "" {
			t.Fatalf("%s: %s", name, d)
		}
	})
}

func TestHopByHopFieldsStay(t *testing.T) {
	t.Parallel()
	s := NewStrip(nil, []string{"CF_Authorization", "__Host-portreeve"})
	in := request.Header{
		{Name: "Host", Value: "a"}, {Name: "connection", Value: "close, X-Hop , ,x-twice"}, {Name: "X-Hop", Value: "1"}, {Name: "Connection", Value: "te"}, {Name: "X-TWICE", Value: "1"},
		{Name: "Keep-Alive", Value: "1"}, {Name: "Proxy-Connection", Value: "1"}, {Name: "Proxy-Authorization", Value: "1"}, {Name: "TE", Value: "trailers"}, {Name: "Trailer", Value: "X"},
		{Name: "Transfer-Encoding", Value: "chunked"}, {Name: "Content-Length", Value: "3"}, {Name: "Upgrade", Value: "h2c"}, {Name: "HTTP2-Settings", Value: "x"}, {Name: "Expect", Value: "100-continue"},
		{Name: "Accept", Value: "a"}, {Name: "accept", Value: "b"}, {Name: "X-Removed", Value: "1"}, {Name: "Content-Type", Value: "t"},
		{Name: "Cookie", Value: "a=1; CF_Authorization=x; b=2"}, {Name: "cookie", Value: "CF_Authorization=x;__Host-portreeve=y"}, {Name: "Cookie", Value: "c=\"3\";d"},
	}
	want := request.Header{
		{Name: "Accept", Value: "a"}, {Name: "accept", Value: "b"}, {Name: "Content-Type", Value: "t"}, {Name: "Cookie", Value: "a=1; b=2"}, {Name: "Cookie", Value: "c=\"3\";d"},
	}
	if d := cmp.Diff(want, s.Apply(nil, in, map[string]bool{"x-removed": true})); d != "" {
		t.Error(d)
	}
}
