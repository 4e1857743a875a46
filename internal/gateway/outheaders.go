package gateway

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// forwarded rebuilds the fields about the client that strip took away.
func (x *Exchange) forwarded(h request.Header) request.Header {
	v := &x.View
	if v.Client.IsValid() {
		ip := v.Client.String()
		h = append(h, request.Field{Name: "X-Forwarded-For", Value: ip}, request.Field{Name: "X-Real-IP", Value: ip})
	}
	return append(h,
		request.Field{Name: "X-Forwarded-Proto", Value: v.Scheme},
		request.Field{Name: "X-Forwarded-Host", Value: v.Header.Get("Host")},
		request.Field{Name: "X-Request-Id", Value: v.ID})
}

// identityHeaders says who called. They depend on the verified principal alone.
func (x *Exchange) identityHeaders(h request.Header, to *Forwarding) (request.Header, *fault.Error) {
	p := x.Stand.Who
	if !p.Authenticated() {
		return h, nil
	}
	email := ""
	if p.EmailVerified {
		email = p.Email
	}
	for _, f := range [...]request.Field{
		{Name: "X-Portreeve-Subject", Value: p.ID()},
		{Name: "X-Portreeve-Email", Value: email},
		{Name: "X-Portreeve-Tenant", Value: x.Stand.Tenant},
		{Name: "X-Portreeve-Roles", Value: strings.Join(x.Stand.Roles(), ",")},
		{Name: "X-Portreeve-Provider", Value: p.Provider},
		{Name: "Cf-Access-Authenticated-User-Email", Value: accessEmail(to, p)},
	} {
		if f.Value == "" {
			continue
		}
		if !exact(f.Value) {
			return nil, fault.New(fault.Forbidden, "identity_not_representable",
				"The caller's identity holds characters that no header can carry")
		}
		h = append(h, f)
	}
	return h, nil
}

func accessEmail(to *Forwarding, p *principal.Principal) string {
	if to.AccessHeaders && p.EmailVerified {
		return p.Email
	}
	return ""
}

// exact reports whether every reader of a header field gets the very value: no
// controls, no blanks at its ends (they are trimmed: "alice " would become
// "alice"), valid UTF-8.
func exact(s string) bool {
	if strings.TrimSpace(s) != s || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

func exactly(s string) (string, bool) { return s, exact(s) }

// setHeaders applies upstream.headers.set: each replaces whatever stands under
// its name, in any spelling.
func (x *Exchange) setHeaders(h request.Header, out *Forward, to *Forwarding, now time.Time) (request.Header, *fault.Error) {
	for i := range to.Set {
		set := &to.Set[i]
		e := &env{x: x, now: now, verifiedOnly: true}
		absent := set.Value.Absent(e)
		value, ok := set.Value.Text(e, exactly)
		if !ok && !absent {
			return nil, fault.New(fault.Forbidden, "header_value", "A header of this route has no value that a header can carry")
		}
		if strings.EqualFold(set.Name, "Host") {
			if absent {
				continue
			}
			if host, ok := request.CanonicalHost(value); !ok || host == "" {
				return nil, fault.New(fault.Forbidden, "header_value", "A header of this route has no value for this request")
			}
			out.Host = value
			continue
		}
		kept := h[:0]
		for _, f := range h {
			if request.Fold(f.Name) != request.Fold(set.Name) {
				kept = append(kept, f)
			}
		}
		h = kept
		if absent { // nothing is sent, and nothing of the client's either
			continue
		}
		h = append(h, request.Field{Name: set.Name, Value: value})
	}
	return h, nil
}
