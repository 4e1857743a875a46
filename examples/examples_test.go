package examples_test

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

	"AUTH0_BASE_URL":                 "https://example.eu.auth0.com",
	"AUTH0_CLIENT_ID":                "an-example-client",
	"AUTH0_CLIENT_SECRET":            "an-example-secret-of-a-client",
	"AUTH0_AUTHENTICATION_AUDIENCE":  "https://api.example.com",
	"AUTH0_CONNECTION":               "Username-Password-Authentication",
	"AUTH0_MFA_AUDIENCE":             "https://example.eu.auth0.com/mfa/",
	"AUTH0_MFA_CLIENT_ID":            "an-example-client-for-factors",
	"AUTH0_MFA_CLIENT_SECRET":        "an-example-secret-for-factors",
	"AUTH0_MANAGEMENT_CLIENT_ID":     "an-example-client-for-mails",
	"AUTH0_MANAGEMENT_CLIENT_SECRET": "an-example-secret-for-mails",
	"CASTLE_API_SECRET":              "an-example-secret-of-castle",
	"ENABLE_CASTLE_BLOCKING":         "true",
	"USER_SERVICE_URL":               "https://users.example.com/v1",
	"AWS_ACCESS_KEY_ID":              "AKIAIOSFODNN7EXAMPLE",
	"AWS_SECRET_ACCESS_KEY":          "an-example-secret-access-key",
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
			report, err := app.Check(app.Source{Path: withSecrets(t, file), Getenv: lookup})
			if err != nil {
				t.Fatal(err)
			}
			report.File = file
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

// secretFiles are those that examples read by {{file.secrets/…}}.
var secretFiles = map[string]string{
	"portreeve-master":    environment["PORTREEVE_MASTER_KEY"],
	"auth0-client-secret": environment["AUTH0_CLIENT_SECRET"],
	"datadog-api-key":     "an-example-key-of-datadog",
}

// withSecrets is an example beside its files of secrets: they are never among the
// sources.
func withSecrets(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(raw, []byte("{{file.secrets/")) {
		return file
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, value := range secretFiles {
		if err := os.WriteFile(filepath.Join(dir, "secrets", name), []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, file)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// `make backoffice-auth.local`: the variables come from .dev.vars beside the file,
// in test alone, and nothing else is needed.
func TestBackofficeRunsByDevVars(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	raw, err := os.ReadFile("backoffice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	vars := "DATADOG_API_KEY=\n"
	for _, name := range []string{"AUTH0_BASE_URL", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "AUTH0_AUTHENTICATION_AUDIENCE", "AUTH0_CONNECTION"} {
		vars += name + "=" + environment[name] + "\n"
	}
	for name, content := range map[string]string{"backoffice.yaml": string(raw), ".dev.vars": vars} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for env, ok := range map[string]bool{"test": true, "dev": true, "prod": false} {
		report, err := app.Check(app.Source{Path: filepath.Join(dir, "backoffice.yaml"), Getenv: func(name string) (string, bool) { return env, name == "WORKER_ENV" }})
		if err != nil || report.OK != ok {
			t.Errorf("WORKER_ENV=%s: %+v %v", env, report, err)
		}
	}
}
