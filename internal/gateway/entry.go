package gateway

import (
	"fmt"
	"slices"
	"strings"
)

// Entry is one pattern with all the routes that share it.
type Entry struct {
	Text   string // the pattern as first written
	Routes []*Route
	allow  []string
	exact  bool // HEAD is not answered by GET
}

func (e *Entry) add(r *Route) error {
	for _, other := range e.Routes {
		for _, m := range r.Methods {
			if slices.Contains(other.Methods, m) || m == AnyMethod && other.AnyMethod() || r.AnyMethod() && other.AnyMethod() {
				return fmt.Errorf("ties with %s: the same method and the same path", other.Where())
			}
		}
		if r.AnyMethod() != other.AnyMethod() {
			continue // a listed method wins over any
		}
	}
	e.Routes = append(e.Routes, r)
	e.allow = e.allow[:0]
	for _, r := range e.Routes {
		for _, m := range r.Methods {
			if m != AnyMethod && !slices.Contains(e.allow, m) {
				e.allow = append(e.allow, m)
			}
		}
	}
	if !e.exact && slices.Contains(e.allow, "GET") && !slices.Contains(e.allow, "HEAD") {
		e.allow = append(e.allow, "HEAD")
	}
	slices.Sort(e.allow)
	return nil
}

// Route returns the entry's route for a method: one that lists it, GET's for
// HEAD, else the one for any method. TRACE and CONNECT have none, nor has another
// spelling of them or of a listed method: upstreams exist that run "post" as
// POST, whose requirements it would not have met.
func (e *Entry) Route(method string) *Route {
	if method == "TRACE" || method == "CONNECT" {
		return nil
	}
	var wild, get *Route
	for _, r := range e.Routes {
		for _, m := range r.Methods {
			switch m {
			case method:
				return r
			case AnyMethod:
				wild = r
			case "GET":
				get = r
			}
		}
	}
	if method == "HEAD" && get != nil && !e.exact {
		return get
	}
	if up := strings.ToUpper(method); wild != nil && up != method &&
		(up == "TRACE" || up == "CONNECT" || slices.Contains(e.allow, up)) {
		return nil
	}
	return wild
}

// Allow lists the methods that the path answers, sorted.
func (e *Entry) Allow() []string {
	for _, r := range e.Routes {
		if r.AnyMethod() {
			return []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
		}
	}
	return e.allow
}

// own reports whether the entry is Portreeve's own.
func (e *Entry) own() bool {
	switch e.Routes[0].Answer.(type) {
	case *Builtin, *Operation:
		return true
	}
	return false
}
