package gateway

import (
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// lateFields are those that frame, route, authenticate or describe a message
// and would come too late in a trailer section (RFC 9110 section 6.5.1).
var lateFields = map[string]bool{
	"authorization": true, "cookie": true, "set-cookie": true, "www-authenticate": true, "range": true,
	"content-type": true, "content-encoding": true, "content-range": true, "content-location": true, "location": true,
	"cache-control": true, "expires": true, "age": true, "date": true, "vary": true, "pragma": true, "etag": true,
	"if-match": true, "if-none-match": true, "if-modified-since": true, "if-unmodified-since": true, "if-range": true,
	"max-forwards": true, "retry-after": true, "warning": true, "origin": true, "sec-fetch-site": true,
}

// TooLate reports whether a field of that name, however spelt, cannot be a
// trailer.
func TooLate(name string) bool {
	folded := request.Fold(name)
	return lateFields[folded] || hopByHop[folded]
}

// IsGRPC reports whether a Content-Type is gRPC's.
func IsGRPC(contentType string) bool {
	const grpc = "application/grpc"
	if len(contentType) < len(grpc) || !strings.EqualFold(contentType[:len(grpc)], grpc) {
		return false
	}
	rest := contentType[len(grpc):]
	return rest == "" || rest[0] == '+' || rest[0] == ';' || rest[0] == ' '
}

// trailerRule says which request trailers go on: those of gRPC, and those that
// the upstream names; never one that could not go on as a header. nil: none.
func (x *Exchange) trailerRule(to *Forwarding) func(name string) bool {
	all := IsGRPC(x.View.Header.Get("Content-Type"))
	if !all && len(to.RequestTrailers) == 0 {
		return nil
	}
	return func(name string) bool {
		folded := request.Fold(name)
		return (all || to.RequestTrailers[folded]) && !TooLate(name) && !to.Strip.Drops(name) && !to.Remove[folded]
	}
}

// takesTrailers reports whether the client said that it reads trailers.
func takesTrailers(h request.Header) bool {
	for _, f := range h {
		if !strings.EqualFold(f.Name, "TE") {
			continue
		}
		for coding := range strings.SplitSeq(f.Value, ",") {
			if strings.EqualFold(strings.TrimSpace(coding), "trailers") {
				return true
			}
		}
	}
	return false
}
