package login

import (
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/fault"
)

var update = flag.Bool("update", false, "write the golden files")

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// golden is one file: what is given, a request, what the provider answers; what
// happened in which order, and the answer, are held to the file.
type golden struct {
	given    []string
	request  string
	provider []canned
	steps    string
	answer   string
}

// readGolden splits a file at its lines "-- name --".
func readGolden(t *testing.T, file string) golden {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	for _, part := range strings.Split("\n"+string(raw), "\n-- ")[1:] {
		head, text, _ := strings.Cut(part, " --\n")
		name, rest, _ := strings.Cut(head, " ")
		switch name {
		case "given":
			g.given = strings.Fields(text)
		case "request":
			g.request = text
		case "provider":
			g.provider = append(g.provider, readCanned(t, rest, text))
		case "steps":
			g.steps = text
		case "answer":
			g.answer = text
		default:
			t.Fatalf("%s: a part %q", file, name)
		}
	}
	return g
}

func readCanned(t *testing.T, status, text string) canned {
	n, err := strconv.Atoi(status)
	if err != nil {
		t.Fatal(err)
	}
	c := canned{status: n}
	for {
		line, rest, _ := strings.Cut(text, "\n")
		name, value, isField := strings.Cut(line, ": ")
		if !isField || strings.ContainsAny(name, "{[ ") {
			break
		}
		c.header, text = append(c.header, [2]string{name, value}), rest
	}
	c.body = strings.TrimSuffix(text, "\n")
	for name, set := range map[string]string{
		"TOKENS":       tokens("refresh-2", map[string]any{"sub": "auth0|1", "email": "ann@example.com"}),
		"SESSIONLESS":  `{"access_token":"access-1","token_type":"Bearer","expires_in":600,"scope":"` + mfaScope + `"}`,
		"HUGE":         `{"x":"` + strings.Repeat("x", 1<<20) + `"}`,
		"MFA_REQUIRED": `{"error":"mfa_required","error_description":"Multifactor authentication required","mfa_token":"mfa-token-1"}`,
		"WRONG":        `{"error":"invalid_grant","error_description":"Wrong email or password."}`,
	} {
		if c.body == name {
			c.body = set
		}
	}
	return c
}

func (g *golden) kit(t *testing.T) *kit {
	s := setting{backoffice: slices.Contains(g.given, "backoffice"), noRisk: slices.Contains(g.given, "no-risk"), noUsers: slices.Contains(g.given, "no-users")}
	if slices.Contains(g.given, "oidc") {
		s.change = func(c *Config) {
			c.Provider, c.MFA, c.Management, c.Social, c.Connection = "oidc", nil, nil, nil, ""
			c.Endpoints = &EndpointsConfig{Token: c.BaseURL + "/realms/x/token", Revocation: c.BaseURL + "/realms/x/revoke"}
		}
	}
	switch {
	case slices.Contains(g.given, "factors"):
		s.factors = noFactors{}
	case slices.Contains(g.given, "script-denies"):
		s.hooks = &scripts{err: fault.New(fault.Forbidden, CodeDenied, "We are closed")}
	case slices.Contains(g.given, "script-fails"):
		s.hooks = &scripts{err: fault.Wrap(fault.Unavailable, "action_failed", "", errors.New("a.js: throws"))}
	}
	k := newKit(t, s)
	for _, word := range g.given {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "backoffice", "no-risk", "no-users", "oidc", "factors", "script-denies", "script-fails":
		case "risk":
			k.risk.action = value
		case "risk-away":
			k.risk.err = fault.New(fault.Unavailable, "risk_unavailable", "")
		case "risk-after":
			k.risk.after = value
		case "recording":
			k.risk.blocking = false
		case "queueing":
			k.risk.wait = false
		case "user":
			k.users.status = value
		case "user-service-away":
			k.users.err, k.users.onError = errors.New("away"), value
		case "locked":
			k.lock.locked = true
		case "store-away":
			k.lock.err = fault.New(fault.Unavailable, "lockout_unavailable", "")
		case "provider-gone":
			k.provider.Close()
		default:
			t.Fatalf("given %q", word)
		}
	}
	k.queue = g.provider
	return k
}

func (g *golden) run(t *testing.T, k *kit) (steps, answer string) {
	head, body, _ := strings.Cut(g.request, "\n\n")
	lines := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	body = strings.TrimSuffix(body, "\n")
	if n, ok := strings.CutPrefix(body, "LONG "); ok {
		many, _ := strconv.Atoi(n)
		body = `{"username":"ann","password":"correct-horse","x":"` + strings.Repeat("x", many) + `"}`
	}
	got := k.send(lines[0], body, lines[1:]...)
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", got.status)
	for _, f := range got.header {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	text := got.body
	if len(text) > 4096 {
		text = fmt.Sprintf("%d bytes", len(text))
	}
	fmt.Fprintf(&b, "\n%s\n", text)
	all := strings.Join(k.took(), "\n")
	if all != "" {
		all += "\n"
	}
	clean := strings.NewReplacer(k.provider.URL, "https://tenant").Replace
	return clean(all), clean(b.String())
}

func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 40 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			g := readGolden(t, file)
			steps, answer := g.run(t, g.kit(t))
			if *update {
				raw, _ := os.ReadFile(file)
				input, _, _ := strings.Cut(string(raw), "-- steps --\n")
				if err := os.WriteFile(file, []byte(input+"-- steps --\n"+steps+"-- answer --\n"+answer), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.TrimSpace(g.steps), strings.TrimSpace(steps)); diff != "" {
				t.Errorf("what happened:\n%s", diff)
			}
			if diff := cmp.Diff(strings.TrimSpace(g.answer), strings.TrimSpace(answer)); diff != "" {
				t.Errorf("the answer:\n%s", diff)
			}
		})
	}
}

// A denied request calls nobody, whatever the golden files hold.
func TestWhatIsDeniedReachesNoProvider(t *testing.T) {
	t.Parallel()
	for _, deny := range []struct {
		why string
		set func(k *kit)
	}{
		{"lock-out", func(k *kit) { k.lock.locked = true }},
		{"risk", func(k *kit) { k.risk.action = castle.Deny }},
		{"a word of risk that nobody knows", func(k *kit) { k.risk.action = "maybe" }},
		{"risk that cannot be asked", func(k *kit) { k.risk.err = fault.New(fault.Unavailable, "risk_unavailable", "") }},
	} {
		for _, way := range waysIn() {
			if way.where != "gate" {
				continue
			}
			if way.unscored && deny.why != "lock-out" {
				continue
			}
			t.Run(deny.why+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				k := newKit(t, setting{db: way.db(t)})
				line := way.prepare(k)
				deny.set(k)
				k.took()
				got := k.send(line, way.body, way.fields...)
				if got.status < 400 {
					t.Errorf("%d %s", got.status, got.body)
				}
				for _, s := range k.took() {
					if strings.HasPrefix(s, "provider") || strings.HasPrefix(s, "users") {
						t.Errorf("%s was called", s)
					}
				}
			})
		}
	}
}
