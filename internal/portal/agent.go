package portal

import (
	"encoding/json"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// agentPage is one of them, and who has a role on it.
type agentPage struct {
	standing
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
	var t tagged
	err = v.read(p.one(v), &t, &one)
	p.agent = one.Data
	p.agent.tagged, p.was = t, t.tag
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
		if reply, ok, err := v.agentEdit(f, p.collection).meanwhile(v, f, err); ok {
			return reply, err
		}
		return request.Reply{}, err
	}
	in, ok := agentDraft(f)
	if ok {
		if err = v.change(f, "PUT", p.one(v), in); err == nil {
			return v.done(p.Page()+p.Query(), "saved")
		}
		if reply, ok, err := v.agentEdit(f, p.collection).meanwhile(v, f, err); ok {
			return reply, err
		}
		if !f.problems(err) {
			return request.Reply{}, err
		}
	}
	p.standing = f.since(p.agent.tagged)
	return v.again(f, "agent-form", "Change "+p.ID, agentForm{p, false, lock{OK: true}})
}

// agentEdit is what a form that changes one is about.
func (v *visit) agentEdit(f *form, c collection) edit[agentPage] {
	id := v.param("id")
	page := "/agents/" + segment(id)
	return edit[agentPage]{one: "agent", action: "agent.", target: c.Of + "/" + id, page: page + c.Query(), again: page + "/edit" + c.Query(), list: "/agents" + c.Query(), hidden: true,
		read: v.agentOf,
		fields: func(p agentPage) []compared {
			return []compared{f.typed("Description", "description", p.Description), f.checked("Everybody finds it in the list", "public", p.Public),
				f.typedJSON("Settings", "settings", p.Settings)}
		},
		changed: func(p agentPage) *time.Time { return &p.UpdatedAt },
		shown: func(p agentPage) (string, string, any) {
			return "agent-form", "Change " + p.ID, agentForm{p, false, lock{OK: true}}
		}}
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
	p.standing = f.since(p.agent.tagged)
	if f.get("confirm") != p.ID {
		f.wrong("confirm", "must be its name, as it stands above")
		return v.again(f, "agent-delete", "Delete "+p.ID, p)
	}
	if err := v.change(f, "DELETE", p.one(v), nil); err != nil {
		e := v.agentEdit(f, p.collection)
		e.fields, e.shown = nil, func(p agentPage) (string, string, any) { return "agent-delete", "Delete " + p.ID, p }
		if reply, ok, err := e.meanwhile(v, f, err); ok {
			return reply, err
		}
		if f.problems(err) {
			return v.again(f, "agent-delete", "Delete "+p.ID, p)
		}
		return request.Reply{}, err
	}
	return v.done("/agents"+p.Query(), "agent-deleted")
}
