package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/template"
)

// everyKind has a field of every kind that Decode reads, at two depths.
type everyKind struct {
	Listen  List[string]            `json:"listen" conf:"oneof=a|b"`
	Port    uint16                  `json:"port" conf:"default=1"`
	Share   float64                 `json:"share"`
	Drain   Duration                `json:"drain"`
	MaxBody Size                    `json:"maxBody"`
	Store   URL                     `json:"store"`
	Secret  secret.Value            `json:"secret" conf:"env=SECRET"`
	Text    template.Text           `json:"text"`
	Data    template.Tree           `json:"data"`
	Extra   any                     `json:"extra"`
	Jwt     *everyKind              `json:"jwt"`
	Routes  []everyKind             `json:"routes"`
	Keys    map[string]secret.Value `json:"keys"`
	Watch   *bool                   `json:"watch" conf:"required"`
}

func seeds(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		input, _, _ := strings.Cut(string(b), "----\n")
		f.Add([]byte(input))
	}
	for _, s := range []string{
		"a: |\n  x\n  y\n", "a: >-\n  x\n\n  y\n", "a: 'it''s'\n", "a: \"\\x41\\u263a\\\n  b\"\n", "{a: [b, {c: d}], \"e\": }",
		"- - a\n  - b\n-\n  c: d\n", "a: b # c\n#d\n", "a:\n- b\n- c\n", "\"a\": \"{{env.X}}\"\n", "a: x\n  y\n  z\n",
		"text: \"{{{{a}} $${b} {{auth.sub}} {{env.SECRET:-x}} &#123;&#123;file.x&#125;&#125;\"\n",
	} {
		f.Add([]byte(s))
	}
	for _, s := range []string{
		`{"a": [1, -2.5e3, true, null, "x\ty"], "b": {"c": {}}, "d": []}`, "[\n 1,\n\t{\"é\": \"日本\"}]", `"x"`, "null", " 5 ",
	} {
		f.Add([]byte(s))
	}
}

// FuzzDecode: no text makes Decode panic, and no problem or place is nonsense.
func FuzzDecode(f *testing.F) {
	seeds(f)
	options := Options{
		Name: "f", Env: func(name string) (string, bool) { return "\x01OUTSIDE" + name, len(name) > 3 },
		ReadFile: func(string) ([]byte, error) { return []byte("\x01OUTSIDE\n"), nil },
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var into everyKind
		d := Decode(src, &into, options)
		lines := strings.Count(string(src), "\n") + 1
		for _, p := range append(d.Problems(), d.InlineSecrets()...) {
			if p.Message == "" || p.Line < 0 || p.Line > lines || p.Line > 0 && p.Column < 1 {
				t.Errorf("odd problem: %+v", p)
			}
			if strings.Contains(p.String(), "\x01") {
				t.Errorf("a problem shows what came from outside: %s", p)
			}
		}
		for _, p := range into.Text.Pieces {
			if strings.Contains(p.Text, "\x01") && !p.Literal && !strings.Contains(string(src), `\`) {
				t.Errorf("a value from outside may be scanned again: %+v", p)
			}
		}
	})
}

// FuzzJSON holds the reader of JSON texts against the YAML library: where both
// read a text, they read the same.
func FuzzJSON(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		if !json.Valid(src) || rawFlaw(src) != nil {
			return
		}
		root, flaws := parseJSON(src)
		if len(flaws) > 0 {
			return
		}
		var other yaml.Node
		if err := yaml.Unmarshal(src, &other); err != nil || len(other.Content) != 1 {
			return
		}
		if diff := differs(root, other.Content[0]); diff != "" {
			t.Errorf("%s\n%q", diff, src)
		}
	})
}

// differs names the first place where the two trees are not the same.
func differs(n *node, y *yaml.Node) string {
	if y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	switch {
	case y.Kind == yaml.ScalarNode:
		plain := y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
		if plain && isNull(y.Value) {
			if n.kind != Null {
				return "not null: " + n.text
			}
			return ""
		}
		if n.kind != Scalar || n.text != y.Value || n.plain != plain {
			return "scalar " + shown(n.text) + " is to the other " + shown(y.Value)
		}
	case y.Kind == yaml.SequenceNode:
		if n.kind != Sequence || len(n.items) != len(y.Content) {
			return "lists differ in length"
		}
		for i, item := range n.items {
			if d := differs(item, y.Content[i]); d != "" {
				return Index(i) + d
			}
		}
	case y.Kind == yaml.MappingNode:
		if n.kind != Map || 2*len(n.members) != len(y.Content) {
			return "mappings differ in length"
		}
		for i, m := range n.members {
			if m.name != y.Content[2*i].Value {
				return "key " + shown(m.name) + " is to the other " + shown(y.Content[2*i].Value)
			}
			if d := differs(m.value, y.Content[2*i+1]); d != "" {
				return Key(m.name) + ": " + d
			}
		}
	}
	return ""
}

func isNull(s string) bool {
	for _, n := range nulls {
		if s == n {
			return true
		}
	}
	return false
}
