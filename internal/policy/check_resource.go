package policy

import (
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/template"
	"github.com/portreeve/portreeve/internal/trace"
)

// The roles on one row. Each holds what those before it do.
const (
	RoleViewer = "viewer"
	RoleAdmin  = "admin"
	RoleOwner  = "owner"
)

// ResourceRank orders the roles on one row: 0 is none, or a word that is no role.
func ResourceRank(role string) int {
	switch role {
	case RoleViewer:
		return 1
	case RoleAdmin:
		return 2
	case RoleOwner:
		return 3
	}
	return 0
}

// resourceCheck is resource: a role on the row that the request names. Nothing
// that a caller holds otherwise stands in for it, *:* included: whose rows they
// are is not the tenant's administrators' to say.
type resourceCheck struct {
	target
	collection string
	role       string
}

// resourceSources are what the template may read: see tenantSources.
const resourceSources = template.Auth | template.Params | template.Query | template.Headers | template.Request | template.Tenant

func (l *loader) resource(c *ResourceConfig) *resourceCheck {
	if c == nil {
		return nil
	}
	if c.Collection == "" || ResourceRank(c.Role) == 0 || c.ID == nil || c.ID.IsZero() {
		l.failed = true // reported where the file was decoded
		return nil
	}
	n, ok := l.target("resource.id", *c.ID, resourceSources)
	if !ok {
		return nil
	}
	return &resourceCheck{n, c.Collection, c.Role}
}

func (c *resourceCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	id, problem := c.value(in)
	if have := ResourceRank(in.ResourceRole); problem == "" && in.Standing.Tenant != "" && have > 0 && have >= ResourceRank(c.role) {
		if rec.On() {
			rec.Pass(stage, "resource", c.wanted(id), "the caller is its "+in.ResourceRole)
		}
		return nil
	}
	if rec.On() {
		c.explain(in, rec, id, problem)
	}
	return fault.New(fault.Forbidden, "missing_resource_role", "")
}

func (c *resourceCheck) explain(in Input, rec *trace.Recorder, id, problem string) {
	switch {
	case problem != "":
		rec.Fail(stage, "resource", c.describe(), problem, "a request that gives "+c.text+" exactly one value: the id of a row")
	case in.Standing.Tenant == "":
		rec.Fail(stage, "resource", c.wanted(id), "the caller has no tenant: "+in.Standing.TenantProblem, "a caller of the row's tenant who has a role on it")
	default:
		found := "the caller has no role on it, or it is missing, or another tenant's"
		if in.ResourceRole != "" {
			found = "the caller is its " + clip(in.ResourceRole)
		}
		rec.Fail(stage, "resource", c.wanted(id), found, "the role "+oneOf(c.enough())+" on it, given by one of its owners or on the host; no permission stands in for it")
	}
}

// enough lists the roles that do.
func (c *resourceCheck) enough() (out []string) {
	for _, r := range [...]string{RoleViewer, RoleAdmin, RoleOwner} {
		if ResourceRank(r) >= ResourceRank(c.role) {
			out = append(out, r)
		}
	}
	return out
}

func (c *resourceCheck) wanted(id string) string {
	return c.role + " of " + c.collection + " " + clip(id)
}

func (c *resourceCheck) describe() string { return c.role + " of " + c.collection + " " + c.text }

// outline keeps the id of a row to itself.
func (c *resourceCheck) outline() string {
	if _, fixed := c.want.Literal(); fixed || !strings.HasPrefix(c.text, "{{") {
		return c.role + " of one of " + c.collection
	}
	return c.describe()
}
