package template

import "strings"

// Source is a set of the things that templates can read. Each place in the
// configuration allows its own set.
type Source uint16

// The sources.
const (
	Auth    Source = 1 << iota // the principal: auth.sub, auth.claims.x, or auth whole
	Params                     // path parameters
	Query                      // query parameters, the first value
	Headers                    // request header fields
	Body                       // the JSON request body
	Tenant                     // tenant.id
	Request                    // request.id, .ip, .method, .path
	Now                        // the time of the decision
	Secret                     // the tenant's own secrets, in upstream.headers.set alone
)

// sources gives each source its word, and the fields that it has where they
// are few and fixed.
var sources = [...]struct {
	is     Source
	name   string
	fields []string
}{
	{Auth, "auth", nil},
	{Params, "params", nil},
	{Query, "query", nil},
	{Headers, "headers", nil},
	{Body, "body", nil},
	{Tenant, "tenant", []string{"id"}},
	{Request, "request", []string{"id", "ip", "method", "path"}},
	{Now, "now", nil},
	{Secret, "secret", nil},
}

// String lists the set: "auth, params, now".
func (s Source) String() string {
	var names []string
	for _, x := range sources {
		if s&x.is != 0 {
			names = append(names, x.name)
		}
	}
	return strings.Join(names, ", ")
}

// Step is one step of a path into a source: a name, or an index into a list.
type Step struct {
	Name    string
	Index   int
	IsIndex bool
}

// Ref is what one template reads.
type Ref struct {
	Source   Source // exactly one
	Path     []Step // {{auth.claims.a}} has the steps claims and a
	Optional bool   // written with a question mark
}

// Env yields the values at evaluation. ok is false where there is none; a
// value of nil is a null that is there. Values are what encoding/json makes
// (string, bool, json.Number, float64, map[string]any, []any, nil) and besides
// []string, int, int64 and json.RawMessage.
type Env interface {
	Lookup(source Source, path []Step) (value any, ok bool)
}
