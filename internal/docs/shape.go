package docs

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/template"
)

// schema is a JSON Schema.
type schema map[string]any

// anything a template can read where data stands.
const anything = template.Auth | template.Params | template.Query | template.Headers | template.Body | template.Tenant | template.Request | template.Now

// shape is the schema of what data answers, and sketch the same for people. They
// say what things are called and of which type they are, and hold no value of
// the file: one may have come from outside.
func shape(t template.Tree) (s schema, sketch string) { return shapeAt(t, "") }

func shapeAt(t template.Tree, indent string) (schema, string) {
	switch v := t.Value.(type) {
	case nil:
		return schema{"type": "null"}, "null"
	case bool:
		return schema{"type": "boolean"}, "boolean"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return schema{"type": "number"}, "number"
		}
		return schema{"type": "integer"}, "integer"
	case template.Text:
		s, words, _ := textShape(v)
		return s, words
	case []template.Tree:
		return listShape(v, indent)
	case []template.Member:
		return objectShape(v, indent)
	}
	return schema{}, "any"
}

func listShape(list []template.Tree, indent string) (schema, string) {
	var kinds []string
	var first schema
	for i, e := range list {
		s, words := shapeAt(e, indent)
		if i == 0 {
			first = s
		}
		if !slices.Contains(kinds, words) {
			kinds = append(kinds, words)
		}
	}
	if len(kinds) == 1 {
		return schema{"type": "array", "items": first}, "[" + kinds[0] + "]"
	}
	return schema{"type": "array"}, "[" + strings.Join(kinds, ", ") + "]"
}

func objectShape(members []template.Member, indent string) (schema, string) {
	properties, required := schema{}, []string{}
	var lines strings.Builder
	deeper := indent + "  "
	for _, m := range members {
		s, words := shapeAt(m.Value, deeper)
		optional := false
		if text, ok := m.Value.Value.(template.Text); ok {
			_, _, optional = textShape(text)
		}
		mark := ""
		if optional {
			mark = "?"
		} else {
			required = append(required, m.Name)
		}
		properties[m.Name] = s
		name, err := json.Marshal(m.Name)
		if err != nil {
			continue
		}
		lines.WriteString(deeper + string(name) + mark + ": " + words + "\n")
	}
	out := schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	if len(members) == 0 {
		return out, "{}"
	}
	return out, "{\n" + lines.String() + indent + "}"
}

// textShape is the shape of a string of the file. One template alone keeps the
// type of what it reads; optional says that it takes its member with it.
func textShape(t template.Text) (s schema, sketch string, optional bool) {
	one, err := template.Compile(t, anything)
	if err != nil {
		return schema{}, "any", false
	}
	refs, text := one.Refs(), t.String()
	if len(refs) != 1 || !strings.HasPrefix(text, "{{") || !strings.HasSuffix(text, "}}") {
		return schema{"type": "string"}, "string", false
	}
	s, sketch = refShape(refs[0])
	return s, sketch, refs[0].Optional
}

func refShape(r template.Ref) (schema, string) {
	field := ""
	if len(r.Path) == 1 && !r.Path[0].IsIndex {
		field = r.Path[0].Name
	}
	switch r.Source {
	case template.Now:
		return schema{"type": "string", "format": "date-time"}, "time"
	case template.Params:
		return schema{"type": []string{"string", "null"}}, "string"
	case template.Query, template.Headers, template.Tenant, template.Request:
		return schema{"type": []string{"string", "null"}}, "string or null"
	case template.Auth:
		switch field {
		case "sub", "email", "tenant_id", "role", "provider":
			return schema{"type": []string{"string", "null"}}, "string or null"
		case "roles", "scopes":
			return schema{"type": []string{"array", "null"}, "items": schema{"type": "string"}}, "[string] or null"
		}
	}
	return schema{}, "any"
}
