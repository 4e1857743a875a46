package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/portreeve/portreeve/"

// house is every Go package of the module with the files that ship.
type house map[string][]*ast.File

// readHouse parses every Go file that is not a test, whatever its build tags,
// so that a file for another system cannot break the order unseen.
func readHouse(t *testing.T, root string) (house, *token.FileSet) {
	t.Helper()
	h, fset := house{}, token.NewFileSet()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); file != root && (strings.HasPrefix(n, ".") || n == "testdata" || n == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		h[filepath.ToSlash(rel)] = append(h[filepath.ToSlash(rel)], f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, fset
}

// imports returns what the files of one package import, sorted.
func imports(files []*ast.File) []string {
	var out []string
	for _, f := range files {
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// breaches names every import that runs against the layers, every package
// without one, and every net/http where there may be none.
func breaches(h house, order []layer) []string {
	var out []string
	floor := map[string]int{}
	for i, l := range order {
		for p := range l.packages {
			if _, twice := floor[p]; twice {
				out = append(out, p+": stands on two floors")
			}
			floor[p] = i
		}
	}
	for pkg, files := range h {
		at, known := floor[pkg]
		if !known {
			out = append(out, pkg+": stands in no layer; give it one in internal/arch/layers.go")
			continue
		}
		l := order[at]
		for _, imp := range imports(files) {
			if imp == "net/http" && l.http != nil && !slices.Contains(l.http, pkg) {
				out = append(out, fmt.Sprintf("%s: imports net/http, which no package of layer %q may but %v", pkg, l.name, l.http))
			}
			other, ours := strings.CutPrefix(imp, module)
			if !ours {
				continue
			}
			to, known := floor[other]
			switch {
			case !known: // reported where that package itself is read
			case to > at:
				out = append(out, fmt.Sprintf("%s (%s): imports %s (%s), which stands below it", pkg, l.name, other, order[to].name))
			case to == at && !slices.Contains(l.packages[pkg], other):
				out = append(out, fmt.Sprintf("%s: imports its neighbour %s, which the table does not grant it", pkg, other))
			}
		}
	}
	slices.Sort(out)
	return out
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	h, _ := readHouse(t, root(t))
	if len(h) < 5 {
		t.Fatalf("only %d packages found: the walk does not see the module", len(h))
	}
	for _, b := range breaches(h, layers()) {
		t.Error(b)
	}
}

func TestPackageNamesSayAPurpose(t *testing.T) {
	t.Parallel()
	h, _ := readHouse(t, root(t))
	for pkg := range h {
		if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "core", "shared", "misc"}, path.Base(pkg)) {
			t.Errorf("%s: a package is named for what it does", pkg)
		}
	}
}

// A registry filled by init, or a package that reads the environment or ends
// the process on its own, cannot be understood where it is used.
func TestNoHiddenDoors(t *testing.T) {
	t.Parallel()
	h, fset := readHouse(t, root(t))
	order := layers()
	workshop := order[len(order)-1].packages
	for pkg, files := range h {
		if _, tests := workshop[pkg]; tests || !strings.HasPrefix(pkg, "internal/") {
			continue
		}
		for _, f := range files {
			for _, b := range hiddenDoors(f) {
				t.Errorf("%s: %s", fset.Position(b.pos), b.what)
			}
		}
	}
}

type door struct {
	pos  token.Pos
	what string
}

func hiddenDoors(f *ast.File) []door {
	osName := ""
	for _, i := range f.Imports {
		if i.Path.Value == `"os"` {
			osName = "os"
			if i.Name != nil {
				osName = i.Name.Name
			}
		}
	}
	var out []door
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				out = append(out, door{n.Pos(), "func init: kinds are chosen in one explicit map in app"})
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && osName != "" && x.Name == osName &&
				slices.Contains([]string{"Exit", "Getenv", "LookupEnv", "Environ", "ExpandEnv"}, n.Sel.Name) {
				out = append(out, door{n.Pos(), "os." + n.Sel.Name + ": only cmd ends the process or reads the environment"})
			}
		}
		return true
	})
	return out
}
