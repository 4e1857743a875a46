package template

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const every = Auth | Params | Query | Headers | Body | Tenant | Request | Now | Secret

// fakeEnv answers from a tree of plain values under the sources' words.
type fakeEnv map[string]any

func (e fakeEnv) Lookup(s Source, path []Step) (any, bool) {
	v, ok := e[s.String()]
	for _, step := range path {
		if !ok {
			return nil, false
		}
		switch x := v.(type) {
		case map[string]any:
			v, ok = x[step.Name]
			ok = ok && !step.IsIndex
		case []any:
			if ok = step.IsIndex && step.Index < len(x); ok {
				v = x[step.Index]
			}
		default:
			return nil, false
		}
	}
	return v, ok
}

var env = fakeEnv{
	"auth": map[string]any{
		"sub": "alice", "role": "admin", "nothing": nil, "empty": "", "level": json.Number("7"), "ok": true,
		"roles":  []string{"admin", "user"},
		"claims": map[string]any{"a": map[string]any{"b": "deep"}, "https://x.example/y": "spaced"},
	},
	"params": map[string]any{"id": "42"},
	"query":  map[string]any{"q": "{{auth.sub}}", "nl": "a\r\nSet-Cookie: x"},
	"body":   map[string]any{"a": map[string]any{"b": []any{"first", json.Number("1.50")}}},
	"tenant": map[string]any{"id": "main"},
	"secret": map[string]any{"API_KEY": "k"},
	"now":    "2026-11-02T10:00:00Z",
}

func compile(t *testing.T, s string) *Template {
	t.Helper()
	c, err := Compile(Parse(s), every)
	if err != nil {
		t.Fatalf("Compile(%q): %v", s, err)
	}
	return c
}

func TestValueKeepsItsTypeAloneAndIsTextInside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		want     any
		present  bool
	}{
		{"plain text", "hello", "hello", true},
		{"nothing", "", "", true},
		{"one field", "{{auth.sub}}", "alice", true},
		{"blanks inside", "{{ auth.sub }}", "alice", true},
		{"a number stays one", "{{auth.level}}", json.Number("7"), true},
		{"a boolean stays one", "{{auth.ok}}", true, true},
		{"a list stays one", "{{auth.roles}}", []string{"admin", "user"}, true},
		{"a number inside text", "level {{auth.level}}", "level 7", true},
		{"a boolean inside text", "ok={{auth.ok}}", "ok=true", true},
		{"a list inside text is JSON", "roles {{auth.roles}}", `roles ["admin","user"]`, true},
		{"deep", "{{auth.claims.a.b}}", "deep", true},
		{"quoted name", `{{auth.claims["https://x.example/y"]}}`, "spaced", true},
		{"index", "{{body.a.b[1]}}", json.Number("1.50"), true},
		{"index out of range", "{{body.a.b[9]}}", nil, true},
		{"missing is null", "{{auth.gone}}", nil, true},
		{"missing with ? is absent", "{{auth.gone?}}", nil, false},
		{"null with ? is there", "{{auth.nothing?}}", nil, true},
		{"missing inside text is empty", "<{{auth.gone}}>", "<>", true},
		{"null inside text is empty", "<{{auth.nothing}}>", "<>", true},
		{"several", "{{tenant.id}}/{{params.id}}", "main/42", true},
		{"whole source", "{{now}}", "2026-11-02T10:00:00Z", true},
		{"secret by colon", "{{secret:API_KEY}}", "k", true},
		{"secret by dot", "{{secret.API_KEY}}", "k", true},
		{"doubled braces are braces", "{{{{auth.sub}}", "{{auth.sub}}", true},
		{"closing braces alone are text", "a }} b", "a }} b", true},
		{"one pass", "{{query.q}}", "{{auth.sub}}", true},
		{"one pass in text", "<{{query.q}}>", "<{{auth.sub}}>", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, present := compile(t, c.in).Value(env)
			if diff := cmp.Diff(c.want, got); diff != "" || present != c.present {
				t.Errorf("Value(%q) present %v, want %v; -want +got:\n%s", c.in, present, c.present, diff)
			}
		})
	}
}

func TestCompileNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in      string
		allow   Source
		message string
		nearest string
	}{
		{"{{auht.sub}}", every, "unknown source", "auth"},
		{"{{parms.id}}", every, "unknown source", "params"},
		{"{{env.HOME}}", Auth, "unknown source", ""},
		{"{{body.a}}", Auth | Params, "body is not read here (here: auth, params)", ""},
		{"{{secret:KEY}}", every &^ Secret, "secret is not read here", ""},
		{"{{auth.sub}}", 0, "no templates", ""},
		{"{{request.pth}}", every, "no field", "path"},
		{"{{tenant.name}}", every, "no field", ""},
		{"{{now.year}}", every, "no fields", ""},
		{"{{headers}}", every, "one name", ""},
		{"{{query.a.b}}", every, "one name", ""},
		{"{{params[0]}}", every, "one name", ""},
		{"{{}}", every, "empty", ""},
		{"{{?}}", every, "empty", ""},
		{"{{auth.sub", every, "not closed", ""},
		{"{{auth.{{params.id}}}}", every, "not closed", ""},
		{"{{auth..sub}}", every, "name is missing", ""},
		{"{{auth.a b}}", every, "not a dot", ""},
		{"{{auth.sub | upper}}", every, "not a dot", ""},
		{"{{body.a[x]}}", every, "index", ""},
		{"{{body.a[01]}}", every, "index", ""},
		{"{{body.a[-1]}}", every, "index", ""},
		{"{{body.a[9999999]}}", every, "too large", ""},
		{`{{auth["x]}}`, every, "not closed", ""},
		{`{{auth[""]}}`, every, "quoted name", ""},
	} {
		t.Run(c.in, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(Parse(c.in), c.allow)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("Compile: %v, want an *Error", err)
			}
			if !strings.Contains(e.Error(), c.message) || e.Nearest != c.nearest {
				t.Errorf("Compile: %q, nearest %q; want %q, nearest %q", e.Error(), e.Nearest, c.message, c.nearest)
			}
		})
	}
}

func TestWhatCameFromOutsideIsNeverScanned(t *testing.T) {
	t.Parallel()
	c, err := Compile(Text{Pieces: []Piece{
		{Text: "a "}, {Text: "{{auth.sub}}", Literal: true}, {Text: " {{params.id}} "}, {Text: "{{", Literal: true}, {Text: "auth.sub}}"},
	}}, every)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := c.Value(env); got != "a {{auth.sub}} 42 {{auth.sub}}" {
		t.Errorf("Value = %q", got)
	}
	if c.Uses() != Params {
		t.Errorf("Uses = %v, want params", c.Uses())
	}
	if _, err := Compile(Text{Pieces: []Piece{{Text: "{{auth."}, {Text: "sub", Literal: true}, {Text: "}}"}}}, every); err == nil {
		t.Error("a template that a value from outside completes was compiled")
	}
	text := Text{Pieces: []Piece{{Text: "Bearer "}, {Text: "hunter2", Literal: true}}}
	if got := text.String(); got != "Bearer …" {
		t.Errorf("String = %q, which must not quote what came from outside", got)
	}
}

func TestStrictRefusesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"{{tenant.id}}": "main", "t-{{tenant.id}}": "t-main", "fixed": "fixed", "{{auth.level}}": "7",
		"{{auth.gone}}": "", "{{auth.gone?}}": "", "{{auth.nothing}}": "", "{{auth.empty}}": "", "{{auth.roles}}": "",
		"{{auth.claims}}": "", "t-{{auth.gone}}": "", "t-{{auth.empty}}": "", "": "",
	} {
		got, ok := compile(t, in).Strict(env)
		if got != want || ok != (want != "") {
			t.Errorf("Strict(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}

func TestHeaderTextHoldsNoControls(t *testing.T) {
	t.Parallel()
	if s, ok := compile(t, "x {{query.nl}}").HeaderText(env); ok {
		t.Errorf("HeaderText = %q, want it refused", s)
	}
	if s, ok := compile(t, "user {{auth.sub}}").HeaderText(env); !ok || s != "user alice" {
		t.Errorf("HeaderText = %q, %v", s, ok)
	}
	if _, err := CompileHeader(Parse("a\nb"), every); err == nil {
		t.Error("fixed text with a line break was compiled for a header")
	}
	if !compile(t, "{{auth.gone?}}").Absent(env) || compile(t, "{{auth.gone}}").Absent(env) || compile(t, "x{{auth.gone?}}").Absent(env) {
		t.Error("Absent is for a missing optional template that stands alone")
	}
}

func TestTextEscapesWhatTemplatesYieldAlone(t *testing.T) {
	t.Parallel()
	upper := func(s string) (string, bool) { return strings.ToUpper(s), s != "42" }
	if s, ok := compile(t, "by {{auth.sub}}").Text(env, upper); !ok || s != "by ALICE" {
		t.Errorf("Text = %q, %v", s, ok)
	}
	if _, ok := compile(t, "by {{params.id}}").Text(env, upper); ok {
		t.Error("the escape refused and Text did not")
	}
}

func TestRefsListWhatIsRead(t *testing.T) {
	t.Parallel()
	c := compile(t, "{{query.q}} {{auth.claims.a?}} {{body.x[2]}}")
	want := []Ref{
		{Source: Query, Path: []Step{{Name: "q"}}},
		{Source: Auth, Path: []Step{{Name: "claims"}, {Name: "a"}}, Optional: true},
		{Source: Body, Path: []Step{{Name: "x"}, {Index: 2, IsIndex: true}}},
	}
	if diff := cmp.Diff(want, c.Refs()); diff != "" || c.Uses() != Query|Auth|Body {
		t.Errorf("Uses %v, Refs -want +got:\n%s", c.Uses(), diff)
	}
	if _, ok := c.Literal(); ok {
		t.Error("Literal of a template that reads something")
	}
}

func BenchmarkStrictOneField(b *testing.B) {
	c, err := Compile(Parse("{{tenant.id}}"), every)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Strict(env); !ok {
			b.Fatal("refused")
		}
	}
}
