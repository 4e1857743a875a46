package gateway

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
)

// vault has secrets by tenant; what it has it says after one job.
type vault struct {
	values map[string]map[string]string
	asked  []string
	stale  bool
}

func (v *vault) Find(tenant string, keys []string, _ time.Time, settled []park.Settled) (map[string]string, *park.Job, *fault.Error) {
	if v.stale {
		return nil, nil, &fault.Error{Kind: fault.Unavailable, Code: "store_unavailable", RetryAfter: time.Second}
	}
	key := park.Key{2}
	copy(key[1:], tenant)
	if _, ok := park.Find(settled, key); !ok {
		v.asked = append(v.asked, fmt.Sprint(tenant, keys))
		return nil, &park.Job{Kind: "secrets", Key: key, Waits: true, Run: func(context.Context) (any, error) { return nil, nil }}, nil
	}
	return v.values[tenant], nil, nil
}

const withSecrets = `
tenant: front
routes:
  - {path: /pay, method: any, requireAuth: true, upstream: {url: "http://app", headers: {set: {X-Pay: "Bearer {{secret:PAY_KEY}}", X-Who: "{{auth.sub}}"}}}}
  - {path: /both, method: get, requireAuth: true, upstream: {url: "http://app", headers: {set: {X-A: "{{secret.PAY_KEY}}", X-B: "{{secret:OTHER?}}"}}}}
  - {path: /within, method: get, requireAuth: true, upstream: {url: "http://app", headers: {set: {X-B: "k={{secret:OTHER?}}"}}}}
  - {path: /hook, method: post, upstream: {url: "http://app", headers: {set: {X-Pay: "{{secret:PAY_KEY}}"}}}}
  - {path: /none, method: get, requireAuth: true, upstream: "http://app"}`

func TestATenantsSecretsInUpstreamHeaders(t *testing.T) {
	t.Parallel()
	g := serving(t, withSecrets)
	v := &vault{values: map[string]map[string]string{
		"main": {"PAY_KEY": "sk_live_main"}, "acme": {"PAY_KEY": "sk_live_acme", "OTHER": "o"}, "front": {"PAY_KEY": "sk_front"},
		"empty": {"PAY_KEY": ""}, "odd": {"PAY_KEY": "two\nlines"},
	}}
	g.snap.Secrets = v
	of := func(tenant string) string { return bearer(alice.with("tenant_id", tenant)) }
	for _, c := range []struct {
		name, line, credential string
		want                   string // X-Pay, X-A and X-B, or status and code
	}{
		{"one's own", "GET /pay", of("main"), "Bearer sk_live_main||"},
		{"another tenant's own", "GET /pay", of("acme"), "Bearer sk_live_acme||"},
		{"missing", "GET /pay", of("bare"), "503 secret_missing"},
		{"empty", "GET /pay", of("empty"), "503 secret_missing"},
		{"what no header can hold", "GET /pay", of("odd"), "403 header_value"},
		{"one that may be missing", "GET /both", of("main"), "|sk_live_main|"},
		{"and is there", "GET /both", of("acme"), "|sk_live_acme|o"},
		{"one that may be missing within a text", "GET /within", of("main"), "503 secret_missing"},
		{"of the site, for the anonymous", "POST /hook", "Accept: */*", "sk_front||"},
		{"for a caller without tenant", "POST /hook", "Cf-Access-Jwt-Assertion: " + accessToken(), "503 secret_missing"},
		{"not where nothing reads them", "GET /none", of("bare"), "||"},
		{"not for whoever may not", "GET /pay", "Accept: */*", "401 unauthenticated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := g.ask(c.line, c.credential, "X-Pay: forged", "X-B: forged", "Origin: http://api.example.com")
			text := fmt.Sprint(got.status, " ", got.code)
			if got.status == 200 {
				h := got.forward.Header
				text = strings.Join([]string{h.Get("X-Pay"), h.Get("X-A"), h.Get("X-B")}, "|")
			}
			if text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
			if told := fmt.Sprint(got.steps, got.body); strings.Contains(told, "sk_") || strings.Contains(told, "two") {
				t.Errorf("a value is told: %s", told)
			}
			if strings.HasPrefix(c.want, "503") && strings.Contains(got.body, "PAY_KEY") {
				t.Errorf("the caller learns the key: %s", got.body)
			}
		})
	}
	if steps := fmt.Sprint(g.ask("GET /pay", of("bare")).steps); !strings.Contains(steps, "secret PAY_KEY") {
		t.Errorf("the trace does not say which: %s", steps)
	}
	if d := cmp.Diff([]string{"OTHER", "PAY_KEY"}, g.snap.standard.SecretKeys()); d != "" {
		t.Error(d)
	}
	v.stale = true
	if got := g.ask("GET /pay", of("main")); got.status != 503 || got.code != "store_unavailable" || got.header.Get("Retry-After") != "1" {
		t.Errorf("a stale node: %d %s", got.status, got.code)
	}
	g.snap.Secrets = nil
	if got := g.ask("GET /pay", of("main")); got.status != 503 {
		t.Errorf("without a store: %d", got.status)
	}
}

func TestSecretsAreForUpstreamHeadersAlone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`routes: [{path: /, method: get, response: "{{secret:K}}"}]`,
		`routes: [{path: /, method: get, data: {a: "{{secret.K}}"}}]`,
		`routes: [{path: /, method: get, response: x, headers: {X-A: "{{secret:K}}"}}]`,
		`routes: [{path: /, method: get, redirect: "/{{secret:K}}"}]`,
		`routes: [{path: /, method: get, upstream: {url: "http://app", rewrite: "/{{secret:K}}"}}]`,
		`routes: [{path: /, method: get, tenant: "{{secret:K}}", response: x}]`,
	} {
		if g := load(t, text); !strings.Contains(g.problems, "secret is not read here") {
			t.Errorf("%s loads:\n%s", text, g.problems)
		}
	}
}
