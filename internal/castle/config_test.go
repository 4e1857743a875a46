package castle

import (
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
)

func TestTheSettingsOfAFile(t *testing.T) {
	t.Parallel()
	env := func(blocking string) config.Options {
		return config.Options{Name: "portreeve.yaml", Env: func(name string) (string, bool) {
			v, ok := map[string]string{"CASTLE_API_SECRET": "from-outside", "ENABLE_CASTLE_BLOCKING": blocking}[name]
			return v, ok
		}}
	}
	const secrets = `apiSecret: "{{env.CASTLE_API_SECRET}}", blocking: "{{env.ENABLE_CASTLE_BLOCKING}}"`
	for _, c := range []struct {
		name, src, blocking string
		want                []string // in the problems; none: it loads
	}{
		{"as documented", `castle: {` + secrets + `, timeout: 800ms, onError: allow, afterSuccess: wait}`, "true", nil},
		{"onError has no default", `castle: {` + secrets + `}`, "false", []string{"onError"}},
		{"onError of another kind", `castle: {` + secrets + `, onError: challenge}`, "false", []string{"onError"}},
		{"blocking that is no word of ours", `castle: {` + secrets + `, onError: deny}`, "yes", []string{"blocking"}},
		{"no time", `castle: {` + secrets + `, onError: deny, timeout: 1ms}`, "true", []string{"castle.timeout: must be from 10ms"}},
		{"nobody's secret", `castle: {blocking: true, onError: deny}`, "", []string{"apiSecret"}},
		{"after what", `castle: {` + secrets + `, onError: deny, afterSuccess: later}`, "true", []string{"afterSuccess"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var file struct {
				Castle *Config `json:"castle"`
			}
			doc := config.Decode([]byte(c.src), &file, env(c.blocking))
			if file.Castle != nil {
				file.Castle.Validate(doc.Report("castle"))
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
			if c.want != nil {
				return
			}
			cl, err := New(Deps{}, file.Castle)
			if err != nil || !cl.Blocking() || !cl.Wait() || cl.Timeout() != 800*time.Millisecond {
				t.Errorf("read %+v, %v", file.Castle, err)
			}
		})
	}
}
