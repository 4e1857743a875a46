package gateway

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/request"
)

// checkProtocol checks the keys about HTTP/2.
func checkProtocol(c *UpstreamConfig, list []member, r *config.Reporter) {
	secure := func(m member) bool { return strings.HasPrefix(m.url, "https:") }
	if c.HTTP2 && !slices.ContainsFunc(list, secure) {
		r.Errorf("http2", "is for https: no URL of this upstream is one; h2c speaks HTTP/2 without TLS")
	}
	if c.H2C && !slices.ContainsFunc(list, func(m member) bool { return !secure(m) }) {
		r.Errorf("h2c", "is HTTP/2 without TLS: every URL of this upstream is https, for which there is http2")
	}
}

// trailerNames reads requestTrailers, folded.
func trailerNames(c *UpstreamConfig, r *config.Reporter) map[string]bool {
	out := map[string]bool{}
	for i, name := range c.RequestTrailers {
		at := r.At("requestTrailers" + config.Index(i))
		switch {
		case !headerName(name):
			at.Errorf("", "is no header name")
		case TooLate(name):
			at.Errorf("", "%s cannot be a trailer: it is needed before the body", name)
		}
		out[request.Fold(name)] = true
	}
	return out
}
