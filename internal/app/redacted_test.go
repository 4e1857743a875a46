package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

// planter makes a file that holds a secret under every key that takes one, by the
// types that the schema is made of.
type planter struct {
	marks  []string
	keys   []string // type and key of each secret
	depth  int
	urls   int
	hidden int
}

func (p *planter) mark() string {
	p.marks = append(p.marks, fmt.Sprintf("zq9kx7wv3-%03d-mark", len(p.marks)))
	return p.marks[len(p.marks)-1]
}

// value is a value of a type with something in it that nobody may see; nil where
// the type has no place for it.
func (p *planter) value(t reflect.Type, hidden bool) any {
	switch {
	case t == reflect.TypeFor[secret.Value](), hidden && t.Kind() != reflect.Map:
		return p.mark()
	case t == reflect.TypeFor[config.URL]():
		p.urls++
		return "https://user:" + p.mark() + "@service.example/?api_key=" + p.mark()
	case p.depth > 12:
		return nil
	}
	p.depth++
	defer func() { p.depth-- }()
	switch t.Kind() {
	case reflect.Pointer:
		return p.value(t.Elem(), hidden)
	case reflect.Slice:
		if v := p.value(t.Elem(), hidden); v != nil {
			return []any{v}
		}
	case reflect.Map:
		if v := p.value(t.Elem(), hidden); v != nil {
			return map[string]any{"X": v}
		}
	case reflect.Struct:
		out := map[string]any{}
		p.members(t, t.String(), out)
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// members fills out with the keys of a struct, whose own name is of: those of an
// embedded one are keys of the one around it.
func (p *planter) members(t reflect.Type, of string, out map[string]any) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("json")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			p.members(f.Type, of, out)
			continue
		}
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		hidden := slices.Contains(strings.Split(f.Tag.Get("conf"), ","), "sensitive")
		if hidden {
			p.hidden++
		}
		before := len(p.marks)
		v := p.value(f.Type, hidden)
		if v == nil {
			continue
		}
		out[name] = v
		if holds(f.Type) && len(p.marks) > before {
			p.keys = append(p.keys, of+"."+name)
		}
	}
}

// holds reports whether a key's own type is a secret, a list or a map of some.
func holds(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t == reflect.TypeFor[secret.Value]()
}

// secretKeys are the keys that the schema says are written and never read.
func secretKeys(t *testing.T) (out []string) {
	t.Helper()
	var s struct {
		Defs map[string]any `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	for name, def := range s.Defs {
		properties(def, func(key string, v any) {
			if raw, _ := json.Marshal(v); strings.Contains(string(raw), `"writeOnly":true`) {
				out = append(out, name+"."+key)
			}
		})
	}
	return out
}

func properties(v any, f func(key string, v any)) {
	switch v := v.(type) {
	case map[string]any:
		for key, in := range v {
			if members, is := in.(map[string]any); is && key == "properties" {
				for name, p := range members {
					f(name, p)
				}
			} else if key == "anyOf" {
				properties(in, f)
			}
		}
	case []any:
		for _, in := range v {
			properties(in, f)
		}
	}
}

// TestAConfigurationIsShownWithoutItsSecrets: neither those of any key of the
// schema, nor what stands in a URL, nor what goes to upstreams and scripts.
func TestAConfigurationIsShownWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	p := &planter{}
	file := p.value(reflect.TypeFor[File](), false)
	raw, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range secretKeys(t) {
		if !slices.Contains(p.keys, key) {
			t.Errorf("%s is a secret of the schema, and stands not in the file", key)
		}
	}
	if p.urls < 20 || p.hidden < 4 || len(p.keys) < 30 {
		t.Errorf("%d URLs, %d hidden, %d secrets", p.urls, p.hidden, len(p.keys))
	}
	doc := config.Parse(raw).Decode(&File{}, config.Options{Name: "p.yaml", Dir: t.TempDir()})
	if n := len(doc.InlineSecrets()); n < len(p.keys) {
		t.Errorf("%d secrets of %d were read as such: %v", n, len(p.keys), doc.Problems())
	}
	text := doc.Redacted()
	for _, mark := range p.marks {
		if strings.Contains(text, mark) {
			t.Errorf("shows %s", mark)
		}
	}
	if strings.Contains(text, "zq9kx7wv3") || strings.Count(text, config.Hidden) < len(p.keys) || !strings.Contains(text, "service.example") {
		t.Errorf("the text:\n%s", text)
	}
}

// TestWhatComesFromOutsideIsNotShown: neither variables nor files, wherever they
// are named.
func TestWhatComesFromOutsideIsNotShown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const mark = "zq9kx7wv3-from-outside-0123456789"
	const file = `environment: test
jwt: {secret: "{{file.secret}}"}
tenantApi: false
mfa: false
upstream: {url: "{{env.UP}}", headers: {set: {X-Key: "{{env.MARK}}"}}}
routes: [{path: /a, method: get, data: {token: "{{env.MARK}}", note: "see {{env.MARK}}"}}] # zq9kx7wv3
`
	for name, content := range map[string]string{"secret": mark, "portreeve.yaml": file} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Load(Source{Path: filepath.Join(dir, "portreeve.yaml"), Getenv: func(n string) (string, bool) {
		v, ok := map[string]string{"UP": "http://user:zq9kx7wv3@127.0.0.1:9/", "MARK": mark}[n]
		return v, ok
	}})
	if err != nil {
		t.Fatal(err)
	}
	text := l.Doc.Redacted()
	if strings.Contains(text, "zq9kx7wv3") || strings.Count(text, "{{env.MARK}}") != 3 || !strings.Contains(text, "{{file.secret}}") || !strings.Contains(text, "{{env.UP}}") {
		t.Errorf("%s\n%v", text, l.Doc.Problems())
	}
}
