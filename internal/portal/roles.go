package portal

import (
	"cmp"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) roles() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/roles", "roles", listRoles),
		s.get("/new-role", "make a role", newRole), // not below /roles, where a role may be called new
		s.post("/new-role", "make a role", createRole),
		s.get("/permissions", "permissions", listPermissions),
		s.get("/roles/:name", "a role", showRole),
		s.get("/roles/:name/edit", "change a role", editRole),
		s.post("/roles/:name/edit", "change a role", changeRole),
		s.get("/roles/:name/remove", "remove a role", askRemoveRole),
		s.post("/roles/:name/remove", "remove a role", removeRole),
	}
}

// role is a role as /rbac/roles shows it.
type role struct {
	tagged
	Name, Description      string
	Permissions, Effective []string
	ParentRole             *string
	Source                 string
	Assigned               int
	HidesTenantRole        bool
	CreatedAt, UpdatedAt   *time.Time
}

// Where says in a badge where it is defined.
func (r role) Where() badgePart {
	switch r.Source {
	case "file":
		return badgePart{"info", "in the file"}
	case "builtin":
		return badgePart{"off", "built in"}
	}
	return badgePart{"ok", "made here"}
}

// Stored reports whether it can be changed here.
func (r role) Stored() bool { return r.Source == "tenant" }

// Parent is the role that it inherits from; "" for none.
func (r role) Parent() string {
	if r.ParentRole == nil {
		return ""
	}
	return *r.ParentRole
}

func listRoles(v *visit) (request.Reply, error) {
	var list listOf[role]
	if err := v.ask("GET", v.target("/rbac/roles"), nil, &list); err != nil {
		return request.Reply{}, err
	}
	return v.show("roles", "Roles", struct {
		Roles []role
		Pager pager
		Make  lock
	}{list.Data, v.pager(list.Pagination, len(list.Data)), v.may("POST", "/rbac/roles")})
}

func (v *visit) role(name string) (r role, err error) {
	err = v.read("/rbac/roles/"+segment(name), &r.tagged, &r)
	return r, err
}

// held is a permission of a role, and the role that it comes from.
type held struct{ Permission, From string }

// rolePage is one role, and what its reader may do with it.
type rolePage struct {
	Role           role
	Line           []role // it inherits from, the nearest first
	Held           []held
	Change, Remove lock
	Users          bool // may be listed
}

// mostAbove bounds the parents that a page follows; more are not allowed anyway.
const mostAbove = 32

func showRole(v *visit) (request.Reply, error) {
	r, err := v.role(v.param("name"))
	if err != nil {
		return request.Reply{}, err
	}
	p := rolePage{Role: r, Change: v.may("PUT", "/rbac/roles/"+segment(r.Name)), Remove: v.may("DELETE", "/rbac/roles/"+segment(r.Name)), Users: v.may("GET", "/tenant/users").OK}
	for up := r.Parent(); up != "" && len(p.Line) < mostAbove; {
		next, err := v.role(up)
		if err != nil {
			break
		}
		p.Line = append(p.Line, next)
		up = next.Parent()
	}
	for _, one := range append([]role{r}, p.Line...) {
		for _, permission := range one.Permissions {
			if !slices.ContainsFunc(p.Held, func(h held) bool { return h.Permission == permission }) {
				p.Held = append(p.Held, held{permission, one.Name})
			}
		}
	}
	slices.SortFunc(p.Held, func(a, b held) int { return cmp.Compare(a.Permission, b.Permission) })
	return v.show("role", r.Name, p)
}

// listPermissions is who holds what, and what asks for it.
func listPermissions(v *visit) (request.Reply, error) {
	var list struct {
		Data []struct {
			Permission    string
			Roles, Routes []string
		}
		Pagination pagination
		Pager      pager
	}
	if err := v.ask("GET", v.target("/rbac/permissions"), nil, &list); err != nil {
		return request.Reply{}, err
	}
	list.Pager = v.pager(list.Pagination, len(list.Data))
	return v.show("permissions", "Permissions", list)
}
