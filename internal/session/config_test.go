package session

import (
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`: "", `{idle: 15m, absolute: 8h, perUser: 3}`: "", `{absolute: 10m}`: "",
		`{idle: 10s}`:              "idle: must be from 1m to 90d",
		`{absolute: 9000h}`:        "absolute: must be from 1m to 90d",
		`{idle: 2h, absolute: 1h}`: "idle: is longer than absolute",
		`{perUser: 0}`:             "perUser: must be from 1 to 100",
		`{idel: 10m}`:              "idel",
	} {
		var c Config
		doc := config.Decode([]byte(text), &c, config.Options{Name: "p.yaml"})
		if !doc.Failed() {
			c.Validate(doc.Report(""))
		}
		var got []string
		for _, p := range doc.Problems() {
			got = append(got, p.String())
		}
		if all := strings.Join(got, "\n"); want == "" && all != "" || !strings.Contains(all, want) {
			t.Errorf("%s: %q, want %q", text, all, want)
		}
	}
	if l := (*Config)(nil).limits(); l.idle != 30*time.Minute || l.absolute != 12*time.Hour || l.perUser != 10 {
		t.Errorf("%+v", l)
	}
}
