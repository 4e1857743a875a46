package mfa

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func form(code, back string) string {
	return url.Values{"code": {code}, "return": {back}}.Encode()
}

func TestThePromptTakesACodeAndGoesBack(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna := r.anna().session("s1")
	if a := call(t, r.Service, anna, "GET", PagePath+"?return=%2Fa", "").is(t, 200, ""); !strings.Contains(a.body, "has none yet") {
		t.Errorf("%s", a.body)
	}
	secret, codes := r.enrolled(t, anna)
	a := call(t, r.Service, anna, "GET", PagePath+"?return=%2Fa%3Fb%3D%22c", "").is(t, 200, "")
	for _, s := range []string{`name="code"`, `value="/a?b=&#34;c"`, `action="/.portreeve/mfa"`} {
		if !strings.Contains(a.body, s) {
			t.Errorf("no %s in %s", s, a.body)
		}
	}
	if strings.Contains(a.body, "mfa.js") {
		t.Error("a script where there is no passkey")
	}
	if a := call(t, r.Service, anna, "POST", PagePath, form("000000", "/a")).is(t, 400, ""); !strings.Contains(a.body, "This code is wrong") || !strings.Contains(a.body, `value="/a"`) || a.header.Has("Set-Cookie") {
		t.Errorf("%s", a.body)
	}
	ok := call(t, r.Service, anna, "POST", PagePath, form(r.code(t, secret)[:3]+" "+r.code(t, secret)[3:], "/a?b=1")).is(t, 303, "")
	cookie, _, _ := strings.Cut(strings.TrimPrefix(ok.header.Get("Set-Cookie"), Cookie+"="), ";")
	if ok.header.Get("Location") != "/a?b=1" || !r.counts(t, anna, cookie) {
		t.Errorf("%v", ok.header)
	}
	call(t, r.Service, anna, "POST", PagePath, form(codes[0], "//evil.example")).is(t, 303, "")
	for range 4 {
		call(t, r.Service, anna, "POST", PagePath, form("000000", "/")).is(t, 400, "")
	}
	locked := call(t, r.Service, anna, "POST", PagePath, form("000000", "/")).is(t, 429, "")
	if !strings.Contains(locked.body, "Try again in 15 minutes") || locked.header.Get("Retry-After") == "" {
		t.Errorf("%v %s", locked.header, locked.body)
	}
	call(t, r.Service, r.anna(), "GET", PagePath, "").is(t, 403, "")
	call(t, r.Service, r.anna(), "POST", PagePath, form("000000", "/")).is(t, 403, "")
	for _, body := range []string{"", "code=1&code=2", "code=1&return=a&return=b", "%zz"} {
		call(t, r.Service, anna, "POST", PagePath, body).is(t, 400, "")
	}
}

func TestThePromptOffersAPasskeyOfThisHost(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna := r.anna().session("s1")
	r.register(t, anna, newAuthenticator(t, here), "").is(t, 201, "")
	if a := call(t, r.Service, anna, "GET", PagePath, ""); !strings.Contains(a.body, `src="/.portreeve/mfa.js"`) || strings.Contains(a.body, `name="code"`) {
		t.Errorf("%s", a.body)
	}
	elsewhere := anna
	elsewhere.host = "admin.example.com"
	if a := call(t, r.Service, elsewhere, "GET", PagePath, ""); strings.Contains(a.body, `mfa.js`) || !strings.Contains(a.body, "made at another address") {
		t.Errorf("%s", a.body)
	}
	js := call(t, r.Service, anna, "GET", ScriptPath, "").is(t, 200, "")
	for _, s := range []string{"innerHTML", "eval(", "document.write", "insertAdjacent"} {
		if strings.Contains(js.body, s) {
			t.Errorf("the script writes markup: %s", s)
		}
	}
}

func TestReturnIsAPathOfTheSameSite(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "x", "//evil.example", "///evil.example", `/\evil.example`, `/a\b`, "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example",
		"/.//evil.example", "/a/..//evil.example", "/%2e//evil.example", "/%2E%2e//evil.example", "/" + strings.Repeat("a", 5000), "/a b", "/ä", "/%zz"} {
		if got := safeReturn(s); got != "/" {
			t.Errorf("%q goes to %q", s, got)
		}
	}
	for _, s := range []string{"/", "/a?b=c", "/a/b#c", "/a?next=//x", "/%C3%A4"} {
		if got := safeReturn(s); got != s {
			t.Errorf("%q goes to %q", s, got)
		}
	}
	base, _ := url.Parse("https://app.example.com/.portreeve/mfa")
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[/\\a.%2eE:@?#\t]{0,12}`).Draw(t, "s")
		to, err := base.Parse(safeReturn(s))
		if err != nil || to.Host != base.Host || to.Scheme != "https" || strings.HasPrefix(to.Path, "//") {
			t.Fatalf("%q goes to %v", s, to)
		}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"mfa: {}": "10m0s ", "mfa: false": "off", "mfa: {stepUpFor: 5m, issuer: Acme}": "5m0s Acme",
		"mfa: {stepUpFor: 2d}": "problem", "mfa: {stepUpFor: 0s}": "problem", "mfa: true": "problem", "mfa: {issuer: 'a:b'}": "problem", "a: 1": "problem",
	} {
		var c struct {
			MFA *Config `json:"mfa"`
		}
		d := config.Decode([]byte(src), &c, config.Options{})
		if c.MFA != nil {
			c.MFA.Validate(d.Report("mfa"))
		}
		got := "problem"
		if !d.Failed() {
			got = "off"
			if c.MFA.On() {
				got = c.MFA.Resolve().StepUpFor.String() + " " + c.MFA.Resolve().Issuer
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s %v", src, got, want, d.Problems())
		}
	}
	if (*Config)(nil).On() || (*Config)(nil).Resolve().StepUpFor != standardStepUp {
		t.Error("nothing written")
	}
}
