package sms

import (
	"slices"

	"github.com/portreeve/portreeve/internal/request"
)

// Headers makes what goes with every answer of a site: CORS for a listed origin
// (Fetch standard, section 3.2), and Vary for all, so that no cache gives one
// page's answer to another.
func Headers(c *Config) func(*request.View) request.Header {
	return func(v *request.View) request.Header {
		out := request.Header{{Name: "Vary", Value: "Origin"}}
		if origin, ok := c.listed(v); ok {
			out = append(out, request.Field{Name: "Access-Control-Allow-Origin", Value: origin},
				request.Field{Name: "Access-Control-Expose-Headers", Value: "Retry-After, X-Request-Id"})
		}
		return out
	}
}

// listed is the request's origin, if it has exactly one and that is listed.
func (c *Config) listed(v *request.View) (origin string, ok bool) {
	if v.Header.Count("Origin") != 1 {
		return "", false
	}
	origin = v.Header.Get("Origin")
	return origin, slices.Contains(c.Origins, origin)
}

// preflight answers OPTIONS, whatever the path.
func preflight() request.Reply {
	return request.Reply{Status: 204, Header: request.Header{
		{Name: "Access-Control-Allow-Methods", Value: "POST, OPTIONS"},
		{Name: "Access-Control-Allow-Headers", Value: "Content-Type"},
		{Name: "Access-Control-Max-Age", Value: "86400"},
		{Name: "Cache-Control", Value: "no-store"},
	}}
}
