package userservice

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
)

func TestTheSettingsOfAFile(t *testing.T) {
	t.Parallel()
	const signing = `url: https://users.example.com, signing: {awsSigV4: {region: eu-central-1, service: execute-api, accessKeyId: "{{env.KEY}}", secretAccessKey: "{{env.KEY}}"}}`
	for _, c := range []struct {
		name, src string
		want      []string // in the problems; none: it loads
	}{
		{"as documented", `users: {` + signing + `, timeout: 800ms, onError: allow, paths: {byEmail: /users-by-email, unblock: /users/unblock, create: /users}, blocked: [blocked, closed], paused: [paused]}`, nil},
		{"onError has no default", `users: {` + signing + `}`, []string{"onError"}},
		{"nobody signs", `users: {url: https://users.example.com, onError: deny}`, []string{"signing"}},
		{"half a signature", `users: {url: https://users.example.com, onError: deny, signing: {awsSigV4: {region: a, service: b, accessKeyId: "{{env.KEY}}"}}}`, []string{"secretAccessKey"}},
		{"a path with a query", `users: {` + signing + `, onError: deny, paths: {byEmail: "/find?all=1"}}`, []string{"users.paths.byEmail: must be a plain path"}},
		{"a path that climbs", `users: {` + signing + `, onError: deny, paths: {create: /users/../admin}}`, []string{"users.paths.create: must be a plain path"}},
		{"blocked and paused", `users: {` + signing + `, onError: deny, blocked: [a], paused: [A]}`, []string{"users.paused: names what is blocked as well"}},
		{"too little time", `users: {` + signing + `, onError: deny, timeout: 1ms}`, []string{"users.timeout: must be from 10ms"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var file struct {
				Users *Config `json:"users"`
			}
			doc := config.Decode([]byte(c.src), &file, config.Options{Name: "portreeve.yaml", Env: func(string) (string, bool) { return "from-outside", true }})
			if file.Users != nil {
				file.Users.Validate(doc.Report("users"))
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
			if _, err := New(Deps{}, file.Users); c.want == nil && err != nil {
				t.Error(err)
			}
		})
	}
}
