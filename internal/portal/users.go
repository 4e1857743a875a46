package portal

import (
	"cmp"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) users() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/users", "users", listUsers),
		s.get("/users/new", "add a user", newUser),
		s.post("/users/new", "add a user", addUser),
		s.get("/users/:id", "a user", showUser),
		s.post("/users/:id", "give or take a role, disable or enable a user", switchUser),
		s.get("/users/:id/edit", "change a user", editUser),
		s.post("/users/:id/edit", "change a user", changeUser),
		s.get("/users/:id/remove", "remove a user", askRemoveUser),
		s.post("/users/:id/remove", "remove a user", removeUser),
	}
}

// user is a user as /tenant/users shows it.
type user struct {
	tagged
	ID, Email, ServiceToken, Name string
	Roles                         []string
	Bound                         *struct {
		Provider, Issuer, Subject string
		At                        time.Time
	}
	Disabled             bool
	CreatedAt, UpdatedAt time.Time
}

// Title is what people call it.
func (u user) Title() string {
	subject := ""
	if u.Bound != nil {
		subject = u.Bound.Subject
	}
	return cmp.Or(u.Email, u.ServiceToken, u.Name, subject, u.ID)
}

// State is what a badge says of it.
func (u user) State() badgePart {
	if u.Disabled {
		return badgePart{"stop", "disabled"}
	}
	return badgePart{"ok", "active"}
}

func listUsers(v *visit) (request.Reply, error) {
	var list listOf[user]
	if err := v.ask("GET", v.target("/tenant/users", "search", "state", "role"), nil, &list); err != nil {
		return request.Reply{}, err
	}
	return v.show("users", "Users", struct {
		Users               []user
		Pager               pager
		Add                 lock
		Search, State, Role string
		Roles               []role
	}{list.Data, v.pager(list.Pagination, len(list.Data), "search", "state", "role"), v.may("POST", "/tenant/users"),
		v.query("search"), v.query("state"), v.query("role"), v.roles()})
}

// mostRoles bounds the roles that a form offers. Others are given by the API.
const mostRoles = 100

// roles are those that may be given; none for whoever may not read them.
func (v *visit) roles() []role {
	var list struct{ Data []role }
	if v.ask("GET", "/rbac/roles?limit=100", nil, &list) != nil {
		return nil
	}
	return list.Data[:min(len(list.Data), mostRoles)]
}

// userForm is what the page of a user that is added or changed is made of.
type userForm struct {
	standing
	Allowed lock
	User    *user // the one that is changed; nil: a new one
	Roles   []role
}

func newUser(v *visit) (request.Reply, error) {
	return v.show("user-form", "Add a user", userForm{Allowed: v.may("POST", "/tenant/users"), Roles: v.roles()})
}

func addUser(v *visit, f *form) (request.Reply, error) {
	in := map[string]any{}
	for _, name := range []string{"email", "serviceToken", "name"} {
		if text := f.get(name); text != "" {
			in[name] = text
		}
	}
	if list := f.all("roles"); len(list) > 0 {
		in["roles"] = list
	}
	var u user
	if err := v.ask("POST", "/tenant/users", in, &u); err != nil {
		if f.problems(err, "permissions", "roles") {
			return v.again(f, "user-form", "Add a user", userForm{Allowed: v.may("POST", "/tenant/users"), Roles: v.roles()})
		}
		return request.Reply{}, err
	}
	return v.done("/users/"+segment(u.ID), "user-added")
}

func editUser(v *visit) (request.Reply, error) {
	u, err := v.user()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("user-form", "Change "+u.Title(), v.userForm(nil, &u))
}

// userForm is the form of a user that is there.
func (v *visit) userForm(f *form, u *user) userForm {
	return userForm{standing: f.since(u.tagged), User: u, Allowed: v.may("PATCH", "/tenant/users/"+segment(u.ID))}
}

// userEdit is what a form that changes a user is about.
func (v *visit) userEdit(f *form) edit[user] {
	page := "/users/" + segment(v.param("id"))
	return edit[user]{one: "user", target: v.param("id"), page: page, again: v.path(), list: "/users", read: v.user,
		fields: func(u user) []compared {
			return []compared{f.typed("E-mail", "email", u.Email), f.typed("Name", "name", u.Name), f.typed("Access service", "serviceToken", u.ServiceToken)}
		},
		changed: func(u user) *time.Time { return &u.UpdatedAt },
		shown:   func(u user) (string, string, any) { return "user-form", "Change " + u.Title(), v.userForm(f, &u) }}
}

func changeUser(v *visit, f *form) (request.Reply, error) {
	u, err := v.user()
	if err != nil {
		if reply, ok, err := v.userEdit(f).meanwhile(v, f, err); ok {
			return reply, err
		}
		return request.Reply{}, err
	}
	in := map[string]any{}
	for name, was := range map[string]string{"email": u.Email, "serviceToken": u.ServiceToken, "name": u.Name} {
		if text := f.get(name); text != was && f.values.Has(name) { // what did not change is not judged anew
			in[name] = text
		}
	}
	if err := v.change(f, "PATCH", "/tenant/users/"+segment(u.ID), in); err != nil {
		if reply, ok, err := v.userEdit(f).meanwhile(v, f, err); ok {
			return reply, err
		}
		if f.problems(err, "permissions", "email") {
			return v.again(f, "user-form", "Change "+u.Title(), v.userForm(f, &u))
		}
		return request.Reply{}, err
	}
	return v.done("/users/"+segment(u.ID), "saved")
}

func askRemoveUser(v *visit) (request.Reply, error) {
	u, err := v.user()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("user-remove", "Remove "+u.Title(), userForm{User: &u, Allowed: v.may("DELETE", "/tenant/users/"+segment(u.ID))})
}

func removeUser(v *visit, f *form) (request.Reply, error) {
	if err := v.ask("DELETE", "/tenant/users/"+segment(v.param("id")), nil, nil); err != nil {
		if u, errUser := v.user(); errUser == nil && f.problems(err) {
			return v.again(f, "user-remove", "Remove "+u.Title(), userForm{User: &u, Allowed: lock{OK: true}})
		}
		return request.Reply{}, err
	}
	return v.done("/users", "user-removed")
}

// offered are the roles that a user does not have.
func offered(all []role, has []string) []role {
	return slices.DeleteFunc(slices.Clone(all), func(r role) bool { return slices.Contains(has, r.Name) })
}
