package portal

import (
	"net/url"
	"slices"

	"github.com/portreeve/portreeve/internal/request"
)

// userPage is one user, and what its reader may do with it.
type userPage struct {
	standing
	User                   user
	Change, Assign, Remove lock
	Offered                []role // that the user does not have
	Roles                  []userRole
	Why                    bool // "who can do what" stands here
	Self                   bool
	Signed                 signedIn // where the user is
	Browsers               bool     // and that can be said
}

// userRole is a role that a user has; Lost says that nothing defines it.
type userRole struct {
	role
	Lost bool
}

func (v *visit) user() (u user, err error) {
	err = v.read("/tenant/users/"+segment(v.param("id")), &u.tagged, &u)
	return u, err
}

func showUser(v *visit) (request.Reply, error) {
	u, err := v.user()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("user", u.Title(), v.userPage(u))
}

func (v *visit) userPage(u user) userPage {
	at := "/tenant/users/" + segment(u.ID)
	all := v.roles()
	p := userPage{standing: standing{u.tag}, User: u, Change: v.may("PATCH", at), Assign: v.may("POST", "/rbac/assign"), Remove: v.may("DELETE", at), Offered: offered(all, u.Roles),
		Why: v.may("GET", "/.portreeve/insight/access?user="+segment(u.ID)).OK, Self: v.c.Standing.UserID == u.ID}
	for _, name := range u.Roles {
		if i := slices.IndexFunc(all, func(r role) bool { return r.Name == name }); i >= 0 {
			p.Roles = append(p.Roles, userRole{role: all[i]})
			continue
		}
		// What is gone from the file gives nothing, and says so, where all are known.
		p.Roles = append(p.Roles, userRole{role{Name: name}, len(all) > 0 && len(all) < mostRoles})
	}
	signed, err := v.ofUser(u)
	p.Signed, p.Browsers = signed, err == nil
	return p
}

// switchUser does what the buttons of a user's page say.
func switchUser(v *visit, f *form) (request.Reply, error) {
	id := v.param("id")
	method, target, done := "PATCH", "/tenant/users/"+segment(id), ""
	var in any
	switch f.get("do") {
	case "disable":
		in, done = map[string]bool{"disabled": true}, "user-disabled"
	case "enable":
		in, done = map[string]bool{"disabled": false}, "user-enabled"
	case "assign":
		method, target, in, done = "POST", "/rbac/assign", map[string]string{"userId": id, "role": f.get("role")}, "role-given"
	case "take":
		method, target, done = "DELETE", "/rbac/assign?"+url.Values{"userId": {id}, "role": {f.get("role")}}.Encode(), "role-taken"
	default:
		return request.Reply{}, errNothing
	}
	ask := func() error { return v.ask(method, target, in, nil) }
	if done == "user-enabled" { // with all that the user is by now; to disable one asks for nothing
		ask = func() error { return v.change(f, method, target, in) }
	}
	if err := ask(); err != nil {
		e := v.userEdit(f)
		e.again, e.fields = "", nil
		e.shown = func(u user) (string, string, any) { return "user", u.Title(), v.userPage(u) }
		if reply, ok, err := e.meanwhile(v, f, err); ok {
			return reply, err
		}
		u, errUser := v.user()
		if errUser == nil && f.problems(err, "permissions", "role", "userId", "role") {
			return v.again(f, "user", u.Title(), v.userPage(u))
		}
		return request.Reply{}, err
	}
	return v.done("/users/"+segment(id), done)
}
