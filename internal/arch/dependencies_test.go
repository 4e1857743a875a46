package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// modules reads the required modules of go.mod, and those that its tool lines
// stand for.
func modules(t *testing.T, root string) (required, tools map[string]bool) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	required, tools = map[string]bool{}, map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:require )?([a-z0-9.-]+\.[a-z]+[^\s]*) v`).FindAllStringSubmatch(string(b), -1) {
		required[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:tool )?([a-z0-9.-]+\.[a-z]+/[^\s]*/cmd/[^\s]*)$`).FindAllStringSubmatch(string(b), -1) {
		tools[moduleOf(m[1], required)] = true
	}
	return required, tools
}

// moduleOf is the longest required module that holds the package, or "" for the
// standard library and our own.
func moduleOf(pkg string, required map[string]bool) string {
	for p := pkg; p != "."; p = filepath.Dir(p) {
		if required[p] {
			return p
		}
	}
	return ""
}

// used returns the modules that files import directly: those of the product,
// and those of tests and of the workshop.
func used(t *testing.T, root string, required map[string]bool) (product, workshop map[string]bool) {
	t.Helper()
	product, workshop = map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		ships := !strings.HasSuffix(file, "_test.go") && (strings.HasPrefix(rel, "cmd/") || strings.HasPrefix(rel, "internal/"))
		for _, p := range imports([]*ast.File{f}) {
			switch m := moduleOf(p, required); {
			case m == "":
			case ships:
				product[m] = true
			default:
				workshop[m] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return product, workshop
}

// documented reads the first column of the tables under a heading of the page.
func documented(t *testing.T, root, heading string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("docs/dependencies.md has no heading %q", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	out := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(rest, -1) {
		out[m[1]] = true
	}
	return out
}

func TestEveryDirectDependencyHasItsReason(t *testing.T) {
	t.Parallel()
	dir := root(t)
	required, tools := modules(t, dir)
	product, workshop := used(t, dir, required)
	binary, tests := documented(t, dir, "In the binary"), documented(t, dir, "In tests and tools")
	if len(product) == 0 || len(tools) == 0 || len(binary) == 0 || len(tests) == 0 {
		t.Fatalf("nothing read: %d used, %d tools, %d and %d documented", len(product), len(tools), len(binary), len(tests))
	}
	for m := range product {
		if !binary[m] {
			t.Errorf("%s is in the binary and not in docs/dependencies.md under %s", m, strconv.Quote("In the binary"))
		}
	}
	for m := range workshop {
		if !binary[m] && !tests[m] {
			t.Errorf("%s is used by tests and not in docs/dependencies.md", m)
		}
	}
	for m := range tools {
		if !tests[m] {
			t.Errorf("%s is a tool and not in docs/dependencies.md", m)
		}
	}
	for _, table := range []map[string]bool{binary, tests} {
		for m := range table {
			if !required[m] {
				t.Errorf("docs/dependencies.md names %s, which go.mod does not require", m)
			}
		}
	}
}
