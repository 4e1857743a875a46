package policy

import (
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/template"
	"github.com/portreeve/portreeve/internal/trace"
)

// tenantCheck is tenant: a template that must equal the caller's tenant.
type tenantCheck struct{ target }

// tenantSources are what the template may read. Not the body, which is not read
// before the decision, and not tenant.id, which would compare the caller's
// tenant with itself.
const tenantSources = template.Auth | template.Params | template.Query | template.Headers | template.Request

func (l *loader) tenant(t *template.Text) check {
	if t == nil {
		return nil
	}
	if t.IsZero() {
		l.errorf("tenant", "empty: name a tenant or a template such as {{params.tenant}}, or remove the key")
		return nil
	}
	n, ok := l.target("tenant", *t, tenantSources)
	if !ok {
		return nil
	}
	for _, ref := range n.want.Refs() {
		if ref.Source == template.Auth && len(ref.Path) > 0 && ref.Path[0].Name == "tenant_id" {
			l.errorf("tenant", "{{auth.tenant_id}} compares the caller's tenant with itself, which lets everybody in")
		}
	}
	return tenantCheck{n}
}

func (c tenantCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	have := in.Standing.Tenant
	want, problem := c.value(in)
	if problem == "" && have != "" && want == have {
		if rec.On() {
			rec.Pass(stage, "tenant", c.text+" = "+clip(want), have)
		}
		return nil
	}
	if rec.On() {
		c.explain(in.Standing, rec, want, problem)
	}
	return fault.New(fault.Forbidden, "wrong_tenant", "")
}

func (c tenantCheck) explain(s *Standing, rec *trace.Recorder, want, problem string) {
	found := "the caller's tenant is " + clip(s.Tenant)
	if s.Tenant == "" {
		found = "the caller has no tenant: " + s.TenantProblem
	}
	if problem != "" {
		rec.Fail(stage, "tenant", c.text, found+"; "+problem, "a request that gives "+c.text+" exactly one value: the caller's tenant")
		return
	}
	enough := "a caller of tenant " + clip(want)
	if s.Tenant != "" {
		enough += ", or a request about tenant " + clip(s.Tenant)
	}
	rec.Fail(stage, "tenant", c.text+" = "+clip(want), found, enough)
}

func (c tenantCheck) describe() string { return "tenant equal to " + c.text }

// outline keeps the name of a tenant to itself.
func (c tenantCheck) outline() string {
	if _, fixed := c.want.Literal(); fixed || !strings.HasPrefix(c.text, "{{") || !strings.HasSuffix(c.text, "}}") || strings.Count(c.text, "{{") > 1 {
		return "of the tenant that the route is for"
	}
	return c.describe()
}
