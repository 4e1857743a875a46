package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// ledgerRow is one line of docs/compatibility.md's second ledger.
type ledgerRow struct{ rule, built, shown string }

// readLedger reads the three-column rows after "## Line by line". "\|" inside a
// cell is no border.
func readLedger(text string) []ledgerRow {
	_, text, _ = strings.Cut(text, "\n## Line by line\n")
	var out []ledgerRow
	for line := range strings.Lines(text) {
		line = strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00")
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "rule" {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(strings.ReplaceAll(cells[i], "\x00", "|"))
		}
		out = append(out, ledgerRow{cells[1], cells[2], cells[3]})
	}
	return out
}

var (
	builtForms = regexp.MustCompile(`^(yes|part: .+|not yet: .+|)$`)
	quoted     = regexp.MustCompile("`([^`]+)`")
)

// doubts names what is wrong with one row. exists says whether a path, or a
// test of a folder, is there.
func (r ledgerRow) doubts(exists func(folder, test string) bool) []string {
	if !builtForms.MatchString(r.built) {
		return []string{fmt.Sprintf("%q is neither yes, part: …, not yet: … nor open", r.built)}
	}
	refs := quoted.FindAllStringSubmatch(r.shown, -1)
	if (r.built == "yes" || strings.HasPrefix(r.built, "part: ")) && len(refs) == 0 {
		return []string{"claims to be built, and names no test that shows it"}
	}
	var out []string
	for _, ref := range refs {
		folder, test, _ := strings.Cut(ref[1], ": ")
		if !exists(folder, test) {
			out = append(out, ref[1]+" does not exist")
		}
	}
	return out
}

func TestTheLedgerNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	dir := root(t)
	b, err := os.ReadFile(filepath.Join(dir, "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := readLedger(string(b))
	if len(rows) < 100 {
		t.Fatalf("only %d rows read", len(rows))
	}
	exists := func(folder, test string) bool {
		if test == "" {
			_, err := os.Stat(filepath.Join(dir, folder))
			return err == nil
		}
		return hasTest(filepath.Join(dir, folder), test)
	}
	open := 0
	for _, r := range rows {
		if r.built == "" {
			open++
		}
		for _, d := range r.doubts(exists) {
			t.Errorf("%s: %s", r.rule, d)
		}
	}
	t.Logf("%d rows, %d of them without a verdict", len(rows), open)
}

func hasTest(folder, name string) bool {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return false
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

func TestLedgerDoubtsAreSeen(t *testing.T) {
	t.Parallel()
	exists := func(folder, test string) bool { return folder == "internal/a" && (test == "" || test == "TestA") }
	tests := []struct {
		name, row, want string
	}{
		{"shown", "| r | yes | `internal/a: TestA` |", ""},
		{"shown by a file", "| r | yes | `internal/a` |", ""},
		{"a border inside the rule", "| a\\|b | yes | `internal/a` |", ""},
		{"open", "| r | | |", ""},
		{"later", "| r | not yet: issue 4 | |", ""},
		{"built and not shown", "| r | yes | |", "names no test"},
		{"partly built and not shown", "| r | part: no reload | words |", "names no test"},
		{"a test that was renamed", "| r | yes | `internal/a: TestB` |", "does not exist"},
		{"one of two is missing", "| r | yes | `internal/a: TestA`, `internal/b: TestA` |", "does not exist"},
		{"another word", "| r | mostly | `internal/a` |", "neither"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rows := readLedger("\n## Line by line\n\n| rule | built? | shown by |\n|---|---|---|\n" + tt.row + "\n")
			if len(rows) != 1 {
				t.Fatalf("got %d rows", len(rows))
			}
			got := strings.Join(rows[0].doubts(exists), "; ")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
