package identity

import (
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// source is a place where credentials are read. Their order is the order in
// which they decide when a request carries several.
type source uint8

const (
	bearer        source = iota // Authorization: Bearer
	keyHeader                   // x-api-key, or as configured
	accessHeader                // Cf-Access-Jwt-Assertion, else cookie CF_Authorization
	sessionCookie               // __Host-portreeve
	sources                     // how many there are
)

// Where providers of this package read.
const (
	headerAuthorization = "Authorization"
	headerAccess        = "Cf-Access-Jwt-Assertion"
	cookieAccess        = "CF_Authorization"
)

// credential is one presented token, not looked at yet.
type credential struct {
	source source
	cookie bool
	token  string
}

func (c credential) where() string {
	switch {
	case c.source == bearer:
		return "Authorization: Bearer"
	case c.source == keyHeader:
		return "key header"
	case c.source == sessionCookie:
		return "cookie " + CookieSession
	case c.cookie:
		return "cookie " + cookieAccess
	}
	return headerAccess
}

// ambient reports whether a browser may have added it by itself.
func (c credential) ambient() bool { return c.source == accessHeader || c.source == sessionCookie }

// credentials are the presented tokens, at most one of each source.
type credentials struct {
	list [sources]credential
	n    int
}

func (c *credentials) add(x credential) {
	c.list[c.n] = x
	c.n++
}

// present collects the credentials of a request from the places that the site's
// providers read; header is that of API keys. Anything twice in one place is
// refused rather than chosen from: two readers might choose differently.
func present(h request.Header, reads [sources]bool, header string) (c credentials, f *fault.Error) {
	if reads[bearer] {
		value, n := single(h, headerAuthorization)
		if n > 1 {
			return c, duplicate(headerAuthorization + " header")
		}
		if token, ok := bearerToken(value); ok && n == 1 {
			c.add(credential{source: bearer, token: token})
		}
	}
	if reads[keyHeader] {
		value, n := single(h, header)
		if n > 1 {
			return c, duplicate(header + " header")
		}
		if n == 1 {
			c.add(credential{source: keyHeader, token: value})
		}
	}
	if reads[accessHeader] {
		switch value, n := single(h, headerAccess); {
		case n > 1:
			return c, duplicate(headerAccess + " header")
		case n == 1:
			// Even an empty one: only where the header is absent the cookie counts.
			c.add(credential{source: accessHeader, token: value})
		default:
			if f = c.addCookie(h, accessHeader, cookieAccess); f != nil {
				return c, f
			}
		}
	}
	if reads[sessionCookie] {
		f = c.addCookie(h, sessionCookie, CookieSession)
	}
	return c, f
}

// addCookie adds what a cookie holds.
func (c *credentials) addCookie(h request.Header, from source, name string) *fault.Error {
	value, n := cookie(h, name)
	if n > 1 {
		return duplicate(name + " cookie")
	}
	if n == 1 {
		c.add(credential{source: from, cookie: true, token: value})
	}
	return nil
}

// single returns the first value of a field and how often the field stands.
func single(h request.Header, name string) (value string, n int) {
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			if n == 0 {
				value = h[i].Value
			}
			n++
		}
	}
	return value, n
}

// bearerToken reads an Authorization value (RFC 9110 section 11.4, RFC 6750
// section 2.1). Another scheme is no credential; the Bearer scheme with
// anything behind it, or nothing, is one, good or bad.
func bearerToken(value string) (token string, ok bool) {
	const scheme = "Bearer"
	if len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", false
	}
	rest := value[len(scheme):]
	if rest == "" {
		return "", true
	}
	switch rest[0] {
	case ' ':
		return strings.TrimLeft(rest, " "), true
	case '\t', ',':
		return rest, true // not how it is written, but meant as one: malformed
	}
	return "", false
}

// cookie returns the first value of a cookie over all Cookie fields and how
// often it stands. Names are case-sensitive (RFC 6265 section 4.1.1); quotes
// around the value are not part of it. It reads as request.Header.Cookies does,
// without allocating.
func cookie(h request.Header, name string) (value string, n int) {
	for i := range h {
		if !strings.EqualFold(h[i].Name, "Cookie") {
			continue
		}
		rest := h[i].Value
		for rest != "" {
			var pair string
			pair, rest, _ = strings.Cut(rest, ";")
			k, v, ok := strings.Cut(pair, "=")
			if !ok || strings.TrimSpace(k) != name {
				continue
			}
			if n == 0 {
				value = unquote(strings.TrimSpace(v))
			}
			n++
		}
	}
	return value, n
}

func unquote(v string) string {
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		return v[1 : len(v)-1]
	}
	return v
}
