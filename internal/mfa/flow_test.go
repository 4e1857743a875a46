package mfa

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// The flow of the older documents: setup, scan, verify, enable.
func TestTheDocumentedFlow(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna := r.anna()
		call(t, r.Service, anna, "GET", "/mfa", "").is(t, 200, `{"enabled":false,"factors":[],"passkeys":[]}`)
		call(t, r.Service, anna, "POST", "/mfa/enable", "").is(t, 400, `{"error":"Bad Request","message":"No authenticator app is being set up: POST /mfa/setup first"}`)
		call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"123456"}`).is(t, 400, `{"error":"Bad Request","message":"No second factor is enabled"}`)

		made := call(t, r.Service, anna, "POST", "/mfa/setup", `{}`).is(t, 200, "")
		secret := made.text(t, "secret")
		if len(secret) != 32 || len(made.json(t)) != 3 || !strings.HasPrefix(made.text(t, "otpauthUrl"), "otpauth://totp/Example:anna%40example.com?secret="+secret+"&issuer=Example") {
			t.Errorf("%s", made.body)
		}
		data, ok := strings.CutPrefix(made.text(t, "qr"), "data:image/png;base64,")
		raw, err := base64.StdEncoding.DecodeString(data)
		if img, err2 := png.Decode(bytes.NewReader(raw)); !ok || err != nil || err2 != nil || img.Bounds().Dx() < 100 {
			t.Errorf("the QR code is no picture: %v %v", err, err2)
		}
		if want, there := oathtool(t, "--totp", "-b", secret, "-N", "@"+fmt.Sprint(r.clock.now().Unix())); there && want != r.code(t, secret) {
			t.Errorf("oathtool shows %s", want)
		}

		call(t, r.Service, anna, "POST", "/mfa/enable", "").is(t, 400, `{"error":"Bad Request","message":"Verify a code first, or send one"}`)
		call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"000000"}`).is(t, 400, `{"error":"Bad Request","message":"Invalid code"}`)
		call(t, r.Service, anna, "POST", "/mfa/verify", `{}`).is(t, 400, `{"error":"Bad Request","message":"Validation failed","details":[{"field":"code","issue":"is required"}]}`)
		call(t, r.second, anna, "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, `{"verified":true}`)
		call(t, r.Service, anna, "GET", "/mfa", "").is(t, 200, `{"enabled":false,"factors":[],"passkeys":[]}`)
		on := call(t, r.Service, anna, "POST", "/mfa/enable", "").is(t, 200, "")
		codes, _ := on.json(t)["backupCodes"].([]any)
		if on.json(t)["enabled"] != true || len(codes) != 10 || len(on.json(t)) != 2 {
			t.Errorf("%s", on.body)
		}
		call(t, r.Service, anna, "GET", "/mfa", "").is(t, 200, `{"enabled":true,"factors":["totp"],"passkeys":[]}`)
		call(t, r.Service, anna, "POST", "/mfa/setup", "").is(t, 409, `{"error":"Conflict","message":"An authenticator app is enabled; disable it first"}`)
		call(t, r.Service, anna, "POST", "/mfa/enable", "").is(t, 409, "")

		// The codes are shown once more, and only once, and not to a page elsewhere.
		call(t, r.Service, anna, "GET", "/mfa/backup-codes", "", "Sec-Fetch-Site", "cross-site").is(t, 200, `{"remaining":10}`)
		call(t, r.second, anna, "GET", "/mfa/backup-codes?codes=false", "").is(t, 200, `{"remaining":10,"kept":true}`)
		call(t, r.second, anna, "GET", "/mfa/backup-codes?codes=true", "").is(t, 400, "")
		again := call(t, r.second, anna, "GET", "/mfa/backup-codes", "").is(t, 200, "")
		if shown, _ := again.json(t)["codes"].([]any); !slices.Equal(shown, codes) || again.json(t)["remaining"] != 10.0 {
			t.Errorf("%s", again.body)
		}
		call(t, r.Service, anna, "GET", "/mfa/backup-codes", "").is(t, 200, `{"remaining":10}`)
		call(t, r.Service, anna, "GET", "/mfa/backup-codes?codes=false", "").is(t, 200, `{"remaining":10}`)

		r.clock.add(period)
		up := call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, "")
		token := up.text(t, "stepUpToken")
		if up.json(t)["verified"] != true || up.json(t)["expiresIn"] != 600.0 || len(up.json(t)) != 3 || up.header.Has("Set-Cookie") {
			t.Errorf("%s %v", up.body, up.header)
		}
		if !r.counts(t, anna, token) {
			t.Error("the step-up does not count")
		}
		one := codes[0].(string)
		call(t, r.second, anna, "POST", "/mfa/verify", `{"code":"`+strings.ToUpper(one)+`"}`).is(t, 200, "").text(t, "stepUpToken")
		call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+one+`"}`).is(t, 400, `{"error":"Bad Request","message":"Invalid code"}`)
		call(t, r.Service, anna, "GET", "/mfa/backup-codes", "").is(t, 200, `{"remaining":9}`)

		r.clock.add(period)
		fresh := call(t, r.Service, anna, "POST", "/mfa/backup-codes", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, "")
		if list, _ := fresh.json(t)["codes"].([]any); len(list) != 10 || fresh.json(t)["remaining"] != 10.0 || slices.Contains(list, codes[1]) {
			t.Errorf("%s", fresh.body)
		}
		call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+codes[1].(string)+`"}`).is(t, 400, "")

		call(t, r.Service, anna, "POST", "/mfa/disable", "").is(t, 400, `{"error":"Bad Request","message":"Validation failed","details":[{"field":"code","issue":"is required"}]}`)
		call(t, r.Service, anna, "POST", "/mfa/disable", `{"code":"000000"}`).is(t, 400, `{"error":"Bad Request","message":"Invalid code"}`)
		r.clock.add(period)
		call(t, r.Service, anna, "POST", "/mfa/disable", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, `{"enabled":false}`)
		call(t, r.Service, anna, "GET", "/mfa", "").is(t, 200, `{"enabled":false,"factors":[],"passkeys":[]}`)
		call(t, r.Service, anna, "GET", "/mfa/backup-codes", "").is(t, 200, `{"remaining":0}`)
		if r.counts(t, anna, token) {
			t.Error("a step-up outlives its factor")
		}
		want := []string{"mfa.setup", "mfa.enabled", "mfa.backup_codes", "stepup.granted", "mfa.backup_used", "stepup.granted", "mfa.backup_codes", "mfa.disabled"}
		if got := slices.DeleteFunc(r.events(t, "a"), func(s string) bool { return strings.HasPrefix(s, "tenant.") }); !slices.Equal(got, want) {
			t.Errorf("the trail: %v", got)
		}
		for _, s := range []string{secret, one, token} {
			if strings.Contains(r.log.String(), s) {
				t.Error("the log tells a secret")
			}
		}
	})
}

func TestBackupCodesAreNotShownLater(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	r.enrolled(t, r.anna())
	r.clock.add(10 * time.Minute)
	call(t, r.Service, r.anna(), "GET", "/mfa/backup-codes", "").is(t, 200, `{"remaining":10}`)
}

// Somebody with an older token of the person's does not get the second factor out
// of its being turned on: nor does a session that began before.
func TestBackupCodesAreNotShownToAnotherCredential(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		old := r.anna()
		r.clock.add(5 * time.Minute)
		anna := r.anna()
		secret, codes := r.enrolled(t, anna)
		call(t, r.Service, old, "GET", "/mfa/backup-codes?codes=false", "").is(t, 200, `{"remaining":10}`)
		call(t, r.Service, old, "GET", "/mfa/backup-codes", "").is(t, 200, `{"remaining":10}`)
		call(t, r.second, old.session("s1"), "GET", "/mfa/backup-codes", "").is(t, 200, `{"remaining":10}`)
		call(t, r.Service, old, "GET", "/mfa/backup-codes", "", "X-Portreeve-MFA", r.token(t, anna, secret)).is(t, 200, `{"remaining":10}`)
		shown := call(t, r.Service, old, "GET", "/mfa/backup-codes", "", "X-Portreeve-MFA", r.token(t, old, secret)).is(t, 200, "")
		if list, _ := shown.json(t)["codes"].([]any); len(list) != 10 || list[0] != codes[0] {
			t.Errorf("with a step-up of its own: %s", shown.body)
		}
		call(t, r.Service, anna, "GET", "/mfa/backup-codes", "").is(t, 200, `{"remaining":10}`)
	})
}

func TestTheFirstFactorNeedsARecentSignIn(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	now := r.clock.now()
	at := func(auth, issued time.Duration) caller {
		return r.anna().with(func(p *principal.Principal) {
			p.AuthTime, p.IssuedAt = time.Time{}, time.Time{}
			if auth != 0 {
				p.AuthTime = now.Add(auth)
			}
			if issued != 0 {
				p.IssuedAt = now.Add(issued)
			}
		})
	}
	silent := func(p *principal.Principal) { p.Anew = false }
	const again = `{"error":"Forbidden","message":"Sign in again: the first second factor needs a sign-in of the last ten minutes, at which you were asked who you are"}`
	for name, tt := range map[string]struct {
		c      caller
		status int
	}{
		"auth_time":                  {at(-9*time.Minute, -time.Hour), 200},
		"auth_time too old, new iat": {at(-11*time.Minute, -time.Second), 403},
		"iat":                        {at(0, -9*time.Minute), 200},
		"iat too old":                {at(0, -11*time.Minute), 403},
		"neither":                    {at(0, 0), 403},
		"in the future":              {at(2*time.Minute, 0), 403},

		// What began a minute ago need not have been a sign-in of somebody who was there.
		"a session, let in silently":    {at(0, -time.Minute).session("s1").with(silent), 403},
		"a session, asked anew":         {at(0, -time.Minute).session("s1"), 200},
		"a session, asked anew, longer": {at(0, -11*time.Minute).session("s1"), 403},
		"a session, auth_time":          {at(-time.Minute, -time.Minute).session("s1").with(silent), 200},
		"a session, asked, and was not": {at(-time.Hour, -time.Minute).session("s1"), 403},
	} {
		body := ""
		if tt.status == 403 {
			body = again
		}
		if a := call(t, r.Service, tt.c, "POST", "/mfa/setup", ""); a.status != tt.status || body != "" && strings.TrimSpace(a.body) != body {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if a := call(t, r.Service, tt.c, "POST", "/mfa/passkeys/register/begin", ""); a.status != tt.status {
			t.Errorf("%s, a passkey: %d %s", name, a.status, a.body)
		}
	}
	// A thief's old token cannot finish what somebody else began.
	secret := call(t, r.Service, r.anna(), "POST", "/mfa/setup", "").is(t, 200, "").text(t, "secret")
	call(t, r.Service, r.anna(), "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, "")
	call(t, r.Service, at(0, -time.Hour), "POST", "/mfa/enable", "").is(t, 403, again)
	call(t, r.Service, r.anna(), "POST", "/mfa/enable", "").is(t, 200, "")
}

func TestOnlyPeopleHaveFactors(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna := r.anna()
	noTenant, other := anna, anna
	noTenant.tenant = ""
	other.acting = "b"
	for name, c := range map[string]caller{
		"a key":                anna.with(func(p *principal.Principal) { p.Kind, p.ProviderKind = principal.Service, "apiKey" }),
		"a key, called user":   anna.with(func(p *principal.Principal) { p.ProviderKind = "apiKey" }),
		"a machine":            anna.with(func(p *principal.Principal) { p.Kind, p.ProviderKind = principal.Machine, "machine" }),
		"a service":            anna.with(func(p *principal.Principal) { p.Kind = principal.Service; p.CommonName = "x" }),
		"nobody in particular": anna.with(func(p *principal.Principal) { p.Subject = "" }),
		"no tenant":            noTenant,
		"another tenant":       other,
	} {
		for _, route := range r.Routes(nil) {
			if route.Anonymous {
				continue
			}
			if a := call(t, r.Service, c, route.Method, strings.ReplaceAll(route.Path, ":id", "x"), `{"code":"123456"}`); a.status != 403 {
				t.Errorf("%s, %s %s: %d %s", name, route.Method, route.Path, a.status, a.body)
			}
		}
	}
}

// P5: however somebody calls, it is one person; and nobody else is.
func TestWhoIsOnePerson(t *testing.T) {
	t.Parallel()
	base := principal.Principal{Kind: principal.User, Provider: "entra", ProviderKind: "oidc", Issuer: "https://i", Subject: "s"}
	id := func(f func(p *principal.Principal)) string {
		p := base
		f(&p)
		id, ok := idOf(&p)
		if !ok {
			t.Fatalf("%+v is nobody", p)
		}
		return id
	}
	me := id(func(*principal.Principal) {})
	for name, f := range map[string]func(p *principal.Principal){
		"a session":      func(p *principal.Principal) { p.ProviderKind, p.SessionID = "session", "s1" },
		"another e-mail": func(p *principal.Principal) { p.Email, p.EmailVerified = "x@example.com", true },
		"another token":  func(p *principal.Principal) { p.IssuedAt = time.Now() },
	} {
		if id(f) != me {
			t.Errorf("%s makes somebody else", name)
		}
	}
	free := func(p *principal.Principal) { p.IssuerFree = true }
	if id(free) != id(func(p *principal.Principal) { free(p); p.Issuer = "other" }) {
		t.Error("an issuer counts where none is configured")
	}
	for name, f := range map[string]func(p *principal.Principal){
		"subject": func(p *principal.Principal) { p.Subject = "S" }, "issuer": func(p *principal.Principal) { p.Issuer = "https://j" },
		"provider": func(p *principal.Principal) { p.Provider = "x" }, "shifted": func(p *principal.Principal) { p.Issuer, p.Subject = "https://is", ""+"s"[:0]+"s" },
	} {
		if id(f) == me {
			t.Errorf("another %s is the same person", name)
		}
	}
}
