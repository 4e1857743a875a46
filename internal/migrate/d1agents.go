package migrate

import (
	"strings"

	"github.com/portreeve/portreeve/internal/agents"
)

const (
	agentsTable = "agents"
	adminsTable = "agent_admins"
)

var (
	agentReads = []string{"id", "name", "tenant_id", "description", "public", "is_public", "visibility", "settings"}
	adminReads = []string{"id", "agent_id", "tenant_id", "email", "service_token", "role"}
)

// takes reports whether this run takes a table's rows.
func (i *d1) takes(table string) bool {
	switch {
	case table == agentsTable || table == adminsTable:
		return i.Agents != nil
	case ofEscrow(table):
		return i.Escrow != nil
	}
	return true
}

// whose is the tenant of a row: its own column, where it has one, else the one
// that the import is for.
func (i *d1) whose(f fields) string {
	if of := f.text("tenant_id"); of != "" {
		return of
	}
	return i.Tenant
}

// agentBy is whoever imports.
func (i *d1) agentBy() agents.By { return agents.By{Actor: i.By.Actor, Host: true} }

func (i *d1) agent(f fields) error {
	of := i.whose(f)
	switch {
	case !i.tenants[of]:
		return left("its tenant is neither taken nor in the store")
	case f.off():
		return left("is disabled or deleted there")
	}
	id := f.text("id")
	if id == "" {
		id = f.text("name")
	}
	taken, err := i.Agents.ImportIn(i.tx, i.agentBy(), of, agents.First, agents.Row{ID: id, Description: f.text("description"),
		Public: truth(f["public"]) || truth(f["is_public"]) || strings.EqualFold(f.text("visibility"), "public"), Settings: f.text("settings")})
	if err != nil {
		return err
	}
	if taken {
		i.took[agentsTable]++
		i.newAgents = append(i.newAgents, agentRow{of, id, f.line()})
		if name := f.text("name"); name != "" && name != id {
			i.out.left("agents.name", where(f.line()), "an agent's id is its name here; the description is where another one can stand")
		}
		return nil
	}
	i.there[agentsTable]++
	return nil
}

func (i *d1) admin(f fields) error {
	of := i.whose(f)
	switch {
	case !i.tenants[of]:
		return left("its tenant is neither taken nor in the store")
	case f.off():
		return left("is disabled or deleted there")
	case f.ends():
		return left("has an end, which admins do not have here")
	}
	taken, err := i.Agents.ImportMemberIn(i.tx, i.agentBy(), of, agents.First, agents.MemberRow{Agent: f.text("agent_id"), ID: f.text("id"),
		Email: f.text("email"), ServiceToken: f.text("service_token"), Role: f.text("role")})
	switch {
	case err != nil:
		return err
	case taken:
		i.took[adminsTable]++
	default:
		i.there[adminsTable]++
	}
	return nil
}

// agentRow is an agent that this run took.
type agentRow struct {
	tenant, id string
	line       int
}

// ownerless reports the agents that were taken and that nobody owns: the older
// system had no such rule.
func (i *d1) ownerless() error {
	for _, a := range i.newAgents {
		none, err := agents.Ownerless(i.tx, a.tenant, agents.First, a.id)
		if err != nil {
			return err
		}
		if none {
			i.out.left("agents.owner", where(a.line), "the agent is taken, and nobody owns it: portreeve users appoints an owner")
		}
	}
	return nil
}
