package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// Shaped is a union that says which shapes it takes, as zero values of their
// types. Its own type stands for its fields:
//
//	func (Upstream) Shapes() []any { return []any{config.URL(""), Upstream{}} }
//
// A bool that stands for one value alone is written as it is: `false` in the
// list means that only false may stand there.
type Shaped interface{ Shapes() []any }

// Schema is the JSON Schema (draft 2020-12) of root's type, from the same
// reading of types and tags that Decode uses. comments is what Comments found.
// A union that has neither Shapes nor JSONSchema is an error, since nothing
// then knows what it takes.
func Schema(root any, comments map[string]string) ([]byte, error) {
	s := newSchemer(comments)
	top := s.of(reflect.TypeOf(root))
	if s.err != nil {
		return nil, s.err
	}
	top.Version = jsonschema.Version
	top.Definitions = s.definitions
	top.Definitions["outside"] = &jsonschema.Schema{
		Type: "string", Pattern: outsidePattern, Description: "One value from outside: {{env.NAME}}, {{file.PATH}} or ${NAME}.",
	}
	out, err := json.MarshalIndent(top, "", "  ")
	return append(out, '\n'), err
}

// schemer builds schemas. (jsonschema.Reflector would do for plain structs; it
// knows neither our tags nor that one value may stand for a list of one.)
type schemer struct {
	comments    map[string]string
	definitions jsonschema.Definitions
	names       map[reflect.Type]string
	err         error
}

func newSchemer(comments map[string]string) *schemer {
	return &schemer{comments: comments, definitions: jsonschema.Definitions{}, names: map[reflect.Type]string{}}
}

func (s *schemer) fail(t reflect.Type, why string) *jsonschema.Schema {
	if s.err == nil {
		s.err = fmt.Errorf("schema of %s: %s", t, why)
	}
	return &jsonschema.Schema{}
}

func (s *schemer) of(t reflect.Type) *jsonschema.Schema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	speaker := reflect.New(t).Interface()
	if says, is := speaker.(interface{ JSONSchema() *jsonschema.Schema }); is {
		return says.JSONSchema()
	}
	if says, is := speaker.(Shaped); is {
		return s.named(t, func() *jsonschema.Schema { return s.union(t, says.Shapes()) })
	}
	if _, is := speaker.(Decoder); is {
		return s.fail(t, "it decodes itself and has no Shapes")
	}
	return s.plain(t)
}

// plain is the schema of a type by its Go kind and meaning.
func (s *schemer) plain(t reflect.Type) *jsonschema.Schema {
	if known := meaning(t); known != nil {
		return known
	}
	switch t.Kind() {
	case reflect.Struct:
		return s.named(t, func() *jsonschema.Schema { return s.object(t) })
	case reflect.Slice:
		item := s.of(t.Elem())
		return oneOrList(item)
	case reflect.Map:
		return &jsonschema.Schema{Type: "object", AdditionalProperties: s.of(t.Elem())}
	case reflect.Interface:
		return &jsonschema.Schema{}
	case reflect.String:
		return &jsonschema.Schema{Type: "string"}
	case reflect.Bool:
		return orOutside(&jsonschema.Schema{Type: "boolean"})
	case reflect.Float32, reflect.Float64:
		return orOutside(&jsonschema.Schema{Type: "number"})
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return orOutside(&jsonschema.Schema{Type: "integer"})
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return orOutside(&jsonschema.Schema{Type: "integer", Minimum: "0"})
	}
	return s.fail(t, "unsupported type")
}

// meaning is the schema of a type that means more than its Go kind, or nil.
func meaning(t reflect.Type) *jsonschema.Schema {
	switch t {
	case secretType:
		return &jsonschema.Schema{Type: "string", WriteOnly: true}
	case textType, urlType:
		return &jsonschema.Schema{Type: "string"}
	case treeType:
		return &jsonschema.Schema{}
	case durationType:
		return &jsonschema.Schema{Type: "string", Examples: []any{"1500ms", "10m", "30d"}}
	case sizeType:
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "integer", Minimum: "0"}, {Type: "string"}}, Examples: []any{65536, "10MiB"}}
	}
	if unmarshalsText(reflect.New(t).Elem()) {
		return &jsonschema.Schema{Type: "string"}
	}
	return nil
}

// outsidePattern is one value from outside and nothing else.
const outsidePattern = `^\s*(\{\{\s*(env|file)\..*\}\}|\$\{[A-Za-z_][A-Za-z0-9_]*\}|&#123;&#123;.*)\s*$`

func orOutside(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Ref: "#/$defs/outside"}}}
}

func oneOrList(item *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{item, {Type: "array", Items: item}}}
}

func (s *schemer) union(t reflect.Type, shapes []any) *jsonschema.Schema {
	out := &jsonschema.Schema{}
	for _, shape := range shapes {
		of := reflect.TypeOf(shape)
		switch {
		case of == t && of.Kind() == reflect.Struct:
			out.AnyOf = append(out.AnyOf, s.object(t))
		case of == t:
			out.AnyOf = append(out.AnyOf, s.plain(t))
		case of == reflect.TypeFor[bool]():
			out.AnyOf = append(out.AnyOf, &jsonschema.Schema{Const: shape})
		default:
			out.AnyOf = append(out.AnyOf, s.of(of))
		}
	}
	return out
}

// named puts a schema under $defs once and refers to it.
func (s *schemer) named(t reflect.Type, build func() *jsonschema.Schema) *jsonschema.Schema {
	if t.Name() == "" {
		return build()
	}
	name, known := s.names[t]
	if !known {
		name = typeKey(t)
		for i := 2; s.taken(name); i++ {
			name = fmt.Sprintf("%s%d", typeKey(t), i)
		}
		s.names[t] = name
		s.definitions[name] = &jsonschema.Schema{} // so that a type may hold itself
		built := build()
		built.Description = s.comments[typeKey(t)]
		s.definitions[name] = built
	}
	return &jsonschema.Schema{Ref: "#/$defs/" + name}
}

func (s *schemer) taken(name string) bool { _, is := s.definitions[name]; return is }

// typeKey is "package.Type", without type arguments.
func typeKey(t reflect.Type) string {
	name, _, _ := strings.Cut(t.String(), "[")
	return name
}

func (s *schemer) object(t reflect.Type) *jsonschema.Schema {
	shape := shapeOf(t)
	out := &jsonschema.Schema{
		Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema,
	}
	for _, name := range shape.order {
		f := shape.fields[name]
		out.Properties.Set(name, s.property(f))
		if f.required && len(f.env) == 0 {
			out.Required = append(out.Required, name)
		}
	}
	slices.Sort(out.Required)
	return out
}

func (s *schemer) property(f *field) *jsonschema.Schema {
	p := *s.of(f.typ) // a copy: description and default are the field's own
	if len(f.oneof) > 0 {
		words := &jsonschema.Schema{Type: "string"}
		for _, w := range f.oneof {
			words.Enum = append(words.Enum, w)
		}
		p = *orOutside(words)
		if t := f.typ; t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Slice {
			p = *oneOrList(orOutside(words))
		}
	}
	p.Description = s.comments[typeKey(f.owner)+"."+f.goName]
	if f.fallback != "" {
		p.Default = defaultValue(f)
	}
	return &p
}

// defaultValue is the default as the file would hold it.
func defaultValue(f *field) any {
	switch t := f.typ; {
	case t.Kind() == reflect.Bool:
		return f.fallback == "true"
	case t != durationType && wholeNumber.MatchString(f.fallback):
		return json.Number(f.fallback)
	}
	return f.fallback
}
