package pages

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/request"
)

func made(t *testing.T) *Pages {
	t.Helper()
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPagesSayWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	p := made(t)
	for name, tt := range map[string]struct {
		reply    request.Reply
		status   int
		has, not []string
	}{
		"chooser": {p.SignIn(SignIn{Host: "app.example.com", Choices: []Link{{"Entra", "/.portreeve/login/entra?return=%2Fa"}}}), 200,
			[]string{"<title>Sign in · app.example.com</title>", `href="/.portreeve/login/entra?return=%2Fa"`, "Continue with Entra", "app.example.com"}, []string{"<script"}},
		"nobody": {p.SignIn(SignIn{Host: "app.example.com"}), 200, []string{"no sign-in provider is set up"}, []string{"Continue"}},
		"refusal": {p.Refusal(Refusal{Host: "h", Status: 403, Heading: "Not for this account", Text: "Your account may not.", Reason: "Second factor required", Decision: "d3c1", Request: "r1", SignOut: "/.portreeve/logout"}), 403,
			[]string{"d3c1", "Not for this account", "Second factor required", `action="/.portreeve/logout"`, `method="post"`, `class="stopped"`}, []string{"<script"}},
		"mfa": {p.MFA(MFA{Host: "h", Return: "/a?b=c", Action: "/.portreeve/mfa", Script: "/.portreeve/mfa.js", Enrolled: true, Code: true, Passkey: true, Problem: "Invalid code"}), 400,
			[]string{`value="/a?b=c"`, `autocomplete="one-time-code"`, `src="/.portreeve/mfa.js"`, "Invalid code", "Use your passkey"}, nil},
		"mfa of a passkey alone":            {p.MFA(MFA{Host: "h", Action: "/.portreeve/mfa", Enrolled: true, Passkey: true, BackupOnly: true}), 200, []string{"Use your passkey", "autofocus"}, []string{"<form", ">or<"}},
		"mfa of a passkey and backup codes": {p.MFA(MFA{Host: "h", Action: "/.portreeve/mfa", Enrolled: true, Passkey: true, Code: true, BackupOnly: true}), 200, []string{"Backup code", ">or<"}, []string{"six digits"}},
		"mfa none":                          {p.MFA(MFA{Host: "h"}), 200, []string{"has none yet"}, []string{"<form", "<script"}},
		"confirm":                           {p.Confirm(Confirm{Host: "h", Heading: "Sign in by this link", Action: "/.portreeve/link/x", Button: "Sign in"}), 200, []string{`action="/.portreeve/link/x"`, ">Sign in</button>"}, []string{"<script"}},
		"onward":                            {p.Onward(Onward{Host: "h", Heading: "Thank you", To: "/a?b=c"}), 200, []string{`href="/a?b=c"`}, []string{"<script"}},
		"signed out":                        {p.SignedOut(SignedOut{Host: "h", Again: &Link{"Sign out there", "/x"}, Also: &Link{"Sign in again", "/"}}), 200, []string{"You are signed out", "Sign out there", "Sign in again"}, nil},
	} {
		body := string(tt.reply.Body)
		if tt.reply.Status != tt.status {
			t.Errorf("%s: status %d, want %d", name, tt.reply.Status, tt.status)
		}
		for _, s := range tt.has {
			if !strings.Contains(body, s) {
				t.Errorf("%s: no %s in\n%s", name, s, body)
			}
		}
		for _, s := range tt.not {
			if strings.Contains(body, s) {
				t.Errorf("%s: %s in\n%s", name, s, body)
			}
		}
		if csp := tt.reply.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", name, csp)
		}
		if tt.reply.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached", name)
		}
	}
}

func TestWhatStrangersWriteIsInert(t *testing.T) {
	t.Parallel()
	p, evil := made(t), `"><script>alert(1)</script><a href="javascript:alert(1)">`
	for name, reply := range map[string]request.Reply{
		"chooser":    p.SignIn(SignIn{Host: evil, Lead: evil, Choices: []Link{{evil, "javascript:alert(1)"}}}),
		"refusal":    p.Refusal(Refusal{Host: evil, Status: 403, Heading: evil, Text: evil, Decision: evil, Request: evil, Again: &Link{evil, "javascript:alert(1)"}, SignOut: "javascript:alert(1)"}),
		"mfa":        p.MFA(MFA{Host: evil, Return: evil, Action: "javascript:alert(1)", Enrolled: true, Code: true, Passkey: true, Problem: evil}),
		"confirm":    p.Confirm(Confirm{Host: evil, Heading: evil, Text: evil, Action: "javascript:alert(1)", Button: evil}),
		"signed out": p.SignedOut(SignedOut{Host: evil, Text: evil, Again: &Link{evil, "javascript:alert(1)"}}),
	} {
		body := string(reply.Body)
		for _, s := range []string{"<script>alert", `="javascript:`, `<a href="javascript`} {
			if strings.Contains(body, s) {
				t.Errorf("%s: %s stands in\n%s", name, s, body)
			}
		}
	}
}

func TestTheStylesheetIsKeptByItsDigest(t *testing.T) {
	t.Parallel()
	p := made(t)
	r := p.Style()
	if !strings.Contains(r.Header.Get("Cache-Control"), "immutable") || len(r.Body) == 0 || len(r.Body) > 12<<10 {
		t.Errorf("%d bytes, %s", len(r.Body), r.Header.Get("Cache-Control"))
	}
	if !strings.HasPrefix(p.StyleHref(), StylePath+"?v=") {
		t.Error(p.StyleHref())
	}
	if page := p.SignIn(SignIn{}); !strings.Contains(string(page.Body), p.StyleHref()) || len(page.Body) > 60<<10 {
		t.Error("the page does not name the stylesheet")
	}
}
