package config_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/template"
)

var update = flag.Bool("update", false, "write what Decode says now into testdata/*.txt")

// TestDecode runs testdata/*.txt: a text, a line of dashes, then the problems
// and the value that Decode makes of it.
func TestDecode(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d cases (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, ok := strings.Cut(string(b), "----\n")
			if !ok && !*update {
				t.Fatal("no line of dashes")
			}
			got := outcome(input)
			if strings.Contains(problemsOf(got), "OUTSIDE") || strings.Contains(problemsOf(got), "hunter2") {
				t.Errorf("a problem shows what it must not:\n%s", got)
			}
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

func problemsOf(outcome string) string { before, _, _ := strings.Cut(outcome, "=> "); return before }

// outcome is the problems, one a line, and the value where nothing failed.
func outcome(input string) string {
	var into sample
	doc := config.Decode([]byte(input), &into, sampleOptions())
	var b strings.Builder
	for _, p := range doc.InlineSecrets() {
		fmt.Fprintf(&b, "inline: %s\n", p)
	}
	for _, p := range doc.Problems() {
		fmt.Fprintln(&b, p)
	}
	for _, f := range doc.Files() {
		fmt.Fprintln(&b, "read:", f)
	}
	if !doc.Failed() {
		shown, err := json.MarshalIndent(reveal(reflect.ValueOf(into)), "", "  ")
		fmt.Fprintf(&b, "=> %s\n", shown)
		if err != nil {
			fmt.Fprintln(&b, err)
		}
	}
	return b.String()
}

// reveal makes a value printable, secrets and the marks of texts included.
func reveal(v reflect.Value) any {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		return reveal(v.Elem())
	}
	switch x := v.Interface().(type) {
	case secret.Value:
		return "secret:" + x.Reveal()
	case template.Text:
		out := []string{}
		for _, p := range x.Pieces {
			if p.Literal {
				p.Text = "literal:" + p.Text
			}
			out = append(out, p.Text)
		}
		return out
	case template.Tree:
		return reveal(reflect.ValueOf(&x.Value).Elem())
	case config.Duration, json.Number, fmt.Stringer:
		return fmt.Sprint(x)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return reveal(v.Elem())
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
				out[f.Name] = reveal(v.Field(i))
			}
		}
		return out
	case reflect.Slice:
		out := []any{}
		for i := range v.Len() {
			out = append(out, reveal(v.Index(i)))
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = reveal(v.MapIndex(k))
		}
		return out
	}
	return v.Interface()
}
