package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/portreeve/portreeve/internal/config"
)

// schemaSample is sample without the field whose type is not supported.
type schemaSample struct {
	Inherited
	Environment string                 `json:"environment" conf:"oneof=prod|test|dev"`
	Listen      config.List[string]    `json:"listen"`
	Access      *access                `json:"access"`
	JWT         *jwt                   `json:"jwt"`
	RBAC        *rbac                  `json:"rbac"`
	RateLimit   *rateLimit             `json:"rateLimit"`
	Routes      []route                `json:"routes"`
	From        config.List[string]    `json:"from"`
	Workers     int8                   `json:"workers"`
	Port        uint16                 `json:"port"`
	Share       float64                `json:"share"`
	Drain       config.Duration        `json:"drain"`
	MaxBody     config.Size            `json:"maxBody"`
	Store       config.URL             `json:"store"`
	Watch       *bool                  `json:"watch"`
	Extra       any                    `json:"extra"`
	Keys        map[string]config.Size `json:"keys"`
	Self        *schemaSample          `json:"self"`
	Special     special                `json:"special"`
}

type special struct{ N int }

func (*special) DecodeConfig(v *config.Value) {}

func (*special) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "null"} }

func compiled(t *testing.T) *validator.Schema {
	t.Helper()
	raw, err := config.Schema(schemaSample{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := validator.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What Decode takes, the schema takes too; what is wrong by shape alone, it
// refuses.
func TestSchemaAgreesWithDecode(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	refused := []string{"all-problems-at-once", "unknown-keys", "negative", "null", "not-a-mapping", "secret-as-mapping", "number-for-text"}
	files, _ := filepath.Glob("testdata/*.txt")
	agreed := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		input, _, _ := strings.Cut(string(b), "----\n")
		input = strings.Replace(input, "keys: {a: hunter2}\n", "", 1)
		into := sample{}
		ok := !config.Decode([]byte(input), &into, sampleOptions()).Failed()
		if !ok && !strings.Contains(strings.Join(refused, " "), name) {
			continue
		}
		var value any
		if yaml.Unmarshal([]byte(input), &value) != nil {
			var fromJSON any // yaml/v4 does not read all of JSON
			if json.Unmarshal([]byte(input), &fromJSON) != nil {
				t.Errorf("%s: cannot be read", name)
			}
			value = fromJSON
		}
		asJSON, err := json.Marshal(value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		instance, err := validator.UnmarshalJSON(bytes.NewReader(asJSON))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance); (err == nil) != ok {
			t.Errorf("%s: Decode takes it: %v; schema: %v", name, ok, err)
		}
		agreed++
	}
	if agreed < 15 {
		t.Errorf("only %d texts were compared", agreed)
	}
}

func TestSchemaRefusesWhatItCannotDescribe(t *testing.T) {
	t.Parallel()
	for name, root := range map[string]any{
		"a type that decodes itself": struct {
			U union `json:"u"`
		}{},
		"a channel": sample{},
	} {
		if _, err := config.Schema(root, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := config.Reference(root, nil); err == nil {
			t.Errorf("%s: no error from Reference", name)
		}
	}
}

func TestSchemaAndReferenceText(t *testing.T) {
	t.Parallel()
	type site struct {
		Inherited
		Mode     string              `json:"mode" conf:"oneof=on|off,default=on"`
		Ways     config.List[string] `json:"ways" conf:"required,oneof=a|b"`
		Upstream *upstream           `json:"upstream"`
		Sites    []rbac              `json:"sites"`
		Named    map[string]access   `json:"named"`
		Tries    int                 `json:"tries" conf:"default=3"`
	}
	comments := map[string]string{
		"config_test.Inherited.Cors": "Cors opens | the site.", "config_test.rbac": "Roles of the file.",
	}
	schema, err := config.Schema(site{}, comments)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := config.Reference(site{}, comments)
	if err != nil {
		t.Fatal(err)
	}
	got := string(schema) + "----\n" + string(reference)
	const file = "testdata/schema.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestComments(t *testing.T) {
	t.Parallel()
	got, err := config.Comments(".")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got["config.Problem"], "Problem is one complaint about a file. It never") ||
		got["config.Problem.Warning"] != "the file still loads" {
		t.Errorf("got %q and %q", got["config.Problem"], got["config.Problem.Warning"])
	}
	if _, err := config.Comments(t.TempDir()); err == nil {
		t.Error("a folder without Go files: no error")
	}
}
