package portal

import (
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// agentAdmin is somebody with a role on an agent.
type agentAdmin struct {
	tagged
	ID, Email, ServiceToken, Subject, Provider, Role string
	CreatedAt                                        time.Time
}

// Who is what tells them apart.
func (a agentAdmin) Who() string {
	switch {
	case a.Email != "":
		return a.Email
	case a.ServiceToken != "":
		return a.ServiceToken
	}
	return a.Subject
}

// Kind is what that is.
func (a agentAdmin) Kind() string {
	switch {
	case a.Email != "":
		return "e-mail"
	case a.ServiceToken != "":
		return "service token"
	}
	return "of " + a.Provider
}

// Known is by what they are known, in a sentence.
func (a agentAdmin) Known() string {
	switch {
	case a.Email != "":
		return "this e-mail address"
	case a.ServiceToken != "":
		return "this service token"
	}
	return "this subject of " + a.Provider
}

// agentRole is a role on one thing, and what it is good for.
type agentRole struct{ Name, Text string }

// adminForm is the page on which somebody is given a role, or another.
type adminForm struct {
	agentPage
	Somebody agentAdmin
	Roles    []agentRole
}

func agentRoles() []agentRole {
	return []agentRole{
		{"viewer", "reads it, with its settings"},
		{"admin", "changes it, and sees who has a role on it"},
		{"owner", "gives and takes roles, and deletes it"},
	}
}

func (v *visit) adminForm() (p adminForm, err error) {
	p.agentPage, err = v.mayChange(agent.Owner)
	p.Roles = agentRoles()
	return p, err
}

func newAgentAdmin(v *visit) (request.Reply, error) {
	p, err := v.adminForm()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("agent-admin-new", "Give a role on "+p.ID, p)
}

func addAgentAdmin(v *visit, f *form) (request.Reply, error) {
	p, err := v.adminForm()
	if err != nil {
		return request.Reply{}, err
	}
	in := map[string]string{"role": f.get("role"), "email": f.get("email"), "serviceToken": f.get("serviceToken")}
	for name, value := range in {
		if value == "" {
			delete(in, name)
		}
	}
	err = v.ask("POST", p.one(v)+"/admins", in, nil)
	switch {
	case err == nil:
		return v.done(p.Page()+p.Query(), "role-given")
	case codeOf(err) == "member_taken":
		f.wrong(map[bool]string{true: "email", false: "serviceToken"}[in["email"] != ""], "has a role on it already")
	case !f.problems(err):
		return request.Reply{}, err
	}
	return v.again(f, "agent-admin-new", "Give a role on "+p.ID, p)
}

// somebody reads the one that the page's address names.
func (v *visit) somebody() (adminForm, error) {
	p, err := v.adminForm()
	if err != nil {
		return p, err
	}
	var one struct{ Data agentAdmin }
	var t tagged
	err = v.read(p.one(v)+"/admins/"+segment(v.param("adminId")), &t, &one)
	p.Somebody = one.Data
	p.Somebody.tagged, p.was = t, t.tag
	return p, err
}

// adminEdit is what a form that changes somebody's role is about.
func (v *visit) adminEdit(f *form, p adminForm) edit[adminForm] {
	page := "/agents/" + segment(v.param("id")) + p.Query()
	return edit[adminForm]{one: "role", action: "agent.", target: v.param("adminId"), page: page, list: page, read: v.somebody,
		fields:  func(p adminForm) []compared { return []compared{f.typed("Role", "role", p.Somebody.Role)} },
		changed: func(adminForm) *time.Time { return nil },
		shown:   func(p adminForm) (string, string, any) { return "agent-admin", p.Somebody.Who(), p }}
}

func editAgentAdmin(v *visit) (request.Reply, error) {
	p, err := v.somebody()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("agent-admin", p.Somebody.Who(), p)
}

func changeAgentAdmin(v *visit, f *form) (request.Reply, error) {
	return changeSomebody(v, f, "PATCH", map[string]string{"role": f.get("role")}, "saved")
}

func removeAgentAdmin(v *visit, f *form) (request.Reply, error) {
	return changeSomebody(v, f, "DELETE", nil, "role-taken")
}

func changeSomebody(v *visit, f *form, method string, in any, message string) (request.Reply, error) {
	p, err := v.somebody()
	if err == nil {
		err = v.change(f, method, p.one(v)+"/admins/"+segment(p.Somebody.ID), in)
	}
	if err != nil {
		if reply, ok, err := v.adminEdit(f, p).meanwhile(v, f, err); ok {
			return reply, err
		}
		if f.problems(err) {
			p.standing = f.since(p.Somebody.tagged)
			return v.again(f, "agent-admin", p.Somebody.Who(), p)
		}
		return request.Reply{}, err
	}
	to := p.Page() + p.Query()
	if v.ask("GET", p.one(v), nil, nil) != nil { // whoever took their own role does not see it any more
		to = "/agents" + p.Query()
	}
	return v.done(to, message)
}
