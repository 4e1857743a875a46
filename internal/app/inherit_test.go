package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A problem is shown where it was written, at the top level or at the site.
func TestProblemsOfSiteRulesStandWhereTheyAreWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "portreeve.yaml")
	if err := os.WriteFile(path, []byte(`environment: test
jwt: {secret: 0123456789abcdef0123456789abcdef}
allow: {emails: [top]}
sites:
  - hosts: a.example.com
    deny: {emails: [site]}
    routes: [{path: /x, method: get, data: {}}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Check(Source{Path: path, Getenv: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range r.Problems {
		all = append(all, p.String())
	}
	text := strings.Join(all, "\n")
	if !strings.Contains(text, ":3:18: allow.emails[0]") ||
		!strings.Contains(text, ":6:21: sites[0].deny.emails[0]") || strings.Contains(text, ": deny.emails") {
		t.Errorf("problems:\n%s", text)
	}
}
