package insight

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// Bounds of the list of refusals.
const (
	standardRefusals = 50
	mostRefusals     = 200
)

// refusalRoutes lists the operations:
//
//	GET /.portreeve/insight/refusals       audit:read   the newest first
//	GET /.portreeve/insight/refusals/:id   audit:read
//
// A record is its caller's tenant's, and of the anonymous the site's; who holds
// platform:* sees all. They are those that this process remembers, and gone when
// it ends. The list takes limit, before (next of the part before it), reason (the
// code), route (a part of pattern or path), who (a part of the caller's name, or
// its address), site, and tenant.
func (s *Service) refusalRoutes() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		get("/refusals", "audit:read", "list refusals", s.refusals),
		get("/refusals/:id", "audit:read", "read a refusal", s.refusal),
	}
}

// Refusal is one refused request.
type Refusal struct {
	ID     string     `json:"id"` // as in X-Portreeve-Decision
	Time   time.Time  `json:"time"`
	Site   string     `json:"site,omitempty"`  // missing where the host was none
	Route  string     `json:"route,omitempty"` // the pattern; missing where none matched
	Method string     `json:"method"`
	Path   string     `json:"path"` // the pattern where it holds a secret
	Status int        `json:"status"`
	Reason string     `json:"reason"`           // the code of the error
	Client netip.Addr `json:"client,omitzero"`  // the client's address
	Who    string     `json:"principal"`        // the caller as the log names it; "": anonymous
	Tenant string     `json:"tenant,omitempty"` // whose record it is
	UserID string     `json:"userId,omitempty"` // the caller's users row, where it has one
	KeyID  string     `json:"keyId,omitempty"`  // the key or machine token that was shown
	// RequestID is the id of the request, as in X-Request-ID.
	RequestID string `json:"requestId,omitempty"`
}

// RefusalPage is a part of the list. Next, where there are more, is the before of
// the part that follows.
type RefusalPage struct {
	Data []Refusal `json:"data"`
	Next string    `json:"next,omitempty"`
}

// RefusalRecord is a refused request with every check of its decision, in their
// order.
type RefusalRecord struct {
	Refusal
	Steps []trace.Step `json:"steps"`
	Links RefusalLinks `json:"links"`
}

// RefusalLinks is what a refusal is about, as far as it still stands.
type RefusalLinks struct {
	Route *RouteName `json:"route"` // null: no route refused it, or it is gone
	// Roles are those of which one would be enough where a role or permission was
	// missing, and nothing but that.
	Roles []string `json:"roles"`
}

// RouteName names a route: its site, pattern and key ("GET /admin/users").
type RouteName struct {
	Site    string `json:"site"`
	Pattern string `json:"pattern"`
	Key     string `json:"key"`
}

func refusalOf(r *explain.Record) Refusal {
	return Refusal{ID: r.ID, Time: r.Time, Site: r.Site, Route: r.Route, Method: r.Method, Path: r.Path, Status: r.Status, Reason: r.Reason,
		Client: r.Client, Who: r.Principal, Tenant: r.Tenant, UserID: r.UserID, KeyID: r.KeyID, RequestID: r.RequestID}
}

// sees says whose records a caller is told of.
func sees(c *gateway.Call) func(*explain.Record) bool {
	all, own := c.Standing.Has("platform:*"), c.Standing.Tenant
	return func(r *explain.Record) bool {
		return all && (c.Tenant == own || r.Tenant == c.Tenant) || !all && own != "" && r.Tenant == own
	}
}

func (s *Service) refusals(_ context.Context, c *gateway.Call) (request.Reply, error) {
	if s.d.Refusals == nil {
		return request.Reply{}, notThere()
	}
	limit, before, err := newest(c.View, standardRefusals, mostRefusals)
	if err != nil {
		return request.Reply{}, err
	}
	wanted, err := wantedOf(c.View)
	if err != nil {
		return request.Reply{}, err
	}
	may := sees(c)
	page, next := s.d.Refusals.Before(uint64(before), int(limit), func(r *explain.Record) bool { return may(r) && wanted.is(r) })
	out := RefusalPage{Data: make([]Refusal, len(page))}
	for i := range page {
		out.Data[i] = refusalOf(&page[i])
	}
	if next > 0 {
		out.Next = strconv.FormatUint(next, 10)
	}
	return gateway.JSON(200, out), nil
}

func (s *Service) refusal(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	if s.d.Refusals == nil {
		return request.Reply{}, notThere()
	}
	id, _ := c.Params.Get("id")
	rec, ok := s.d.Refusals.Get(id)
	if !ok || !sees(c)(&rec) {
		return request.Reply{}, fault.New(fault.NotFound, "no_refusal", "Refusal not found")
	}
	out := RefusalRecord{Refusal: refusalOf(&rec), Steps: full(rec.Steps), Links: RefusalLinks{Roles: []string{}}}
	site, route := s.refusing(&rec)
	if route == nil {
		return gateway.JSON(200, out), nil
	}
	if slices.ContainsFunc(s.all(), func(r stands) bool { return r.route == route }) { // a page is none that access knows
		out.Links.Route = &RouteName{site.Name, route.Pattern.Text, keyOf(route)}
	}
	if rec.Reason == "missing_permission" || rec.Reason == "missing_role" {
		roles, err := s.enough(ctx, rec.Tenant, site, route)
		if err != nil {
			return request.Reply{}, err
		}
		out.Links.Roles = full(roles)
	}
	return gateway.JSON(200, out), nil
}

// enough lists the roles of which one would be enough for a route.
func (s *Service) enough(ctx context.Context, tenant string, site *gateway.Site, route *gateway.Route) ([]string, error) {
	own, err := s.ownRoles(ctx, tenant)
	return route.Requirement.Enough(site.Book, own), err
}

// refusing finds the route that refused: a page's question may have been, in which
// case its steps come after the page's own.
func (s *Service) refusing(r *explain.Record) (site *gateway.Site, route *gateway.Route) {
	s.sites(func(one *gateway.Site) {
		if one.Name != r.Site || site != nil {
			return
		}
		site = one
	})
	if site == nil {
		return nil, nil
	}
	for _, step := range r.Steps {
		if step.Stage != "route" || !step.OK {
			continue
		}
		method, _, _ := strings.Cut(step.Wanted, " ")
		site.Table.Entries(func(e *gateway.Entry) {
			if found := e.Route(method); found != nil && found.Where() == step.Found {
				route = found
			}
		})
	}
	return site, route
}

// wanted is what narrows a list of refusals; "" narrows nothing.
type wanted struct{ reason, route, who, site, tenant string }

func wantedOf(v *request.View) (w wanted, err error) {
	for _, x := range []struct {
		name string
		to   *string
	}{{"reason", &w.reason}, {"route", &w.route}, {"who", &w.who}, {"site", &w.site}, {"tenant", &w.tenant}} {
		text, _, err := input.Query(v, x.name)
		if err != nil {
			return w, err
		}
		if len(text) > longestQuery {
			return w, input.Invalid(x.name, "must be a text of at most "+strconv.Itoa(longestQuery)+" bytes")
		}
		*x.to = strings.TrimSpace(text)
	}
	w.route, w.who = principal.FoldASCII(w.route), principal.FoldASCII(w.who)
	return w, nil
}

func (w *wanted) is(r *explain.Record) bool {
	return (w.reason == "" || w.reason == r.Reason) && (w.site == "" || w.site == r.Site) && (w.tenant == "" || w.tenant == r.Tenant) &&
		(w.route == "" || holds(r.Route, w.route) || holds(r.Path, w.route)) &&
		(w.who == "" || holds(r.Principal, w.who) || r.Client.IsValid() && r.Client.String() == w.who)
}

// holds reports whether a text has that part, letters in either case.
func holds(text, part string) bool { return strings.Contains(principal.FoldASCII(text), part) }

func notThere() error {
	return fault.New(fault.Unavailable, "not_there", "There is nothing to tell here")
}
