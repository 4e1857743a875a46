package identity

import (
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
)

func TestCrossSite(t *testing.T) {
	t.Parallel()
	sfs := func(v string) field { return field{"Sec-Fetch-Site", v} }
	origin := func(v string) field { return field{"Origin", v} }
	for _, c := range []struct {
		name   string
		method string
		cookie bool
		fields []field
		want   bool
	}{
		{"reading", "GET", true, []field{sfs("cross-site")}, false},
		{"HEAD", "HEAD", true, []field{origin("https://evil.example")}, false},
		{"OPTIONS", "OPTIONS", true, []field{origin("https://evil.example")}, false},
		{"a method in lower case is another one", "get", true, []field{sfs("cross-site")}, true},
		{"an upgrade is not reading", "GET", true, []field{{"Upgrade", "websocket"}, origin("https://evil.example")}, true},
		{"an upgrade from here", "GET", true, []field{{"upgrade", "websocket"}, origin("https://app.example")}, false},
		{"same origin", "POST", true, []field{sfs("same-origin")}, false},
		{"typed in", "POST", true, []field{sfs("none")}, false},
		{"same site is another origin", "POST", true, []field{sfs("same-site")}, true},
		{"cross site", "POST", false, []field{sfs("cross-site")}, true},
		{"cross site from an allowed origin", "POST", true, []field{sfs("cross-site"), origin("https://portal.example")}, false},
		{"an allowed origin in other case", "POST", true, []field{origin("https://PORTAL.example")}, false},
		{"own origin", "DELETE", true, []field{origin("https://app.example")}, false},
		{"own host by the other scheme", "POST", true, []field{origin("http://app.example")}, true},
		{"own host on another port", "POST", true, []field{origin("https://app.example:8443")}, true},
		{"an origin that begins alike", "POST", true, []field{origin("https://app.example.evil.example")}, true},
		{"null", "POST", true, []field{origin("null")}, true},
		{"an empty origin", "POST", false, []field{origin("")}, true},
		{"a word that does not exist", "POST", false, []field{sfs("Same-Origin")}, true},
		{"neither, by cookie", "POST", true, nil, true},
		{"neither, by header", "POST", false, nil, false},
		{"twice", "POST", false, []field{sfs("same-origin"), sfs("cross-site")}, true},
		{"origin twice", "POST", false, []field{origin("https://app.example"), origin("https://evil.example")}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := get(c.fields...)
			v.Method = c.method
			if got := CrossSite(v, c.cookie, []string{"https://portal.example", "null", "*"}); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f    *fault.Error
		want string
	}{
		{nil, "Bearer"},
		{fault.New(fault.Unauthenticated, "authentication_required", ""), "Bearer"},
		{refuse(CodeExpired, "secret detail"), `Bearer error="invalid_token", error_description="the token is expired"`},
		{refuse(CodeUnknownIssuer, "x"), `Bearer error="invalid_token", error_description="unknown issuer"`},
	} {
		if got := Challenge(c.f); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
