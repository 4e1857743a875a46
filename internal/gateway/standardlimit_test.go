package gateway

import (
	"testing"

	"github.com/portreeve/portreeve/internal/limit"
)

// A surface's own limit counts until the site says something of the path.
func TestTheStandardLimitOfASurface(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want [3]int // statuses of three requests over two of its paths
	}{
		"nothing said":        {`{}`, [3]int{200, 200, 429}},
		"of another path":     {`{rateLimit: {perEndpoint: {/x: {windowMs: 60000, max: 1}}}}`, [3]int{200, 200, 429}},
		"a default":           {`{rateLimit: {default: {windowMs: 60000, max: 9}}}`, [3]int{200, 200, 200}},
		"of this path":        {`{rateLimit: {perEndpoint: {/public: {windowMs: 60000, max: 1}}}}`, [3]int{200, 429, 200}},
		"off":                 {`{rateLimit: {enabled: false}}`, [3]int{200, 200, 200}},
		"off, with a default": {`{rateLimit: {enabled: false, default: {windowMs: 60000, max: 1}}}`, [3]int{200, 200, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := loadWith(t, c.text, func(in *SiteInput) {
				rule := limit.RuleConfig{WindowMs: 60_000, Max: 2}
				in.Surfaces = []SurfaceRoute{
					{Method: "GET", Path: "/public", Public: true, Limit: &rule, Op: Operation{Surface: "things", Run: echo}},
					{Method: "GET", Path: "/public/:id", Public: true, Limit: &rule, Op: Operation{Surface: "things", Run: echo}},
				}
			})
			var got [3]int
			for i, line := range []string{"GET /public", "GET /public", "GET /public/7"} {
				got[i] = g.ask(line).status
			}
			if got != c.want {
				t.Errorf("%v, want %v\n%s", got, c.want, g.problems)
			}
		})
	}
}
