package portal

import (
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// roleForm is what the page of a role that is made or changed is made of.
type roleForm struct {
	standing
	Allowed lock
	Role    *role // the one that is changed; nil: a new one
	Grants  choices
	Parents []role
	Parent  string
}

func (v *visit) roleForm(f *form, r *role) roleForm {
	out := roleForm{Role: r, Allowed: v.may("POST", "/rbac/roles")}
	var chosen []string
	if r != nil {
		out.Allowed, chosen, out.Parent = v.may("PUT", "/rbac/roles/"+segment(r.Name)), r.Permissions, r.Parent()
		out.standing = f.since(r.tagged)
	}
	if f != nil {
		chosen, out.Parent = f.chosen("permissions", "morePermissions"), f.get("parentRole")
	}
	out.Grants = v.choices(chosen, "*:*", "everything in this tenant")
	if f != nil {
		f.values.Set("morePermissions", out.Grants.More)
	}
	out.Parents = slices.DeleteFunc(v.roles(), func(p role) bool { return r != nil && p.Name == r.Name })
	return out
}

func newRole(v *visit) (request.Reply, error) {
	return v.show("role-form", "Make a role", v.roleForm(nil, nil))
}

// roleIn is what a form says a role is to be.
func roleIn(f *form) map[string]any {
	return map[string]any{"description": f.get("description"), "permissions": append([]string{}, f.chosen("permissions", "morePermissions")...), "parentRole": f.get("parentRole")}
}

func createRole(v *visit, f *form) (request.Reply, error) {
	in := roleIn(f)
	in["name"] = f.get("name")
	var made role
	if err := v.ask("POST", "/rbac/roles", in, &made); err != nil {
		if f.namely(err, "permissions", f.chosen("permissions", "morePermissions")).problems(err) {
			return v.again(f, "role-form", "Make a role", v.roleForm(f, nil))
		}
		return request.Reply{}, err
	}
	return v.done("/roles/"+segment(made.Name), "created")
}

func editRole(v *visit) (request.Reply, error) {
	r, err := v.role(v.param("name"))
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("role-form", "Change "+r.Name, v.roleForm(nil, &r))
}

func changeRole(v *visit, f *form) (request.Reply, error) {
	r, err := v.role(v.param("name"))
	if err == nil {
		err = v.change(f, "PUT", "/rbac/roles/"+segment(r.Name), roleIn(f))
	}
	if err != nil {
		if reply, ok, err := v.roleEdit(f).meanwhile(v, f, err); ok {
			return reply, err
		}
		if f.namely(err, "permissions", f.chosen("permissions", "morePermissions")).problems(err) {
			return v.again(f, "role-form", "Change "+r.Name, v.roleForm(f, &r))
		}
		return request.Reply{}, err
	}
	return v.done("/roles/"+segment(r.Name), "role-saved")
}

// roleEdit is what a form that changes a role is about.
func (v *visit) roleEdit(f *form) edit[role] {
	name := v.param("name")
	return edit[role]{one: "role", action: "role.", target: name, page: "/roles/" + segment(name), again: v.path(), list: "/roles",
		read: func() (role, error) { return v.role(name) },
		fields: func(r role) []compared {
			return []compared{f.typed("Description", "description", r.Description), f.typed("Inherits from", "parentRole", r.Parent()),
				{"Permissions", listed(r.Permissions), listed(f.chosen("permissions", "morePermissions"))}}
		},
		changed: func(r role) *time.Time { return r.UpdatedAt },
		shown:   func(r role) (string, string, any) { return "role-form", "Change " + r.Name, v.roleForm(f, &r) }}
}

func askRemoveRole(v *visit) (request.Reply, error) {
	r, err := v.role(v.param("name"))
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("role-remove", "Remove "+r.Name, roleForm{standing: standing{r.tag}, Role: &r, Allowed: v.may("DELETE", "/rbac/roles/"+segment(r.Name))})
}

func removeRole(v *visit, f *form) (request.Reply, error) {
	r, err := v.role(v.param("name"))
	if err != nil {
		return request.Reply{}, err
	}
	if err := v.change(f, "DELETE", "/rbac/roles/"+segment(r.Name), nil); err != nil {
		e := v.roleEdit(f)
		e.fields, e.shown = nil, func(r role) (string, string, any) {
			return "role-remove", "Remove " + r.Name, roleForm{standing: standing{r.tag}, Role: &r, Allowed: lock{OK: true}}
		}
		if reply, ok, err := e.meanwhile(v, f, err); ok {
			return reply, err
		}
		if f.problems(err) {
			return v.again(f, "role-remove", "Remove "+r.Name, roleForm{standing: f.since(r.tagged), Role: &r, Allowed: lock{OK: true}})
		}
		return request.Reply{}, err
	}
	return v.done("/roles", "removed")
}
