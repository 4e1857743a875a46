// Package examples holds configuration files to start from, and the test that
// checks them as a reader would.
package examples

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/app"
)

var update = flag.Bool("update", false, "write testdata anew")

// environment is all that the examples may need from outside.
var environment = map[string]string{
	"JWT_SECRET":             "an-example-secret-of-32-characters",
	"JWT_SECRET_BEFORE":      "the-secret-before-of-32-characters",
	"ACCESS_AUD":             "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2",
	"PORTREEVE_MASTER_KEY":   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
	"KEYCLOAK_CLIENT_SECRET": "an-example-secret-of-a-client",
	"TWILIO_AUTH_TOKEN":      "an-example-token-of-an-account",
	"TURNSTILE_SECRET":       "an-example-secret-of-a-widget",
	"ENTRA_CLIENT_ID":        "6e74172b-be56-4843-9ff4-e66a39bb12e3",
}

func lookup(name string) (string, bool) {
	v, ok := environment[name]
	return v, ok
}

// Every example loads in prod without a warning, and opens to whom its comments
// say: testdata holds what check prints.
func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d examples found, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			report, err := app.Check(app.Source{Path: file, Getenv: lookup})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			report.Write(&out, 200)
			if !report.OK || len(report.Problems) > 0 {
				t.Fatalf("problems:\n%s", out.String())
			}
			want := filepath.Join("testdata", strings.TrimSuffix(file, ".yaml")+".check.txt")
			if *update {
				if err := os.WriteFile(want, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(golden), out.String()); diff != "" {
				t.Errorf("check prints something else (-want +got), go test -update writes it:\n%s", diff)
			}
		})
	}
}
