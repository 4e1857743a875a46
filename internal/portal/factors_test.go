package portal_test

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/app"
)

// appCode is what an authenticator app shows that many half minutes from now.
func appCode(t *testing.T, secret string, steps int) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha1.New, key)
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/30+int64(steps))))
	sum := m.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:])&0x7fffffff%1_000_000)
}

var (
	shownSecret = regexp.MustCompile(`name="secret" value="([A-Z2-7]{32})"`)
	shownCode   = regexp.MustCompile(`<li><code>([0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4})</code></li>`)
)

// confirm fills in the form that a page with a new secret has.
func (p *page) confirm(code string) *page {
	p.r.h.t.Helper()
	fields := []string{"step", "confirm", "code", code}
	for _, name := range []string{"secret", "link", "qr"} {
		m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(p.body)
		if m == nil {
			p.r.h.t.Fatalf("no %s on the page:\n%s", name, p.words())
		}
		fields = append(fields, name, html.UnescapeString(m[1]))
	}
	return p.post("/factors/app", fields...)
}

// enrol sets up an app by the pages, and returns its secret and the backup codes.
func (r *reader) enrol(t *testing.T) (secret string, codes []string) {
	t.Helper()
	p := r.post("/factors/app").is(200)
	secret = shownSecret.FindStringSubmatch(p.body)[1]
	p = p.confirm(appCode(t, secret, 0)).is(200)
	for _, m := range shownCode.FindAllStringSubmatch(p.body, -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != 10 {
		t.Fatalf("%d backup codes:\n%s", len(codes), p.words())
	}
	return secret, codes
}

func TestSettingUpAnApp(t *testing.T) {
	t.Parallel()
	h := open(t)
	for name, r := range map[string]*reader{"a session": h.signedIn(), "a token": h.as("ann@example.com", "viewer")} {
		r.see("/factors").says("You have none yet", "Set up an app", "No passkeys yet").hides("Turn second factors off")
		p := r.see("/factors/app").post("/factors/app").is(200)
		m := shownSecret.FindStringSubmatch(p.body)
		if m == nil {
			t.Fatalf("%s: no secret:\n%s", name, p.words())
		}
		p.holds(`src="data:image/png;base64,`, `href="otpauth://totp/`, `data-copy="`+m[1]+`"`).says(m[1][:4] + " " + m[1][4:8])
		// A wrong code: the page stays as it was.
		wrong := p.confirm("000000").is(422).says("This code is wrong", m[1][:4]+" "+m[1][4:8]).holds(`src="data:image/png;base64,`, `aria-describedby="code-hint code-issue"`)
		done := wrong.confirm(appCode(t, m[1], 0)[:3]+" "+appCode(t, m[1], 0)[3:]).is(200).says("Your authenticator app is on", "Keep them now").hides(m[1])
		codes := shownCode.FindAllStringSubmatch(done.body, -1)
		if len(codes) != 10 {
			t.Fatalf("%s: %d codes", name, len(codes))
		}
		for _, page := range []string{"/factors", "/factors/codes"} {
			r.see(page).says("10 codes").hides(codes[0][1], m[1])
		}
		again := r.see("/factors/codes").says("Did you miss them?").post("/factors/codes/show").is(200).holds(codes[0][1], codes[9][1])
		again.r.see("/factors/codes").hides("Did you miss them?")
		r.see("/factors/app").says("An app is on already").hides(`name="once"`)
	}
}

// What a page shows again is what it showed before, and nothing that somebody put
// into its form.
func TestOnlyItsOwnSecretIsShownAgain(t *testing.T) {
	t.Parallel()
	ann := open(t).as("ann@example.com", "viewer")
	p := ann.post("/factors/app").is(200)
	for _, c := range []struct{ secret, link, qr string }{
		{"MFRGGZDFMZTWQ2LK", "javascript:alert(1)", "data:image/png;base64,AAAA"},
		{"MFRGGZDFMZTWQ2LK", "otpauth://totp/x?secret=A", "https://evil.example/x.png"},
		{"MFRGGZDFMZTWQ2LK", "otpauth://totp/x?secret=A", "data:text/html;base64,AAAA"},
		{hostileMarkup, "otpauth://totp/x?secret=A", "data:image/png;base64,AAAA"},
	} {
		p = p.post("/factors/app", "step", "confirm", "code", "000000", "secret", c.secret, "link", c.link, "qr", c.qr)
		if p.status == 429 { // five wrong ones are enough
			break
		}
		p.is(422).inert("").hides("javascript:", "evil.example", "data:text", `class="qr"`)
	}
}

func TestAFirstFactorTakesARecentSignIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	token, err := app.Token(h.source(), app.TokenRequest{Subject: "old@example.com", Email: "old@example.com", Roles: []string{"viewer"}, Expires: time.Hour, Now: time.Now().Add(-20 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	old := h.nobody()
	old.fields.Set("Authorization", "Bearer "+token)
	p := old.post("/factors/app").is(403).says("Sign in again", "more than ten minutes ago", "Have whatever signed you in do so anew").hides("otpauth:")
	if p.header.Get("X-Portreeve-Decision") == "" {
		t.Error("the refusal has no decision id")
	}
	h.signedIn().see("/factors/again").says("one-time link").holds(`action="/.portreeve/logout?stay=true"`)
}

// Whoever has a factor shows it for every change: by a code in the form, for
// people with a session and for those without.
func TestChangesTakeAFactor(t *testing.T) {
	t.Parallel()
	h := open(t)
	for name, r := range map[string]*reader{"a session": h.signedIn(), "a token": h.as("ann@example.com", "viewer")} {
		func() {
			secret, codes := r.enrol(t)
			asked := r.post("/factors/codes").is(422).says("Your second factor is needed for this").holds(`name="mfaCode"`).hides(`data-passkey="submit"`)
			wrong := asked.post("/factors/codes", "mfaCode", "000000").is(422).says("This code is wrong").hides("000000")
			made := wrong.post("/factors/codes", "mfaCode", appCode(t, secret, 1)).is(200).says("Keep them now")
			fresh := shownCode.FindAllStringSubmatch(made.body, -1)
			if len(fresh) != 10 || strings.Contains(made.body, codes[0]) {
				t.Fatalf("%d codes:\n%s", len(fresh), made.words())
			}
			if _, has := r.cookies["__Host-portreeve-mfa"]; has != (name == "a session") {
				t.Errorf("the cookie of a step-up: %v", has)
			}
			off := r.see("/factors/off").says("removes your authenticator app").post("/factors/off")
			if name == "a token" { // nothing remembers what it showed
				off = off.is(422).says("Your second factor is needed").post("/factors/off", "mfaCode", codes[1])
				off = off.is(422).says("This code is wrong").post("/factors/off", "mfaCode", strings.ToUpper(fresh[3][1]))
			}
			off.follow().says("Second factors are off", "You have none yet")
		}()
	}
}

func TestALockIsToldInWords(t *testing.T) {
	t.Parallel()
	ann := open(t).as("ann@example.com", "viewer")
	secret, codes := ann.enrol(t)
	p := ann.post("/factors/off").is(422)
	for range 5 {
		p = p.post("/factors/off", "mfaCode", "000000")
	}
	p.is(422)
	ann.see("/factors").says("too many wrong codes", "another 15 minutes")
	for _, code := range []string{appCode(t, secret, 1), codes[0]} {
		p.post("/factors/off", "mfaCode", code).is(429).says("Try again in 15 minutes").hides(code)
		p = ann.post("/factors/off").is(422)
	}
	ann.see("/factors").says("Turn second factors off")
}

func TestAPasskeyThatIsNobodys(t *testing.T) {
	t.Parallel()
	ann := open(t).as("ann@example.com", "viewer")
	for _, id := range []string{"pk_none", "%2e%2e", "x%2Fy", url.PathEscape(hostileRTL)} {
		if p := ann.get("/factors/passkeys/" + id); p.status != 404 && p.status != 400 {
			t.Errorf("%s: %d", id, p.status)
		}
	}
	ann.see("/factors/passkey").says("Add a passkey").holds(`<form class="form" data-passkey="register" hidden>`, "passkey.js", "<noscript>")
}
