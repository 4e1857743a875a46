package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "write the generated files")

// The schema that `portreeve schema` prints and the reference page are made
// from the types and their comments: a change of one changes the others.
func TestGenerated(t *testing.T) {
	schema, reference, err := MakeSchema("../..")
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]byte{"portreeve.schema.json": schema, "../../docs/config.md": reference} {
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the types say; run: make generate", file)
		}
	}
}

// What the loader takes, the schema takes, and the other way round.
func TestSchemaAgreesWithTheLoader(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("portreeve.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("portreeve.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, yaml string
		ok         bool
	}{
		{"a small file", "jwt: {secret: \"{{env.JWT_SECRET}}\"}\nroutes: [{path: /a, method: get, requireAuth: true}]", true},
		{"an upstream as a URL", "upstream: http://127.0.0.1:9000\nroutes: [{path: /a, method: [get, post]}]", true},
		{"an upstream in full", "routes: [{path: /a, method: get, upstream: {url: http://127.0.0.1:9000, stripPrefix: /a}}]", true},
		{"a misspelt key", "routes: [{pth: /a, method: get}]", false},
		{"a route without a method", "routes: [{path: /a}]", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var v any
			if err := yaml.Unmarshal([]byte(test.yaml), &v); err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			in, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled.Validate(in); (err == nil) != test.ok {
				t.Errorf("schema says %v", err)
			}
		})
	}
}
