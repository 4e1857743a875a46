package policy

import (
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/template"
	"github.com/portreeve/portreeve/internal/trace"
)

// tenantCheck is tenant: a template that must equal the caller's tenant.
type tenantCheck struct {
	want    *template.Template
	text    string   // as it stands in the file
	query   []string // query parameters that it reads: a repeated one refuses
	headers []string // header fields likewise
}

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
	want, err := template.Compile(*t, tenantSources)
	if err != nil {
		l.errorf("tenant", "%v", err)
		return nil
	}
	c := tenantCheck{want: want, text: t.String()}
	for _, ref := range want.Refs() {
		l.tenantRef(&c, ref)
	}
	return c
}

// tenantRef looks at one template within the text.
func (l *loader) tenantRef(c *tenantCheck, ref template.Ref) {
	if len(ref.Path) == 0 || ref.Path[0].IsIndex {
		l.errorf("tenant", "{{%s}} is no text; name one field of it", ref.Source)
		return
	}
	switch name := ref.Path[0].Name; ref.Source {
	case template.Query:
		c.query = append(c.query, name)
	case template.Headers:
		c.headers = append(c.headers, name)
	case template.Params:
		l.param("tenant", name)
	case template.Auth:
		if name == "tenant_id" {
			l.errorf("tenant", "{{auth.tenant_id}} compares the caller's tenant with itself, which lets everybody in")
		}
	}
}

// param reports a path parameter that the route does not have.
func (l *loader) param(key, name string) {
	for _, p := range l.deps.Params {
		if p == name {
			return
		}
	}
	l.errorf(key, "the path has no parameter of this name%s", meant(name, l.deps.Params))
}

func (c tenantCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	have := in.Standing.Tenant
	want, problem := c.evaluate(in)
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

// evaluate is the tenant that the request is about, or why there is none.
func (c tenantCheck) evaluate(in Input) (want, problem string) {
	for _, name := range c.query {
		if len(in.View.QueryValues(name)) > 1 {
			return "", "the query parameter " + name + " is repeated"
		}
	}
	for _, name := range c.headers {
		if in.View.Header.Count(name) > 1 {
			return "", "the header " + name + " is repeated"
		}
	}
	want, ok := c.want.Strict(in.Env)
	if !ok || want == "" {
		return "", "the template has no value for this request"
	}
	return want, ""
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
