package std

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// A page's refusal is kept with the steps of what it asked and was refused, and
// an operation that panics is the page's failure, not the engine's.
func TestAPageAsksTheOperationsOfItsSite(t *testing.T) {
	t.Parallel()
	asks := func(path, target string) gateway.SurfaceRoute {
		return gateway.SurfaceRoute{Method: "GET", Path: path, Op: gateway.Operation{Surface: "portal", Name: "show " + path, HTML: true,
			Run: func(ctx context.Context, c *gateway.Call) (request.Reply, error) {
				reply, r := c.Ask(ctx, gateway.Question{Method: "GET", Target: target})
				switch {
				case r == nil:
					return request.Reply{Status: 200, Body: append([]byte("page: "), reply.Body...)}, nil
				case path == "/returns":
					c.Why = r.Steps
					return request.Reply{}, r.Fault
				}
				c.Refused, c.Why = r.Fault, r.Steps
				return request.Reply{Status: r.Fault.Kind.Status(), Body: []byte("page: " + strings.Join(r.Lacks, " "))}, nil
			}}}
	}
	things := func(path string, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.SurfaceRoute {
		return gateway.SurfaceRoute{Method: "GET", Path: path, Op: gateway.Operation{Surface: "things", Name: "do " + path, Run: run}}
	}
	guarded := things("/guarded", nil)
	guarded.Require = policy.Requirements{RequiredPermissions: config.List[string]{"things:read"}}
	h := newHouse(t, "127.0.0.1:1", guarded,
		things("/open", func(_ context.Context, c *gateway.Call) (request.Reply, error) {
			return gateway.JSON(200, c.Actor().ID), nil
		}),
		things("/demands", func(context.Context, *gateway.Call) (request.Reply, error) {
			return request.Reply{}, fault.New(fault.Forbidden, policy.CodeMFA, "")
		}),
		things("/panics", func(context.Context, *gateway.Call) (request.Reply, error) { panic("boom") }),
		things("/forbids", func(context.Context, *gateway.Call) (request.Reply, error) {
			return request.Reply{}, fault.New(fault.Forbidden, "not_yours", "")
		}),
		asks("/allowed", "/open"), asks("/refused", "/guarded"), asks("/returns", "/guarded"), asks("/own", "/forbids"), asks("/demanded", "/demands"), asks("/breaks", "/panics"))
	for _, c := range []struct {
		path   string
		status int
		body   string
		inner  bool // the record has the steps of the question
		last   string
	}{
		{"/allowed", 200, `page: "alice"`, false, ""},
		{"/refused", 403, "page: things:read", true, "missing_permission"},
		{"/returns", 403, "Insufficient permissions", true, "missing_permission"},
		{"/own", 403, "page: ", false, "not_yours"},
		{"/demanded", 403, "page: ", false, policy.CodeMFA},
		{"/breaks", 500, "An unexpected error occurred", false, ""},
	} {
		res, body := h.do("GET", c.path, "")
		o := <-h.records
		if res.StatusCode != c.status || !strings.Contains(body, c.body) {
			t.Errorf("%s: %d %s", c.path, res.StatusCode, body)
		}
		if c.last == "" {
			if len(o.Steps) != 0 || o.Decision != "" {
				t.Errorf("%s: steps %v", c.path, o.Steps)
			}
			continue
		}
		last := o.Steps[len(o.Steps)-1]
		if res.Header.Get("X-Portreeve-Decision") != o.Decision || last.Stage != "operation" || last.Check != "portal: show "+c.path || !strings.HasPrefix(last.Found, c.last) {
			t.Errorf("%s: %s, last step %+v", c.path, o.Decision, last)
		}
		if factor := c.last == policy.CodeMFA; factor != strings.Contains(last.Enough, "a step-up token") {
			t.Errorf("%s: what would have been enough: %q", c.path, last.Enough)
		}
		at := slices.IndexFunc(o.Steps, func(s trace.Step) bool { return s.Check == "requiredPermissions" && !s.OK })
		if (at >= 0) != c.inner || c.inner && at != len(o.Steps)-2 || o.Steps[0].Stage != "host" {
			t.Errorf("%s: steps %s", c.path, fmt.Sprint(o.Steps))
		}
	}
}

// Whoever's session gets a new cookie while a page asks is told by the page's
// answer, or would be signed out by it.
func TestACookieThatIsRenewedWhileAPageAsks(t *testing.T) {
	t.Parallel()
	var h *house
	known := func(renew string) *policy.Known {
		return &policy.Known{Tenant: "acme", Session: &policy.SessionFacts{ID: "s1"}, Renew: renew}
	}
	h = newHouse(t, "127.0.0.1:1",
		gateway.SurfaceRoute{Method: "GET", Path: "/.portreeve/open", Op: gateway.Operation{Surface: "things", Name: "look", Run: func(context.Context, *gateway.Call) (request.Reply, error) {
			return gateway.JSON(200, "ok"), nil
		}}},
		gateway.SurfaceRoute{Method: "GET", Path: "/.portreeve/page", Op: gateway.Operation{Surface: "portal", Name: "show", HTML: true, Run: func(ctx context.Context, c *gateway.Call) (request.Reply, error) {
			h.known.Store(known("the-next-value"))
			if _, r := c.Ask(ctx, gateway.Question{Method: "GET", Target: "/.portreeve/open"}); r != nil {
				return request.Reply{}, r.Fault
			}
			return request.Reply{Status: 200, Body: []byte("page")}, nil
		}}})
	h.known.Store(known(""))
	for i, want := range []int{1, 1} { // the second page has told it by itself
		res := h.get("/.portreeve/page", "Cookie: "+lodger)
		if list := res.Header.Values("Set-Cookie"); res.StatusCode != 200 || len(list) != want || !strings.Contains(list[0], "the-next-value") {
			t.Errorf("page %d: %d %q", i, res.StatusCode, list)
		}
	}
}
