package portal

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// An agent may be called anything that is lower-case letters, digits and -, and
// begins with none: the page that makes one stands under a name that none can have.
func (s *site) agents() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/agents", "agents", listAgents),
		s.get("/agents/-new", "make an agent", newAgent),
		s.post("/agents/-new", "make an agent", createAgent),
		s.get("/agents/:id", "an agent", showAgent),
		s.get("/agents/:id/edit", "change an agent", editAgent),
		s.post("/agents/:id/edit", "change an agent", changeAgent),
		s.get("/agents/:id/delete", "delete an agent", askDeleteAgent),
		s.post("/agents/:id/delete", "delete an agent", deleteAgent),
		s.get("/agents/:id/admins", "give somebody a role on an agent", newAgentAdmin),
		s.post("/agents/:id/admins", "give somebody a role on an agent", addAgentAdmin),
		s.get("/agents/:id/admins/:adminId", "change somebody's role on an agent", editAgentAdmin),
		s.post("/agents/:id/admins/:adminId", "change somebody's role on an agent", changeAgentAdmin),
		s.get("/agents/:id/admins/:adminId/remove", "take somebody's role on an agent", editAgentAdmin),
		s.post("/agents/:id/admins/:adminId/remove", "take somebody's role on an agent", removeAgentAdmin),
	}
}

// agent is a thing of a collection as its API shows it.
type agent struct {
	ID, Description      string
	Public               bool
	Role                 string
	Settings             json.RawMessage
	CreatedAt, UpdatedAt time.Time
}

// Admin reports whether the reader may change it, Owner whether it is theirs.
func (a agent) Admin() bool { return a.Role == "admin" || a.Owner() }
func (a agent) Owner() bool { return a.Role == "owner" }

// Pretty are the settings as people read them. Numbers stay as they were written.
func (a agent) Pretty() string {
	var b bytes.Buffer
	if len(a.Settings) == 0 || json.Indent(&b, a.Settings, "", "  ") != nil {
		return "{}"
	}
	return b.String()
}

// collection is what a page of agents is about: agents, or another name of
// agents.collections.
type collection struct {
	Of  string
	All []string // where there are several
	at  string   // of its API
}

// Title is the collection's name as a heading begins.
func (c collection) Title() string { return upper(c.Of) }

// Query is what leads from page to page of the same collection.
func (c collection) Query() string {
	if c.Of == firstCollection {
		return ""
	}
	return "?of=" + url.QueryEscape(c.Of)
}

const firstCollection = "agents"

var errNoCollection = fault.New(fault.NotFound, "no_collection", "")

// collection is the one that the page's address names.
func (v *visit) collection() (collection, error) {
	c := collection{Of: firstCollection}
	if of := v.query("of"); of != "" {
		c.Of = of
	}
	if c.Of != firstCollection && !slices.Contains(v.s.collections, c.Of) {
		return c, errNoCollection
	}
	if len(v.s.collections) > 1 {
		c.All = v.s.collections
	}
	c.at = "/api/" + segment(c.Of)
	return c, nil
}

// agentsPage is the list.
type agentsPage struct {
	collection
	Agents       []agent
	Pager        pager
	Make         lock
	Search, Role string
}

func listAgents(v *visit) (request.Reply, error) {
	c, err := v.collection()
	if err != nil {
		return request.Reply{}, err
	}
	var list struct {
		Data []agent
		Meta pagination
	}
	if err := v.ask("GET", v.target(c.at, "search", "role"), nil, &list); err != nil {
		return request.Reply{}, err
	}
	p := agentsPage{collection: c, Agents: list.Data, Pager: v.pager(list.Meta, len(list.Data), "search", "role", "of"), Make: v.may("POST", c.at), Search: v.query("search"), Role: v.query("role")}
	p.Pager.Filtered = p.Search != "" || p.Role != ""
	return v.show("agents", c.Title(), p)
}

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
