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
	tagged
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
