package flows

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/peer"
)

// verdict is what two independent verifiers of Access tokens made of a request.
type verdict struct{ Hono, Plugin bool }

// verifiers starts them. The process ends when its standard input does.
func verifiers(t *testing.T, a *standin.Access, aud string) func(headers map[string]string) verdict {
	t.Helper()
	dir := peer.Node(t, "hono", "@hono/cloudflare-access", "@cloudflare/pages-plugin-cloudflare-access")
	name, _, _ := strings.Cut(team, ".")
	cmd := exec.CommandContext(t.Context(), "node", "access.mjs", string(encode(map[string]string{"team": name, "aud": aud, "certs": a.CertsURL()})))
	cmd.Dir = dir
	var complaints strings.Builder
	cmd.Stderr = &complaints
	in, out := must(cmd.StdinPipe()), must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	answers := bufio.NewReader(out)
	return func(headers map[string]string) (v verdict) {
		t.Helper()
		if _, err := in.Write(append(encode(headers), '\n')); err != nil {
			t.Fatal(err)
		}
		line, err := answers.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, &v)
		}
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if err == io.EOF {
			t.Fatalf("the verifiers are gone:\n%s", complaints.String())
		}
		return v
	}
}

// The same tokens get the same verdict from Portreeve and from two verifiers
// that Cloudflare's users run. Where Portreeve alone refuses, the table says
// why; it never accepts what one of them refuses, but for tokens by elliptic
// curves and within the leeway, which they do not know.
func TestOtherVerifiersOfAccessTokensAgree(t *testing.T) {
	t.Parallel()
	e, a := accessEdge(t)
	ask := verifiers(t, a, "app-a")
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	person := func(claims map[string]any) string { return must(a.Mint("carol@example.com", claims)) }
	good := person(nil)
	claims := claimsOf(t, good)
	stranger := accessTeam(t, standin.AccessOptions{Audience: "app-a"})
	dot := strings.LastIndexByte(good, '.')
	for _, c := range []struct {
		name, token string
		in          bool
		looser      verdict // who takes it although Portreeve does not
		why         string
	}{
		{name: "a person", token: good, in: true},
		{name: "a program", token: must(a.MintService("deploy.access")), in: true},
		{name: "for two applications", token: person(map[string]any{"aud": []string{"other", "app-a"}}), in: true},
		{name: "for one, as a string", token: person(map[string]any{"aud": "app-a"}), in: true},
		{name: "without a type", token: person(map[string]any{"type": nil}), in: true},
		{name: "with claims of the team's own", token: person(map[string]any{"custom": map[string]any{"team": "blue"}, "groups": []string{"ops"}}), in: true},
		{name: "for another application", token: person(map[string]any{"aud": "app-b"})},
		{name: "for none", token: person(map[string]any{"aud": []string{}})},
		{name: "of another team", token: person(map[string]any{"iss": "https://evil.cloudflareaccess.com"})},
		{name: "expired", token: person(map[string]any{"exp": at(-10 * time.Minute)})},
		{name: "not yet valid", token: person(map[string]any{"nbf": at(10 * time.Minute)})},
		{name: "by a stranger's key", token: must(stranger.Mint("carol@example.com", nil))},
		{name: "signature changed", token: changed(good)},
		{name: "signature missing", token: good[:dot+1]},
		{name: "signature cut", token: good[:len(good)-4]},
		{name: "payload changed", token: good[:dot-4] + "AAAA" + good[dot:]},
		{name: "unsigned", token: unsigned(claims)},
		{name: "with a shared secret", token: must(shared(strings.Repeat("x", 32)).Sign("JWT", claims))},
		{name: "two parts", token: good[:dot]},
		{name: "four parts", token: good + ".e30"},
		{name: "no token", token: "hello"},
		{name: "audience beginning with ours", token: person(map[string]any{"aud": "app-a-and-more"}), looser: verdict{Plugin: true}, why: "it looks for a part of the string"},
		{name: "without audience", token: person(map[string]any{"aud": nil}), looser: verdict{Plugin: true}, why: "what is absent is not checked"},
		{name: "without issuer", token: person(map[string]any{"iss": nil}), looser: verdict{Plugin: true}, why: "what is absent is not checked"},
		{name: "without end", token: person(map[string]any{"exp": nil}), looser: verdict{Plugin: true}, why: "what is absent is not checked"},
		{name: "of the organisation", token: person(map[string]any{"type": "org"}), looser: verdict{true, true}, why: "the type is not looked at"},
		{name: "lasting for years", token: person(map[string]any{"exp": at(3 * 365 * 24 * time.Hour)}), looser: verdict{true, true}, why: "no bound"},
		{name: "of nobody", token: person(map[string]any{"sub": "", "email": nil}), looser: verdict{true, true}, why: "who it is is not looked at"},
		{name: "issued tomorrow", token: person(map[string]any{"iat": at(24 * time.Hour)}), looser: verdict{true, true}, why: "iat is not looked at"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := verdict{c.in || c.looser.Hono, c.in || c.looser.Plugin}
			if v := ask(map[string]string{"Cf-Access-Jwt-Assertion": c.token}); v != want {
				t.Errorf("they say %+v, expected %+v", v, want)
			}
			if ans := e.ask(t, "GET", "/team", siteA, assertion(c.token)); (ans.Status == 200) != c.in {
				t.Errorf("Portreeve answers %d: %s", ans.Status, ans.Header.Get("WWW-Authenticate"))
			}
		})
	}
	t.Run("by cookie", func(t *testing.T) { // which the plugin does not read
		if v := ask(map[string]string{"Cookie": "a=b; CF_Authorization=" + good}); !v.Hono {
			t.Errorf("they say %+v", v)
		}
		arrived(t, e.ask(t, "GET", "/team", siteA, cookie(good)))
	})
	t.Run("the header wins", func(t *testing.T) {
		if v := ask(map[string]string{"Cf-Access-Jwt-Assertion": changed(good), "Cookie": "CF_Authorization=" + good}); v.Hono {
			t.Errorf("they say %+v", v)
		}
		refused(t, e.ask(t, "GET", "/team", siteA, cookie(good), assertion(changed(good))), "bad signature", good)
	})
}
