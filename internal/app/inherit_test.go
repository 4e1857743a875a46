package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/limit"
)

func TestASiteThatAddsALimitKeepsTheDefault(t *testing.T) {
	t.Parallel()
	off := false
	top := &limit.Config{Enabled: &off, Default: &limit.RuleConfig{WindowMs: 1000, Max: 1},
		PerEndpoint: map[string]limit.RuleConfig{"/top": {WindowMs: 1, Max: 1}}}
	got := mergeLimits(top, &limit.Config{PerEndpoint: map[string]limit.RuleConfig{"/a": {WindowMs: 1, Max: 1}}})
	if got.Default != top.Default || got.Enabled != top.Enabled || len(got.PerEndpoint) != 1 {
		t.Errorf("got %+v", got)
	}
	own := &limit.Config{Default: &limit.RuleConfig{WindowMs: 2000, Max: 2}}
	if got := mergeLimits(top, own); got.Default != own.Default {
		t.Errorf("the site's own default does not count: %+v", got)
	}
	if mergeLimits(top, nil) != top || mergeLimits(nil, own) != own {
		t.Error("one level alone is not taken as it is")
	}
}

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
