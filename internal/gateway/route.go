package gateway

import (
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
)

// AnyMethod stands for every method but TRACE and CONNECT.
const AnyMethod = "*"

// Route is one compiled route.
type Route struct {
	Key         string // "routes[3]", where it stands in the file
	Pattern     *Pattern
	Methods     []string // upper case, or AnyMethod
	Description string
	Tags        []string // of the API reference

	Requirement *policy.Requirement
	Accept      *identity.Accept
	Identify    bool // false: identify: none
	OpenToAll   bool // Portreeve's own, for anonymous callers too; accepts every provider
	CORS        *CORS
	Answer      Answer
	SharedCache bool

	limits     limits
	otherSites bool // SurfaceRoute.OtherSites
	factorLate bool // the operation looks for the second factor itself: SurfaceRoute.Factor
}

// AnyMethod reports whether the route takes any method.
func (r *Route) AnyMethod() bool {
	for _, m := range r.Methods {
		if m == AnyMethod {
			return true
		}
	}
	return false
}

// Where names the route for people.
func (r *Route) Where() string { return r.Key + " (" + r.Pattern.Text + ")" }

// Answer is what happens to a request that was let through: one of *Forwarding,
// *Document, *Redirect, *Operation and *Builtin.
type Answer interface{ kind() string }

// Forwarding sends the request to an upstream.
type Forwarding struct {
	Upstream       string // key among the runtime's upstreams, its time-outs included
	Server         string // host:port of each, one spelling of it: what guards paths against each other
	Audience       string // of assertions
	Base           string // the upstream URL's path, without a trailing slash
	StripPrefix    []string
	Rewrite        *template.URLTemplate
	Set            []HeaderTemplate
	Secrets        []string // tenant secrets that Set reads
	needed         []string // those of them without which the request is refused
	Strip          *Strip
	OwnCookies     []string        // that the upstream must not set
	Remove         map[string]bool // folded
	AccessHeaders  bool
	Assertion      bool
	PassCredential bool
	MaxBody        int64 // bytes; 0 means no bound
	// RequestTrailers go on, folded; those of gRPC do anyway.
	RequestTrailers map[string]bool
}

// HeaderTemplate is a header whose value is evaluated for each request.
type HeaderTemplate struct {
	Name  string
	Value *template.Template
}

// Document is a JSON or text answer from the file.
type Document struct {
	Status      int
	ContentType string
	JSON        *template.TreeTemplate
	Data        template.Tree // what JSON was compiled from
	Text        *template.Template
	Headers     []HeaderTemplate
	UsesBody    bool
}

// Redirect sends the caller elsewhere.
type Redirect struct {
	Status int
	To     *template.URLTemplate
}

// Builtin is an answer of Portreeve's own.
type Builtin struct {
	Name string
	// Unlisted is part of a page, or its second name: lists of routes leave it out.
	Unlisted bool
	Reply    func(x *Exchange) request.Reply
}

func (*Forwarding) kind() string { return "upstream" }
func (*Document) kind() string   { return "document" }
func (*Redirect) kind() string   { return "redirect" }
func (*Builtin) kind() string    { return "portreeve" }

// AnswerKind says in a word or two how a route answers.
func AnswerKind(a Answer) string {
	if f, ok := a.(*Forwarding); ok {
		return "upstream " + f.Audience
	}
	if a == nil {
		return "none"
	}
	return a.kind()
}
