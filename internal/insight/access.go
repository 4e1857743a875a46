package insight

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Bounds of lists.
const (
	standardPage = 50
	largestPage  = 100
)

// accessRoutes lists the operations, all of them about the caller's own tenant:
//
//	GET /.portreeve/insight/access                     rbac:read
//	    ?user=ID  or  ?key=ID                          what a person, key or machine token can do
//	    ?site=NAME&route=KEY                           who can use a route
//	GET /.portreeve/insight/routes                     rbac:read   the routes of all sites, with their keys
//
// Lists take limit and offset; those of routes also site, search (a part of method
// and path, or of the name), and of access answer (yes, no, depends).
//
// An answer comes of the checks that decide, for a caller who has what is stored
// about it now: a person's token is taken to carry the verified e-mail of its row,
// and what else it says is not known. What depends on that, or on the request,
// is answered so. Limits, and what an operation asks by rules of its own, are no
// part of it.
func (s *Service) accessRoutes() []gateway.SurfaceRoute {
	list := []gateway.SurfaceRoute{
		get("/access", "rbac:read", "read who can do what", s.access),
		get("/routes", "rbac:read", "list routes", s.routes),
	}
	for i := range list {
		list[i].Op.Tenant = true
	}
	return list
}

// Route is one route of a site.
type Route struct {
	Site    string   `json:"site"`
	Methods []string `json:"methods"` // "*" is any
	Path    string   `json:"path"`    // the pattern
	Key     string   `json:"key"`     // names it within its site: "GET /admin/users"
	Name    string   `json:"name"`    // of an operation of Portreeve's own, else the file's description
	Surface string   `json:"surface"` // of which it is an operation; "": a route of the file
}

// keyOf names a route within its site.
func keyOf(r *gateway.Route) string {
	method := strings.Join(r.Methods, ",")
	if r.AnyMethod() {
		method = "any"
	}
	return method + " " + r.Pattern.Text
}

// stands is a route and where it stands.
type stands struct {
	site  *gateway.Site
	route *gateway.Route
}

func (r stands) view() Route {
	out := Route{Site: r.site.Name, Methods: slices.Clone(r.route.Methods), Path: r.route.Pattern.Text, Key: keyOf(r.route), Name: r.route.Description}
	if op, own := r.route.Answer.(*gateway.Operation); own {
		out.Surface = op.Surface
	}
	return out
}

// all lists the routes of the file and the operations of every site that has
// callers, the file's first: on one that a surface owns nobody is identified. Pages
// are left out, since what they show and do is asked of operations.
func (s *Service) all() (out []stands) {
	s.sites(func(site *gateway.Site) {
		if site.Owner != nil {
			return
		}
		for _, r := range site.Table.Sorted() {
			if _, own := r.Answer.(*gateway.Builtin); own {
				continue
			}
			if op, own := r.Answer.(*gateway.Operation); own && (op.HTML || op.Unlisted) {
				continue
			}
			out = append(out, stands{site, r})
		}
	})
	slices.SortStableFunc(out, func(a, b stands) int { return cmp.Compare(a.rank(), b.rank()) })
	return out
}

// rank puts the routes of the file first, and operations below Portreeve's own
// segment last.
func (r stands) rank() int {
	switch _, own := r.route.Answer.(*gateway.Operation); {
	case !own:
		return 0
	case !strings.HasPrefix(r.route.Pattern.Text, "/.portreeve/"):
		return 1
	}
	return 2
}

// narrowed are the routes that a query wants.
func (s *Service) narrowed(v *request.View) ([]stands, error) {
	site, _, err := input.Query(v, "site")
	if err != nil {
		return nil, err
	}
	search, _, err := input.Query(v, "search")
	if err != nil {
		return nil, err
	}
	if len(search) > longestQuery {
		return nil, input.Invalid("search", "is too long")
	}
	search = principal.FoldASCII(strings.TrimSpace(search))
	return slices.DeleteFunc(s.all(), func(r stands) bool {
		return site != "" && r.site.Name != site || search != "" && !holds(keyOf(r.route), search) && !holds(r.route.Description, search)
	}), nil
}

func (s *Service) routes(_ context.Context, c *gateway.Call) (request.Reply, error) {
	p, err := input.PageOf(c.View, standardPage, largestPage)
	if err != nil {
		return request.Reply{}, err
	}
	list, err := s.narrowed(c.View)
	if err != nil {
		return request.Reply{}, err
	}
	out := []Route{}
	for _, r := range slice(list, p) {
		out = append(out, r.view())
	}
	return gateway.JSON(200, input.ListOf(out, p, len(list))), nil
}

// slice is the part of a list that a page is.
func slice[T any](list []T, p input.Page) []T {
	return list[min(p.Offset, len(list)):min(p.Offset+p.Limit, len(list))]
}

func (s *Service) access(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var asked struct{ user, key, route string }
	for _, x := range []struct {
		name string
		to   *string
	}{{"user", &asked.user}, {"key", &asked.key}, {"route", &asked.route}} {
		text, _, err := input.Query(c.View, x.name)
		if err != nil {
			return request.Reply{}, err
		}
		if len(text) > longestQuery || strings.ContainsRune(text, 0) {
			return request.Reply{}, input.Invalid(x.name, "is too long, or holds a control character")
		}
		*x.to = text
	}
	p, err := input.PageOf(c.View, standardPage, largestPage)
	if err != nil {
		return request.Reply{}, err
	}
	people, err := s.stored()
	if err != nil {
		return request.Reply{}, err
	}
	switch {
	case asked.user != "" && asked.key == "" && asked.route == "":
		return s.ofCaller(ctx, c, p, func(tx *store.Tx, own *policy.StoredRoles) (*caller, error) {
			u, err := tenant.FindUserIn(tx, c.Tenant, asked.user)
			if err != nil {
				return nil, err
			}
			return people.user(tx, u, own)
		})
	case asked.key != "" && asked.user == "" && asked.route == "":
		return s.ofCaller(ctx, c, p, func(tx *store.Tx, own *policy.StoredRoles) (*caller, error) {
			return people.keyOf(tx, c.Tenant, asked.key, own)
		})
	case asked.route != "" && asked.user == "" && asked.key == "":
		return s.ofRoute(ctx, c, p, asked.route)
	}
	return request.Reply{}, input.Invalid("user", "is required, or key, or site and route: one of them")
}

// words of an outlook.
func words(o policy.Outlook) string {
	switch o {
	case policy.Always:
		return "yes"
	case policy.Depends:
		return "depends"
	}
	return "no"
}

// errNoRoute is a route that does not stand.
var errNoRoute = fault.New(fault.NotFound, "no_route", "Route not found")
