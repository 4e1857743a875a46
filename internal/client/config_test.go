package client

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
)

// An entry without proxies would still count as "behind a proxy" where prod
// asks for one.
func TestAVariableThatNamesNoProxy(t *testing.T) {
	t.Parallel()
	var file struct {
		TrustedProxies config.List[TrustedProxyConfig] `json:"trustedProxies"`
	}
	doc := config.Decode([]byte("trustedProxies: '{{env.P}}'"), &file, config.Options{Name: "p.yaml",
		Env: func(string) (string, bool) { return "", true }})
	Compile(file.TrustedProxies, doc.Report("trustedProxies"))
	if p := doc.Problems(); len(p) != 1 || !strings.Contains(p[0].Message, "names no proxy") {
		t.Errorf("problems = %v", p)
	}
}
