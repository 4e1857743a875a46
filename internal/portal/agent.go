package portal

import (
	"encoding/json"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// agentPage is one of them, and who has a role on it.
type agentPage struct {
	collection
	agent
	Admins []agentAdmin
	Pager  pager
}

// agentOf reads the one that the page's address names.
func (v *visit) agentOf() (p agentPage, err error) {
	if p.collection, err = v.collection(); err != nil {
		return p, err
	}
	var one struct{ Data agent }
	err = v.ask("GET", p.one(v), nil, &one)
	p.agent = one.Data
	return p, err
}

// one is where its API stands.
func (c collection) one(v *visit) string { return c.at + "/" + segment(v.param("id")) }

// Page is where its page stands.
func (p agentPage) Page() string { return "/agents/" + segment(p.ID) }

func showAgent(v *visit) (request.Reply, error) {
	p, err := v.agentOf()
	if err != nil {
		return request.Reply{}, err
	}
	if p.Admin() {
		var list struct {
			Data []agentAdmin
			Meta pagination
		}
		if err := v.ask("GET", v.target(p.one(v)+"/admins"), nil, &list); err != nil {
			return request.Reply{}, err
		}
		p.Admins, p.Pager = list.Data, v.pager(list.Meta, len(list.Data), "of")
	}
	return v.show("agent", p.ID, p)
}

// agentForm is the page that makes or changes one.
type agentForm struct {
	agentPage
	New  bool
	Make lock
}

// Action is where the form goes, Back where who leaves it does.
func (f agentForm) Action() string {
	if f.New {
		return "/agents/-new" + f.Query()
	}
	return f.Page() + "/edit" + f.Query()
}

func (f agentForm) Back() string {
	if f.New {
		return "/agents" + f.Query()
	}
	return f.Page() + f.Query()
}

func newAgent(v *visit) (request.Reply, error) {
	c, err := v.collection()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("agent-form", "New in "+c.Of, agentForm{agentPage{collection: c}, true, v.may("POST", c.at)})
}

// agentDraft is a form as the API takes it; ok is false where the settings are no JSON.
func agentDraft(f *form) (in map[string]any, ok bool) {
	in = map[string]any{"description": f.get("description"), "public": f.Has("public", "yes"), "settings": json.RawMessage("{}")}
	text := f.get("settings")
	if text == "" {
		return in, true
	}
	if wrong := notJSON(text); wrong != "" {
		f.wrong("settings", wrong)
		return in, false
	}
	in["settings"] = json.RawMessage(text)
	return in, true
}

func createAgent(v *visit, f *form) (request.Reply, error) {
	c, err := v.collection()
	if err != nil {
		return request.Reply{}, err
	}
	in, ok := agentDraft(f)
	in["name"] = f.get("name")
	if ok {
		if err = v.ask("POST", c.at, in, nil); err == nil {
			return v.done("/agents/"+segment(f.get("name"))+c.Query(), "created")
		}
	}
	if ok && codeOf(err) == "agent_taken" {
		f.wrong("name", "is taken, or was: the name of what was deleted is not given again")
	} else if ok && !f.problems(err) {
		return request.Reply{}, err
	}
	return v.again(f, "agent-form", "New in "+c.Of, agentForm{agentPage{collection: c}, true, v.may("POST", c.at)})
}

// mayChange reads one for a page that its admins or owners alone have.
func (v *visit) mayChange(may func(agent) bool) (agentPage, error) {
	p, err := v.agentOf()
	if err == nil && !may(p.agent) {
		err = fault.New(fault.Forbidden, "missing_resource_role", "Your role on it is "+p.Role+", which is not enough for this")
	}
	return p, err
}

func editAgent(v *visit) (request.Reply, error) {
	p, err := v.mayChange(agent.Admin)
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("agent-form", "Change "+p.ID, agentForm{p, false, lock{OK: true}})
}

func changeAgent(v *visit, f *form) (request.Reply, error) {
	p, err := v.agentOf()
	if err != nil {
		return request.Reply{}, err
	}
	in, ok := agentDraft(f)
	if ok {
		if err = v.ask("PUT", p.one(v), in, nil); err == nil {
			return v.done(p.Page()+p.Query(), "saved")
		}
		if !f.problems(err) {
			return request.Reply{}, err
		}
	}
	return v.again(f, "agent-form", "Change "+p.ID, agentForm{p, false, lock{OK: true}})
}

func askDeleteAgent(v *visit) (request.Reply, error) {
	p, err := v.mayChange(agent.Owner)
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("agent-delete", "Delete "+p.ID, p)
}

// deleteAgent takes the name once more, typed: nothing brings one back.
func deleteAgent(v *visit, f *form) (request.Reply, error) {
	p, err := v.mayChange(agent.Owner)
	if err != nil {
		return request.Reply{}, err
	}
	if f.get("confirm") != p.ID {
		f.wrong("confirm", "must be its name, as it stands above")
		return v.again(f, "agent-delete", "Delete "+p.ID, p)
	}
	if err := v.ask("DELETE", p.one(v), nil, nil); err != nil {
		if f.problems(err) {
			return v.again(f, "agent-delete", "Delete "+p.ID, p)
		}
		return request.Reply{}, err
	}
	return v.done("/agents"+p.Query(), "agent-deleted")
}
