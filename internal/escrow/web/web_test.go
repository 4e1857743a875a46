package web_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/web"
)

// The modules reach nothing but one another and the browser's cryptography.
func TestTheModulesSendNothing(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(web.Files(), "*.js")
	if err != nil || len(names) < 10 {
		t.Fatalf("%v, %v", names, err)
	}
	imports := regexp.MustCompile(`(?:from|import)\s*\(?\s*"([^"]*)"`)
	for _, name := range names {
		raw, err := fs.ReadFile(web.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		code := regexp.MustCompile(`(?m)//.*$`).ReplaceAllString(string(raw), "")
		for _, m := range imports.FindAllStringSubmatch(code, -1) {
			if !strings.HasPrefix(m[1], "./") || !slices.Contains(names, m[1][2:]) {
				t.Errorf("%s imports %q", name, m[1])
			}
		}
		for _, way := range []string{"fetch", "XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon", "localStorage", "sessionStorage", "indexedDB", "cookie", "postMessage",
			"innerHTML", "eval", "Function(", "import(", "Math.random", "console."} {
			if strings.Contains(code, way) {
				t.Errorf("%s has %s", name, way)
			}
		}
	}
}

func TestTheWords(t *testing.T) {
	t.Parallel()
	raw, err := fs.ReadFile(web.Files(), "words.txt")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(raw))
	if len(words) < 1024 || !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) {
		t.Errorf("%d words", len(words))
	}
	for _, w := range words {
		if !regexp.MustCompile(`^[a-z]{3,10}$`).MatchString(w) {
			t.Errorf("%q", w)
		}
	}
}
