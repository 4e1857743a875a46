package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/config"
)

func lines(list []config.Problem) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}

func TestReportersFindTheNearestPlace(t *testing.T) {
	t.Parallel()
	const src = `access: {teamDomain: a, audience: b}
rateLimit:
  perEndpoint:
    "/a.b[0]": {windowMs: 1}
routes:
  - path: /a
    method: get
  - {path: /b, method: [get, post]}
`
	var into sample
	doc := config.Decode([]byte(src), &into, config.Options{Name: "f.yaml"})
	if doc.Failed() {
		t.Fatal(doc.Problems())
	}
	r := doc.Report("")
	r.Errorf("routes[1].method[1]", "an item")
	r.Warnf("routes[0].upstream.url", "absent: the route's own place")
	r.At("routes").At("[0]").Errorf("method[0]", "one stands for a list of one")
	r.At("rateLimit.perEndpoint").Errorf(config.Key("/a.b[0]")+".max", "a key that is no word")
	r.Errorf("nowhere.at.all", "the file")
	doc.Report("access").Errorf("", "the reporter's own place")
	doc.Report("access").Errorf("", "the reporter's own place")
	want := []string{
		"f.yaml:1:1: access: the reporter's own place",
		"f.yaml:1:1: nowhere.at.all: the file",
		`f.yaml:4:5: rateLimit.perEndpoint["/a.b[0]"].max: a key that is no word`,
		"f.yaml:6:5: warning: routes[0].upstream.url: absent: the route's own place",
		"f.yaml:7:5: routes[0].method: one stands for a list of one",
		"f.yaml:8:30: routes[1].method[1]: an item",
	}
	if diff := cmp.Diff(want, lines(doc.Problems())); diff != "" {
		t.Error(diff)
	}
}

func TestHasIsAboutTheFileAlone(t *testing.T) {
	t.Parallel()
	var into sample
	doc := config.Decode([]byte("jwt: {}\nroutes: {path: /a, method: get}\n"), &into, sampleOptions())
	for path, want := range map[string]bool{
		"": true, "jwt": true, "jwt.secret": false, "routes[0].path": true, "routes[1]": false, "routes[0].path[0]": true,
		"routes[x]": false, "routes[": false, `["jwt"]`: true, "..": false,
	} {
		if got := doc.Has(path); got != want {
			t.Errorf("Has(%q) = %v", path, got)
		}
	}
	if into.JWT.Secret.Reveal() != "OUTSIDE-jwt" {
		t.Error("a silent key was not filled from its variable")
	}
}

func TestSecretsInTheFileAreErrorsInProd(t *testing.T) {
	t.Parallel()
	for _, prod := range []bool{true, false} {
		var into sample
		doc := config.Decode([]byte("jwt: {secret: hunter2}\n"), &into, config.Options{Name: "f"})
		if doc.Failed() {
			t.Fatal(doc.Problems())
		}
		doc.Finish(prod)
		if got := doc.Problems(); doc.Failed() != prod || len(got) != 1 || got[0].Warning == prod {
			t.Errorf("prod %v: %v", prod, got)
		}
	}
}

func TestProblemsAreErrors(t *testing.T) {
	t.Parallel()
	var err error = config.Problem{Message: "m"}
	var p config.Problem
	if !errors.As(err, &p) || err.Error() != "m" {
		t.Error(err)
	}
}

// union takes true, a text, a list of texts, or a mapping.
type union struct {
	On    bool   `json:"on"`
	Name  string `json:"name" conf:"default=none"`
	Items []string
	keys  []string
}

func (union) LaterKeys() map[string]string { return map[string]string{"soon": "something"} }

func (u *union) DecodeConfig(v *config.Value) {
	switch v.Kind() {
	case config.Sequence:
		for _, item := range v.Items() {
			s, _ := item.Text()
			u.Items = append(u.Items, s)
		}
	case config.Map:
		u.keys = v.Keys()
		type plain union
		v.Decode((*plain)(u))
		if name := v.Get("name"); name != nil && name.FromOutside() {
			name.Warnf("from outside")
		}
	default:
		if on, is := v.Bool(); is {
			u.On = on
			return
		}
		v.DecodeAs("name", u)
	}
}

func TestUnions(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, src string
		want      union
		problems  []string
	}{
		{"bool", "u: true", union{On: true}, nil},
		{"text", "u: hello", union{Name: "hello"}, nil},
		{"list", "u: [a, b]", union{Items: []string{"a", "b"}}, nil},
		{"mapping, with defaults", "u: {on: true}", union{On: true, Name: "none", keys: []string{"on"}}, nil},
		{"number", "u: 5", union{}, []string{"f:1:1: u: must be text, but is a number; put it in quotes if it is meant so"}},
		{"later key survives the plain type", "u: {soon: 1}", union{Name: "none", keys: []string{"soon"}},
			[]string{`f:1:5: u.soon: "soon" (something) is not in this release; remove it`}},
		{"from outside", `u: {name: "x{{env.TEAM}}"}`, union{Name: "xOUTSIDE.cloudflareaccess.com", keys: []string{"name"}},
			[]string{"f:1:5: warning: u.name: from outside"}},
		{"bad item", "u: [a, {}]", union{Items: []string{"a", ""}}, []string{"f:1:8: u[1]: must be text, but is a mapping"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var into struct {
				U *union `json:"u"`
			}
			o := sampleOptions()
			o.Name = "f"
			doc := config.Decode([]byte(c.src), &into, o)
			if diff := cmp.Diff(c.problems, lines(doc.Problems())); diff != "" {
				t.Error(diff)
			}
			if into.U == nil {
				t.Fatal("nothing was read")
			}
			if diff := cmp.Diff(c.want, *into.U, cmp.AllowUnexported(union{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAliasesCannotMultiply(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("extra:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		list := strings.TrimSuffix(strings.Repeat("*a"+string(rune('0'+i))+", ", 10), ", ")
		b.WriteString("  a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + list + "]\n")
	}
	var into sample
	doc := config.Decode([]byte(b.String()), &into, config.Options{})
	if got := doc.Problems(); len(got) != 1 || !strings.Contains(got[0].Message, "too many values") {
		t.Errorf("got %d problems: %v", len(got), got[:min(3, len(got))])
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	keys := []string{"path", "method", "requiredPermissions", "rateLimit", "environment", "jwksURL", "prod"}
	for word, want := range map[string]string{
		"pth": "path", "paht": "path", "Method": "method", "required_permissions": "requiredPermissions",
		"ratelimits": "rateLimit", "enviroment": "environment", "jwks-url": "jwksURL", "production": "prod",
		"x": "", "": "", "completely": "", strings.Repeat("path", 30): "",
	} {
		if got := config.Nearest(word, keys); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
