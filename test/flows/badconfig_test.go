package flows

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/portreeve/portreeve/internal/app"
)

// A configuration with problems is reported, and nothing is served.
func TestAConfigurationWithProblemsDoesNotStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "portreeve.yaml")
	for name, text := range map[string]string{
		"unknown key":                  "routs: []",
		"access without team":          "access: {audience: a}",
		"a short secret":               "environment: test\njwt: {secret: short}",
		"keys anybody's":               "environment: test\njwt: {jwksURL: \"http://keys.test/\"}",
		"http in prod":                 "oidc: [{name: x, issuer: \"http://issuer.test\", audience: a}]",
		"certsURL in prod":             "access: {teamDomain: a.cloudflareaccess.com, audience: a, certsURL: \"https://keys.test/\"}",
		"two providers for one issuer": "oidc: [{name: x, issuer: \"https://i.test\", audience: a}, {name: y, issuer: \"https://i.test\", audience: [b, a]}]",
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := app.New(app.Options{Source: app.Source{Path: path, Getenv: func(string) (string, bool) { return "", false }}, Stderr: io.Discard})
			var problems *app.ConfigError
			if !errors.As(err, &problems) || len(problems.Problems) == 0 {
				t.Errorf("it came to %v", err)
			}
		})
	}
}
