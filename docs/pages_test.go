package docs_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/app"
)

var update = flag.Bool("update", false, "write the output of the commands into the pages")

// page is a Markdown file taken apart.
type page struct {
	name   string
	blocks []block
}

// block is one fenced block. lines are those between the fences, from line at.
type block struct {
	language string
	lines    []string
	at       int
}

func readPage(t *testing.T, file string) page {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := page{name: file}
	var open *block
	for i, line := range strings.Split(string(raw), "\n") {
		switch fence, ok := strings.CutPrefix(line, "```"); {
		case ok && open == nil:
			open = &block{language: fence, at: i + 1}
		case ok:
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.lines = append(open.lines, line)
		}
	}
	return p
}

// file is the name under which a block is kept, from its first line "# file:
// NAME"; "" for others.
func (b *block) file() string {
	if len(b.lines) == 0 {
		return ""
	}
	name, _ := strings.CutPrefix(b.lines[0], "# file: ")
	if name == b.lines[0] {
		return ""
	}
	return name
}

// A page of the repository's own links to files that exist, and README's
// configurations are whole ones.
func TestLinksOfThePages(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"../README.md", "*.md", "*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	link := regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(raw), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s, which does not exist", file, m[1])
			}
		}
	}
	for _, b := range readPage(t, "../README.md").blocks {
		if b.language == "yaml" {
			checkBlock(t, "../README.md", b, nil)
		}
	}
}

// Pages about security tie each of their claims to tests, written as `folder:
// TestName`.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	test := regexp.MustCompile("`([a-z/]+): ((?:Test|Fuzz)\\w+)`")
	for file, least := range map[string]int{"security.md": 40, "security/asvs.md": 40, "security/oidc-rp.md": 15} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		named := test.FindAllStringSubmatch(string(raw), -1)
		if len(named) < least {
			t.Fatalf("%s: only %d tests are named", file, len(named))
		}
		for _, n := range named {
			if !hasTest(t, n[1], n[2]) {
				t.Errorf("%s names %s: %s, which does not exist", file, n[1], n[2])
			}
		}
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

func pages(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob("howto/*.md")
	if err != nil || len(list) == 0 {
		t.Fatalf("%d pages, %v", len(list), err)
	}
	return list
}

// A yaml block that begins with "# check" is a whole configuration without a
// problem; one with "# refused" shows what check complains about, and its
// comments "# -> TEXT" quote the complaints.
func TestConfigurationsOfThePages(t *testing.T) {
	t.Parallel()
	for _, file := range append(pages(t), "operations.md", "tutorial.md") {
		for _, b := range readPage(t, file).blocks {
			if b.language != "yaml" && b.language != "json" || len(b.lines) == 0 {
				continue
			}
			switch b.lines[0] {
			case "# check":
				checkBlock(t, file, b, nil)
			case "# refused":
				var want []string
				for _, line := range b.lines {
					if _, text, ok := strings.Cut(line, "# -> "); ok {
						want = append(want, text)
					}
				}
				checkBlock(t, file, b, want)
			}
		}
	}
}

// checkBlock checks a block. Without want it must load; with it each of its
// lines has such a problem, and there are no others.
func checkBlock(t *testing.T, file string, b block, want []string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "portreeve.yaml")
	for name, text := range map[string]string{path: strings.Join(b.lines, "\n"), filepath.Join(dir, "partner.pem"): partner} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report, err := app.Check(app.Source{Path: path, Getenv: func(name string) (string, bool) {
		if name == "WORKER_ENV" {
			return "", false
		}
		return "thirty-two-characters-of-anything", true // whatever variable is asked for
	}})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	report.Write(&text, 160)
	problems := 0
	for _, p := range report.Problems {
		if p.Warning && p.Path == "masterKey" { // a block shows one thing; the key of the whole file is another
			continue
		}
		if !p.Warning || len(want) == 0 {
			problems++
		}
	}
	if problems != len(want) {
		t.Errorf("%s:%d: %d problems, want %d:\n%s", file, b.at, problems, len(want), text.String())
	}
	for _, w := range want {
		if !strings.Contains(text.String(), w) {
			t.Errorf("%s:%d: no problem says %q:\n%s", file, b.at, w, text.String())
		}
	}
}

const partner = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELy3SaVt+ocihIHOJzb264yU3bIT4
rB7GYHtG0mzc9u/x6dyLP9KvXGUh0Sy6ooa4QvLL7a60lY0aafUXjlcpeg==
-----END PUBLIC KEY-----
`
