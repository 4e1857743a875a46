package lockout

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
		want      []string // in the problems; none: it loads
	}{
		{"as documented", `lockout: {perAccount: {max: 5, windowMs: 60000}, perIP: {max: 50, windowMs: 900000}}`, nil},
		{"half a rule", `lockout: {perAccount: {max: 1}}`, []string{"windowMs"}},
		{"nobody at all", `lockout: {perIP: {max: 0, windowMs: 1000}}`, []string{"lockout.perIP.max: must be from 1 to 1000"}},
		{"everybody", `lockout: {perAccount: {max: 1001, windowMs: 1000}}`, []string{"lockout.perAccount.max: must be from 1 to 1000"}},
		{"no window", `lockout: {perIP: {max: 1, windowMs: 999}}`, []string{"lockout.perIP.windowMs: must be from 1000"}},
		{"too long a window", `lockout: {perIP: {max: 1, windowMs: 9000000000000000000}}`, []string{"a day"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var file struct {
				Lockout *Config `json:"lockout"`
			}
			doc := config.Decode([]byte(c.src), &file, config.Options{Name: "portreeve.yaml"})
			file.Lockout.Validate(doc.Report("lockout"))
			got := doc.Problems()
			if len(got) != len(c.want) {
				t.Fatalf("problems %v, want %v", got, c.want)
			}
			for i, p := range got {
				if !strings.Contains(p.String(), c.want[i]) {
					t.Errorf("problem %q does not say %q", p, c.want[i])
				}
			}
			if account, ip := file.Lockout.rules(); c.want == nil && (account != rule{5, time.Minute} || ip != rule{50, 15 * time.Minute}) {
				t.Errorf("read %v, %v", account, ip)
			}
		})
	}
	if account, ip := (*Config)(nil).rules(); account != (rule{10, 15 * time.Minute}) || ip != (rule{50, 15 * time.Minute}) {
		t.Errorf("without settings: %v, %v", account, ip)
	}
}
