package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each file of testdata/check is a configuration and what check prints of it.
// Before the file stand lines with what is around it: variables of the process
// (# env A=b) and lines of the files beside it (# .env A=b). Write the expected
// output with: go test ./internal/app -run TestCheckPrints -update
func TestCheckPrints(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/check/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, ok := strings.Cut(string(raw), "----\n")
			if !ok {
				t.Fatal("no line of dashes")
			}
			got := printed(t, input)
			if *update {
				if err := os.WriteFile(file, []byte(input+"----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// printed is what check prints of a case.
func printed(t *testing.T, input string) string {
	dir, env, beside := t.TempDir(), map[string]string{}, map[string]string{}
	around, yaml, _ := strings.Cut(input, "# file\n")
	for line := range strings.Lines(around) {
		where, text, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "# "), " ")
		if name, value, ok := strings.Cut(text, "="); where == "env" && ok {
			env[name] = value
		} else {
			beside[where] += text + "\n"
		}
	}
	for name, content := range beside {
		put(t, filepath.Join(dir, name), content)
	}
	put(t, filepath.Join(dir, "portreeve.yaml"), yaml)
	r, err := Check(Source{Path: filepath.Join(dir, "portreeve.yaml"), Getenv: vars(env)})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r.Write(&out, 200)
	return strings.ReplaceAll(out.String(), dir, "DIR")
}
