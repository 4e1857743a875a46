package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

func source(t *testing.T, text string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The rules are shown broken houses, so that a test that reads the real one and
// finds nothing is known to be able to find something.
func TestBreachesAreSeen(t *testing.T) {
	t.Parallel()
	order := []layer{
		{name: "low", http: []string{"internal/fetch"}, packages: map[string][]string{
			"internal/word": nil, "internal/fetch": {"internal/word"},
		}},
		{name: "high", packages: map[string][]string{"internal/door": nil, "internal/window": {"internal/door"}}},
	}
	tests := []struct {
		name, pkg, imp, want string
	}{
		{"the floor above", "internal/door", module + "internal/word", ""},
		{"a granted neighbour", "internal/window", module + "internal/door", ""},
		{"a neighbour that was not granted", "internal/door", module + "internal/window", "does not grant"},
		{"a grant read backwards", "internal/word", module + "internal/fetch", "does not grant"},
		{"the floor below", "internal/word", module + "internal/door", "stands below it"},
		{"net/http where none may be", "internal/word", "net/http", "imports net/http"},
		{"net/http by the exception", "internal/fetch", "net/http", ""},
		{"net/http where nobody minds", "internal/door", "net/http", ""},
		{"a package without a floor", "internal/shed", "fmt", "stands in no layer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := house{tt.pkg: {source(t, "package x\nimport _ "+`"`+tt.imp+`"`)}}
			got := strings.Join(breaches(h, order), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAPackageOnTwoFloorsIsSeen(t *testing.T) {
	t.Parallel()
	twice := []layer{{packages: map[string][]string{"internal/a": nil}}, {packages: map[string][]string{"internal/a": nil}}}
	if got := breaches(nil, twice); len(got) != 1 || !strings.Contains(got[0], "two floors") {
		t.Errorf("got %q", got)
	}
}

func TestHiddenDoorsAreSeen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       int
	}{
		{"plain code", "package x\nimport \"os\"\nvar f = os.ReadFile", 0},
		{"an init", "package x\nfunc init() {}", 1},
		{"a method called init", "package x\ntype T int\nfunc (T) init() {}", 0},
		{"the environment", "package x\nimport \"os\"\nvar s = os.Getenv(\"HOME\")", 1},
		{"the environment as a value", "package x\nimport \"os\"\nvar f = os.LookupEnv", 1},
		{"an end under another name", "package x\nimport sys \"os\"\nfunc f() { sys.Exit(1) }", 1},
		{"another package's Exit", "package x\nimport os \"example.org/os\"\nfunc f() { os.Exit(1) }", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := len(hiddenDoors(source(t, tt.text))); got != tt.want {
				t.Errorf("got %d doors, want %d", got, tt.want)
			}
		})
	}
}
