package limit

import (
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
)

func TestTheSettingsOfAFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, src string
		want      []string // in the problems, in order; none: it loads
	}{
		{"as documented", `rateLimit: {enabled: true, default: {windowMs: 60000, max: 100}, perEndpoint: {"/login": {windowMs: 60000, max: 5, by: ip}}}`, nil},
		{"half a rule", `rateLimit: {default: {max: 1}}`, []string{"windowMs"}},
		{"nobody at all", `rateLimit: {default: {windowMs: 1000, max: 0}}`, []string{"rateLimit.default.max: must be from 1"}},
		{"no window", `rateLimit: {perEndpoint: {"/login": {windowMs: -1, max: 1}}}`, []string{`rateLimit.perEndpoint["/login"].windowMs: must be from 1`}},
		{"too long a window", `rateLimit: {default: {windowMs: 9000000000000000000, max: 1}}`, []string{"31 days"}},
		{"by what", `rateLimit: {default: {windowMs: 1, max: 1, by: tennant}}`, []string{`"tenant"`}},
		{"a later release", `rateLimit: {store: "redis://127.0.0.1"}`, []string{"not in this release"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var file struct {
				RateLimit *Config `json:"rateLimit"`
			}
			doc := config.Decode([]byte(c.src), &file, config.Options{Name: "portreeve.yaml"})
			if file.RateLimit != nil {
				file.RateLimit.Validate(doc.Report("rateLimit"))
			}
			got := doc.Problems()
			if len(got) != len(c.want) {
				t.Fatalf("problems %v, want %v", got, c.want)
			}
			for i, p := range got {
				if !strings.Contains(p.String(), c.want[i]) {
					t.Errorf("problem %q does not say %q", p, c.want[i])
				}
			}
			if c.want == nil && (file.RateLimit.PerEndpoint["/login"].Rule() != Rule{time.Minute, 5}) {
				t.Errorf("read %+v", file.RateLimit)
			}
		})
	}
}
