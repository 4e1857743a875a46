package gateway

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/request"
)

// CORS is a compiled CORSConfig (Fetch standard, section 3.2).
type CORS struct {
	origins     map[string]bool
	listed      []string // the same, sorted
	any         bool
	methods     string // "" means those of the path
	headers     string
	credentials bool
	maxAge      string
}

const exposedHeaders = "X-Request-Id, X-Portreeve-Decision, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After"

// NewCORS compiles and checks; nil config is nil.
func NewCORS(c *CORSConfig, r *config.Reporter) *CORS {
	if c == nil {
		return nil
	}
	out := &CORS{origins: map[string]bool{}, credentials: c.Credentials, headers: "Authorization, Content-Type, X-API-Key"}
	out.methods = strings.ToUpper(names(c.Methods, "methods", c.Credentials, r))
	if len(c.Headers) > 0 {
		out.headers = names(c.Headers, "headers", c.Credentials, r)
	}
	for i, o := range c.Origins {
		if o == "*" {
			out.any = true
			if c.Credentials {
				r.Errorf(fmt.Sprintf("origins[%d]", i), `"*" and credentials: true exclude each other; name the origins`)
			}
			continue
		}
		if !IsOrigin(o) {
			r.Errorf(fmt.Sprintf("origins[%d]", i), "not an origin; write scheme and host alone, like https://app.example.com")
			continue
		}
		out.origins[strings.ToLower(o)] = true
	}
	for o := range out.origins {
		out.listed = append(out.listed, o)
	}
	slices.Sort(out.listed)
	if c.MaxAge < 0 {
		r.Errorf("maxAge", "is negative")
	}
	if c.MaxAge > 0 {
		out.maxAge = strconv.FormatInt(int64(time.Duration(c.MaxAge)/time.Second), 10)
	}
	return out
}

// names joins a list of methods or header names, each an RFC 9110 token.
func names(list []string, key string, credentials bool, r *config.Reporter) string {
	for i, n := range list {
		switch at := key + config.Index(i); {
		case n == "*" && credentials:
			r.Errorf(at, `"*" and credentials: true exclude each other; name the %s`, key)
		case !headerName(n):
			r.Errorf(at, "%q is no name that can stand in %s", n, key)
		}
	}
	return strings.Join(list, ", ")
}

// IsOrigin reports whether s is a serialised origin (RFC 6454 section 6.1):
// scheme, host and perhaps a port, and nothing behind it. A "*" in the host is
// none: origins are compared whole.
func IsOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.Contains(u.Host, "*") &&
		u.User == nil && u.Path == "" && u.RawQuery == "" && u.Fragment == "" && !strings.HasSuffix(s, "?") && !strings.HasSuffix(s, "#")
}

// Listed returns the exact origins, for the rule about ambient credentials.
func (c *CORS) Listed() []string {
	if c == nil {
		return nil
	}
	return c.listed
}

// Preflight reports whether a request is a CORS preflight.
func Preflight(v *request.View) bool {
	return v.Method == "OPTIONS" && v.Header.Has("Origin") && v.Header.Has("Access-Control-Request-Method")
}

// Headers returns what a listed origin's answer carries; nothing but Vary for
// any other.
func (c *CORS) Headers(v *request.View) request.Header {
	if c == nil {
		return nil
	}
	out := request.Header{{Name: "Vary", Value: "Origin"}}
	origin, ok := c.match(v)
	if !ok {
		return out
	}
	out = append(out, request.Field{Name: "Access-Control-Allow-Origin", Value: origin},
		request.Field{Name: "Access-Control-Expose-Headers", Value: exposedHeaders})
	if c.credentials {
		out = append(out, request.Field{Name: "Access-Control-Allow-Credentials", Value: "true"})
	}
	return out
}

func (c *CORS) match(v *request.View) (string, bool) {
	if v.Header.Count("Origin") != 1 {
		return "", false
	}
	origin := v.Header.Get("Origin")
	if c.origins[strings.ToLower(origin)] {
		return origin, true
	}
	if c.any {
		return "*", true
	}
	return "", false
}

// Answer is the 204 to a preflight for a path that answers allow: what it has
// on top of Headers, which go with every answer.
func (c *CORS) Answer(v *request.View, allow []string) request.Reply {
	var h request.Header
	if _, ok := c.match(v); ok {
		methods := c.methods
		if methods == "" {
			methods = strings.Join(allow, ", ")
		}
		h = append(h, request.Field{Name: "Access-Control-Allow-Methods", Value: methods},
			request.Field{Name: "Access-Control-Allow-Headers", Value: c.headers})
		if c.maxAge != "" {
			h = append(h, request.Field{Name: "Access-Control-Max-Age", Value: c.maxAge})
		}
	}
	return request.Reply{Status: 204, Header: h}
}
