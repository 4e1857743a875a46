package gateway

import (
	"time"

	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/template"
)

// env lets templates read one exchange. verifiedOnly hides an e-mail address
// that nobody verified: set wherever the value goes further than back to the
// caller.
type env struct {
	x            *Exchange
	now          time.Time
	verifiedOnly bool
	body         any
	hasBody      bool
}

// Lookup implements template.Env.
func (e *env) Lookup(source template.Source, path []template.Step) (any, bool) {
	v := &e.x.View
	switch source {
	case template.Auth:
		return e.auth(path)
	case template.Params:
		if name, ok := single(path); ok {
			return text(e.x.Params.Get(name))
		}
	case template.Query:
		if name, ok := single(path); ok {
			if vals := v.QueryValues(name); len(vals) > 0 {
				return vals[0], true
			}
		}
	case template.Headers:
		if name, ok := single(path); ok && v.Header.Has(name) {
			return v.Header.Get(name), true
		}
	case template.Body:
		if e.hasBody {
			return walk(e.body, path)
		}
	case template.Tenant:
		if t := e.x.tenant(); t != "" {
			return t, true
		}
	case template.Request:
		return e.request(path)
	case template.Secret: // of no other place does the build take it
		if name, ok := single(path); ok {
			value, there := e.x.secrets[name]
			return text(value, there && value != "")
		}
	case template.Now:
		return e.now.UTC().Format(time.RFC3339), true
	}
	return nil, false
}

func text(s string, ok bool) (any, bool) { return s, ok }

func single(path []template.Step) (string, bool) {
	if len(path) != 1 || path[0].IsIndex {
		return "", false
	}
	return path[0].Name, true
}

func (e *env) request(path []template.Step) (any, bool) {
	name, _ := single(path)
	v := &e.x.View
	switch name {
	case "id":
		return v.ID, true
	case "ip":
		if v.Client.IsValid() {
			return v.Client.String(), true
		}
	case "method":
		return v.Method, true
	case "path":
		return v.Path.String(), true
	}
	return nil, false
}

func (e *env) auth(path []template.Step) (any, bool) {
	p := e.x.Stand.Who
	if !p.Authenticated() {
		return nil, len(path) == 0
	}
	if len(path) == 0 {
		whole := map[string]any{"claims": p.Claims}
		for _, name := range []string{"sub", "email", "tenant_id", "role", "roles", "scopes", "provider"} {
			if v, ok := e.principal(p, name); ok {
				whole[name] = v
			}
		}
		return whole, true
	}
	if path[0].IsIndex {
		return nil, false
	}
	if path[0].Name == "claims" {
		return walk(p.Claims, path[1:])
	}
	if known[path[0].Name] {
		v, ok := e.principal(p, path[0].Name)
		if !ok {
			return nil, false
		}
		return walk(v, path[1:])
	}
	return walk(p.Claims, path)
}

// known are the fields of auth that the principal answers for; a claim of the
// same name never takes their place.
var known = map[string]bool{"sub": true, "email": true, "tenant_id": true, "role": true, "roles": true, "scopes": true, "provider": true}

func (e *env) principal(p *principal.Principal, name string) (any, bool) {
	switch name {
	case "sub":
		return p.ID(), p.ID() != ""
	case "email":
		if p.EmailVerified || !e.verifiedOnly {
			return p.Email, p.Email != ""
		}
	case "tenant_id":
		return e.x.Stand.Tenant, e.x.Stand.Tenant != ""
	case "role":
		if roles := e.x.Stand.Roles(); len(roles) > 0 {
			return roles[0], true
		}
	case "roles":
		return e.x.Stand.Roles(), true
	case "scopes":
		return e.x.Stand.Scopes(), true
	case "provider":
		return p.Provider, true
	}
	return nil, false
}

// walk follows a path into a JSON value.
func walk(v any, path []template.Step) (any, bool) {
	for _, s := range path {
		switch at := v.(type) {
		case map[string]any:
			if s.IsIndex {
				return nil, false
			}
			next, ok := at[s.Name]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			if !s.IsIndex || s.Index < 0 || s.Index >= len(at) {
				return nil, false
			}
			v = at[s.Index]
		case []string:
			if !s.IsIndex || s.Index < 0 || s.Index >= len(at) {
				return nil, false
			}
			v = at[s.Index]
		default:
			return nil, false
		}
	}
	return v, true
}
