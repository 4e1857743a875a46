package proxy

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// maxTrailers bounds the fields of a trailer section.
const maxTrailers = 64

// requestTrailers are the names of the trailers that the client announced and
// that go on.
func requestTrailers(r *http.Request, o *gateway.Forward) []string {
	if o.Trailer == nil || len(r.Trailer) == 0 {
		return nil
	}
	var out []string
	for name := range r.Trailer {
		if isToken(name) && o.Trailer(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// appendTrailers writes the trailer section that ends a chunked body. Values
// are known once the body was read.
func appendTrailers(b []byte, r *http.Request, names []string) []byte {
	fields := 0
	for _, name := range names {
		for _, v := range r.Trailer[name] {
			if v = blanks(v); valueOK(v) && fields < maxTrailers {
				b = append(b, name...)
				b = append(b, ": "...)
				b = append(b, v...)
				b = append(b, "\r\n"...)
				fields++
			}
		}
	}
	return append(b, "\r\n"...)
}

// trailerPasses reports whether an answer's trailer goes on: what would not go
// on as a header does not, nor what comes too late, nor a field that Portreeve
// itself said.
func (x *exchange) trailerPasses(f *request.Field) bool {
	if gateway.TooLate(f.Name) || !x.passes(f, "") {
		return false
	}
	folded := request.Fold(f.Name)
	return folded != "x-request-id" && !strings.HasPrefix(folded, "x-ratelimit-") && !isCORS(f.Name)
}

// announce tells the client which trailers the upstream promised.
func (x *exchange) announce(names []string) {
	var kept []string
	for _, name := range names {
		if name = blanks(name); isToken(name) && x.trailerPasses(&request.Field{Name: name}) && len(kept) < maxTrailers {
			kept = append(kept, textproto.CanonicalMIMEHeaderKey(name))
		}
	}
	if kept != nil {
		x.w.Header()["Trailer"] = []string{strings.Join(kept, ", ")}
	}
}

// announced lists what the Trailer fields of an answer name.
func (a *answer) announced() (names []string) {
	for i := range a.fields {
		if f := &a.fields[i]; equalFold(f.Name, "Trailer") {
			names = append(names, strings.Split(f.Value, ",")...)
		}
	}
	return names
}

// putTrailers hands the answer's trailers on. net/http sends them at the end of
// a chunked or an HTTP/2 body, and drops them elsewhere.
func (x *exchange) putTrailers(fields []request.Field) {
	for i := range fields {
		if f := &fields[i]; x.trailerPasses(f) {
			x.putTrailer(f.Name, f.Value)
		}
	}
}

func (x *exchange) putTrailer(name, value string) {
	key := http.TrailerPrefix + textproto.CanonicalMIMEHeaderKey(name)
	h := x.w.Header()
	h[key] = append(h[key], value)
}
