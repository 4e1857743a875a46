package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/request"
)

// visit is one request for a page.
type visit struct {
	ctx     context.Context
	c       *gateway.Call
	s       *site
	zone    zone
	stepUp  string         // what a code in the form was good for
	cookies request.Header // that operations set
}

// refusal is what an operation said instead of doing what a page asked.
type refusal struct {
	*gateway.Refused
	asked string // method and path
}

func (r *refusal) Error() string { return r.asked + ": " + r.Fault.Error() }
func (r *refusal) Unwrap() error { return r.Fault }

// Kind is the refusal's.
func (r *refusal) Kind() fault.Kind { return r.Fault.Kind }

// ask asks an operation of this site as the reader. in, unless nil, goes as JSON;
// the answer is read into out, unless nil. The error is a *refusal.
func (v *visit) ask(method, target string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("%s %s: %w", method, target, err)
		}
	}
	_, err := v.put(gateway.Question{Method: method, Target: target, Body: body}, out)
	return err
}

// put puts a question, and reads the answer's body into out, unless nil.
func (v *visit) put(q gateway.Question, out any) (request.Reply, error) {
	q.StepUp = v.stepUp
	reply, no := v.c.Ask(v.ctx, q)
	path, _, _ := strings.Cut(q.Target, "?")
	if no != nil {
		return request.Reply{}, &refusal{no, q.Method + " " + path}
	}
	for _, f := range reply.Header {
		if f.Name == "Set-Cookie" {
			v.cookies = append(v.cookies, f)
		}
	}
	if out == nil || len(reply.Body) == 0 {
		return reply, nil
	}
	if err := json.Unmarshal(reply.Body, out); err != nil {
		return request.Reply{}, fmt.Errorf("%s %s: %w", q.Method, path, err)
	}
	return reply, nil
}

// raw asks and returns the answer as it is.
func (v *visit) raw(method, target string) (request.Reply, error) {
	reply, no := v.c.Ask(v.ctx, gateway.Question{Method: method, Target: target})
	if no != nil {
		path, _, _ := strings.Cut(target, "?")
		return request.Reply{}, &refusal{no, method + " " + path}
	}
	return reply, nil
}

// lock says whether the reader may do something, and why not.
type lock struct {
	OK      bool
	Missing bool // nothing of the kind stands here
	Why     string
}

// may reports whether the reader may do something. Nothing is done. For what has
// an id in its path any id serves, since roles decide before rows do.
func (v *visit) may(method, target string) lock {
	no := v.c.May(v.ctx, gateway.Question{Method: method, Target: target})
	switch {
	case no == nil || no.Factor: // a second factor is asked for when it comes to that
		return lock{OK: true}
	case no.Unknown:
		return lock{Missing: true, Why: "This is turned off on this site."}
	}
	return lock{Why: v.why(no)}
}

// why is a refusal in a sentence.
func (v *visit) why(no *gateway.Refused) string {
	if len(no.Lacks) == 0 {
		return sentence(no.Fault.Text())
	}
	roles := v.c.Standing.Roles()
	held := "you have no role here"
	switch len(roles) {
	case 0:
	case 1:
		held = "your role is " + roles[0]
	default:
		held = "your roles are " + strings.Join(roles, ", ")
	}
	return "This needs the permission " + strings.Join(no.Lacks, " and ") + "; " + held + "."
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// param is a part of the page's path, fit to stand in another.
func (v *visit) param(name string) string {
	s, _ := v.c.Params.Get(name)
	return s
}

// segment escapes a text for one segment of a target.
func segment(s string) string { return url.PathEscape(s) }

// longestQuery bounds a text that a reader looks for.
const longestQuery = 256

// query is a parameter of the page's address; "" for one that is missing, stands
// twice or is too long.
func (v *visit) query(name string) string {
	if list := v.c.View.QueryValues(name); len(list) == 1 && len(list[0]) <= longestQuery {
		return list[0]
	}
	return ""
}

// rows is how many rows a page shows.
const rows = 20

// offset is where the page of a list begins.
func (v *visit) offset() int {
	n, err := strconv.Atoi(v.query("offset"))
	if err != nil || n < 0 || n > 1_000_000 {
		return 0
	}
	return n
}

// path is the page's own path.
func (v *visit) path() string { return v.c.View.Path.String() }

// session reports whether the reader signed in here.
func (v *visit) session() bool { return v.c.Who.ProviderKind == identity.KindSession }

// is reports whether an error is of that kind.
func is(err error, kind fault.Kind) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Kind == kind
}

// gone reports whether an operation found nothing to work on.
func gone(err error) bool { return is(err, fault.NotFound) }
