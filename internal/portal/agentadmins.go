package portal

import (
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// agentAdmin is somebody with a role on an agent.
type agentAdmin struct {
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

// somebody finds the one that the page's address names. The API has no reading of
// one: there are a thousand at most.
func (v *visit) somebody() (adminForm, error) {
	p, err := v.adminForm()
	if err != nil {
		return p, err
	}
	const most = "200"
	for offset := 0; offset < 1000; offset += 200 {
		var list struct{ Data []agentAdmin }
		if err := v.ask("GET", p.one(v)+"/admins?sort=id&limit="+most+"&offset="+strconv.Itoa(offset), nil, &list); err != nil {
			return p, err
		}
		for _, a := range list.Data {
			if a.ID == v.param("adminId") {
				p.Somebody = a
				return p, nil
			}
		}
		if len(list.Data) == 0 {
			break
		}
	}
	return p, fault.New(fault.NotFound, "no_member", "")
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
	if err != nil {
		return request.Reply{}, err
	}
	if err := v.ask(method, p.one(v)+"/admins/"+segment(p.Somebody.ID), in, nil); err != nil {
		if f.problems(err) {
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
