package config

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/secret"
)

// A feature that quotes what it refuses does not know where it came from.
func TestMessagesQuoteNothingFromOutside(t *testing.T) {
	t.Parallel()
	const secret = "hunter2 hunter2 hunter2"
	var into struct {
		Names  List[string] `json:"names"`
		Filled string       `json:"filled" conf:"env=FILLED"`
		Own    string       `json:"own"`
	}
	env := map[string]string{"ONE": "x1", "LIST": "y2, z3", "FILLED": secret}
	d := Decode([]byte("names: ['{{env.ONE}}', b]\nown: mine"), &into, Options{Name: "p.yaml",
		Env: func(n string) (string, bool) { v, ok := env[n]; return v, ok }})
	d.Report("").Errorf("names[0]", "%q is no name", into.Names[0])
	d.Report("").Errorf("names", "one of them, %q, is no name", into.Names[0])
	d.Report("").Warnf("filled", "the value %s will not do", into.Filled)
	d.Report("").Errorf("own", "%q is no name", into.Own)
	Decode([]byte("names: '{{env.LIST}}'"), &into, d.options)
	var all []string
	for _, p := range d.Problems() {
		all = append(all, p.String())
	}
	text := strings.Join(all, "\n")
	if strings.Contains(text, "x1") || strings.Contains(text, "hunter2") || !strings.Contains(text, `"mine" is no name`) {
		t.Errorf("problems:\n%s", text)
	}
}

func TestASecretBesideNothingIsWrittenInTheFile(t *testing.T) {
	t.Parallel()
	for value, inline := range map[string]int{
		"0123456789abcdef0123456789abcdef{{env.E}}": 1,
		"{{env.E}}0123456789abcdef0123456789abcdef": 1,
		"prefix-{{env.K}}":                          0,
		"0123456789abcdef-{{env.K}}":                0,
		"{{env.K}}":                                 0,
	} {
		var into struct {
			Secret secret.Value `json:"secret"`
		}
		d := Decode([]byte("secret: \""+value+"\""), &into, Options{Name: "p.yaml", Env: func(n string) (string, bool) {
			return map[string]string{"K": "fedcba9876543210fedcba9876543210"}[n], true
		}})
		if got := len(d.InlineSecrets()); got != inline || d.Failed() {
			t.Errorf("%s: %d inline secrets, want %d; %v", value, got, inline, d.Problems())
		}
	}
}
