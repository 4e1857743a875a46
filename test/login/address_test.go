package login_test

import (
	"strings"
	"testing"
)

// family is how proxies tell the client's address. From a stranger none of it counts.
var family = []string{"Auth0-Forwarded-For", "X-Forwarded-For", "Forwarded", "CF-Connecting-IP", "CF-Connecting-IPv6", "True-Client-IP", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP", "X-Original-Forwarded-For"}

func TestAStrangersWordAboutItsAddressChangesNothing(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	for _, name := range family {
		value := "203.0.113.66"
		if name == "Forwarded" {
			value = "for=203.0.113.66"
		}
		for _, site := range []string{"auth.example", "backoffice.example"} {
			a := w.send(t, site, "POST", "/oauth/token", gated["/oauth/token"], "Content-Type: application/json", "X-Castle-Request-Token: "+w.castle.Token(), name+": "+value)
			if a.Status != 200 {
				t.Errorf("%s with %s: %d %s", site, name, a.Status, a.Body)
			}
		}
	}
	n := 0
	for _, s := range w.auth0.Seen() {
		if s.Path == "/oauth/token" {
			n++
			if got := s.Header.Get("Auth0-Forwarded-For"); got != "127.0.0.1" {
				t.Errorf("auth0-forwarded-for is %q", got)
			}
		}
	}
	if n != 2*len(family) {
		t.Errorf("%d sign-ins of %d", n, 2*len(family))
	}
	for _, s := range w.castle.Seen() {
		c, _ := s.Params["context"].(map[string]any)
		if c["ip"] != "127.0.0.1" {
			t.Errorf("Castle was told the address %v", c["ip"])
		}
	}
}

func TestATrustedProxysWordIsPassedOn(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"TOP": "trustedProxies: [127.0.0.1/32]"})
	for _, site := range []string{"auth.example", "backoffice.example"} {
		a := w.send(t, site, "POST", "/oauth/token", gated["/oauth/token"], "Content-Type: application/json", "X-Castle-Request-Token: "+w.castle.Token(), "X-Forwarded-For: 6.6.6.6, 2001:db8::9", "Auth0-Forwarded-For: 6.6.6.6")
		if a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	for _, s := range w.auth0.Seen() {
		if got := s.Header.Get("Auth0-Forwarded-For"); strings.HasPrefix(s.Path, "/oauth/") && got != "2001:db8::9" {
			t.Errorf("auth0-forwarded-for is %q", got)
		}
	}
}
