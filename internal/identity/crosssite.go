package identity

import (
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// CrossSite reports whether a request whose credential a browser sends by
// itself (any cookie; any Access assertion, since it is made from a cookie;
// a client certificate) has to be refused with 403 cross_site, because a page
// of another site may have caused it.
//
// GET, HEAD and OPTIONS change nothing and pass, unless they ask for an
// Upgrade. Anything else needs Sec-Fetch-Site "same-origin" or "none" (Fetch
// Metadata), or an Origin that is the site's own or one of origins (the
// portal's and those of cors). With both absent the request is no browser's,
// which passes if the credential was not a cookie. Either header twice is
// refused.
func CrossSite(v *request.View, fromCookie bool, origins []string) bool {
	if safeMethod(v.Method) && !v.Header.Has("Upgrade") {
		return false
	}
	site, sites := single(v.Header, "Sec-Fetch-Site")
	origin, n := single(v.Header, "Origin")
	switch {
	case sites > 1 || n > 1:
		return true
	case sites == 0 && n == 0:
		return fromCookie
	case sites == 1 && (site == "same-origin" || site == "none"):
		return false
	case n == 0:
		return true
	}
	return !ownOrigin(v, origin, origins)
}

func safeMethod(m string) bool { return m == "GET" || m == "HEAD" || m == "OPTIONS" }

// ownOrigin compares serialised origins (RFC 6454 section 6.2). "null" is
// nobody's, whatever the list says.
func ownOrigin(v *request.View, origin string, origins []string) bool {
	if origin == "" || origin == "null" {
		return false
	}
	if v.Host != "" && sameASCII(origin, v.Origin()) {
		return true
	}
	for _, o := range origins {
		if sameASCII(origin, o) {
			return true
		}
	}
	return false
}

// sameASCII compares without ASCII case. strings.EqualFold alone would also
// take the Kelvin sign for a k.
func sameASCII(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }
