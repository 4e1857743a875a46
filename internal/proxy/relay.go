package proxy

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// relayHead fills the client's header from the answer's. What already stands
// in dst (request id, CORS, rate limits) is ours, and an upstream cannot add to
// it; Vary and Set-Cookie are lists to which both sides contribute.
func relayHead(dst http.Header, a *answer, o *gateway.Forward, isHead bool) {
	own := ownNames(dst)
	// One backing array for all values; each header gets its own window.
	values := make([]string, 0, len(a.fields))
	for i := range a.fields {
		f := &a.fields[i]
		if drop(f, a.options, o.OwnCookies) || o.DropCORS && isCORS(f.Name) || o.Private && forSharedCaches(f.Name) {
			continue
		}
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		old, have := dst[name]
		if own != nil && own[name] && name != "Vary" && name != "Set-Cookie" {
			continue
		}
		if have {
			dst[name] = append(old[:len(old):len(old)], f.Value)
			continue
		}
		values = append(values, f.Value)
		dst[name] = values[len(values)-1 : len(values) : len(values)]
	}
	if a.length >= 0 && (isHead || a.status != 204 && a.status != 304) {
		dst["Content-Length"] = []string{strconv.FormatInt(a.length, 10)}
	}
	if _, ok := dst["Content-Type"]; !ok {
		dst["Content-Type"] = nil // net/http would guess one from the body
	}
	if o.Private {
		makePrivate(dst)
	}
}

func ownNames(h http.Header) map[string]bool {
	if len(h) == 0 {
		return nil
	}
	own := make(map[string]bool, len(h))
	for name := range h {
		own[textproto.CanonicalMIMEHeaderKey(name)] = true
	}
	return own
}

// drop reports whether an upstream's field stays here: it belongs to the
// connection, speaks in our name, or sets a cookie of ours.
func drop(f *request.Field, options string, cookies []string) bool {
	if connectionField(f.Name) || options != "" && lists(options, f.Name) {
		return true
	}
	switch len(f.Name) {
	case len("Proxy-Authenticate"), len("Proxy-Authorization"), len("Proxy-Authentication-Info"):
		switch strings.ToLower(f.Name) {
		case "proxy-authenticate", "proxy-authorization", "proxy-authentication-info":
			return true
		}
	case len("Set-Cookie"):
		if strings.EqualFold(f.Name, "Set-Cookie") {
			return setsOwn(f.Value, cookies)
		}
	}
	const ours = "x-portreeve-"
	return len(f.Name) >= len(ours) && request.Fold(f.Name[:len(ours)]) == ours
}

func isCORS(name string) bool {
	const prefix = "access-control-"
	return len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// forSharedCaches reports whether a field speaks to shared caches alone and
// would win there over Cache-Control: private (RFC 9213, Edge Architecture
// Specification, nginx).
func forSharedCaches(name string) bool {
	switch name = strings.ToLower(name); name {
	case "surrogate-control", "x-accel-expires":
		return true
	}
	return strings.HasSuffix(name, "cdn-cache-control")
}

// setsOwn reports whether a Set-Cookie value sets one of names. Case is
// ignored, and a nameless cookie ("=name=value") counts by its value, since
// browsers send both back as if they were ours.
func setsOwn(value string, names []string) bool {
	if len(names) == 0 {
		return false
	}
	pair, _, _ := strings.Cut(value, ";")
	pair = strings.TrimLeft(blanks(pair), "= \t")
	name, _, _ := strings.Cut(pair, "=")
	name = blanks(name)
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// makePrivate sees to it that shared caches keep no answer of a route with
// requirements: `private` is added unless the upstream said private or
// no-store; what it said to the contrary (public, s-maxage) goes.
func makePrivate(h http.Header) {
	said := strings.Join(h["Cache-Control"], ",")
	if said == "" {
		h["Cache-Control"] = []string{"private"}
		return
	}
	kept, private := make([]string, 0, 4), false
	for _, d := range directives(said) {
		name, arg, hasArg := strings.Cut(d, "=")
		switch strings.ToLower(blanks(name)) {
		case "public", "s-maxage":
			continue
		case "no-store":
			private = true
		case "private":
			if private = private || !hasArg; hasArg && arg != "" {
				continue // private="Set-Cookie" lets the rest be shared
			}
		}
		kept = append(kept, d)
	}
	if private && len(kept) == len(directives(said)) {
		return
	}
	if !private {
		kept = append(kept, "private")
	}
	h["Cache-Control"] = []string{strings.Join(kept, ", ")}
}

// directives splits a Cache-Control value at its commas, but for those in
// quoted strings.
func directives(s string) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i <= len(s); i++ {
		switch {
		case i < len(s) && s[i] == '"':
			quoted = !quoted
		case i < len(s) && quoted && s[i] == '\\' && i+1 < len(s):
			i++
		case i == len(s) || s[i] == ',' && !quoted:
			if d := blanks(s[start:i]); d != "" {
				out = append(out, d)
			}
			start = i + 1
		}
	}
	return out
}
