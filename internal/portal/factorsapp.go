package portal

import (
	"html/template"
	"regexp"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// appPage is the page on which an authenticator app is set up: first a button,
// then the secret with a field for the code that proves that the app has it.
type appPage struct {
	factorState
	Setup *appSetup
}

// appSetup is a secret as POST /mfa/setup made it. It is shown this once; a page
// that is shown again for a wrong code has it from its own form.
type appSetup struct {
	Secret     string
	OtpauthURL string
	QR         string
}

// What the form of the page brings back has to be what the page put there: links
// and pictures of another kind are none of ours.
var (
	secretShape = regexp.MustCompile(`^[A-Z2-7]{16,128}$`)
	linkShape   = regexp.MustCompile(`^otpauth://totp/[A-Za-z0-9%:._~+@-]+\?[A-Za-z0-9%=&._~+@-]+$`)
	qrShape     = regexp.MustCompile(`^data:image/png;base64,[A-Za-z0-9+/]+={0,2}$`)
)

const largestQR = 20 << 10

// Link is the secret's link as an address that a page may lead to.
func (a appSetup) Link() template.URL { return template.URL(a.OtpauthURL) } //nolint:gosec // of linkShape

// Picture is the QR code as an address that a page may show.
func (a appSetup) Picture() template.URL { return template.URL(a.QR) } //nolint:gosec // of qrShape

// Spaced is the secret in groups of four, as people type it.
func (a appSetup) Spaced() string {
	var b strings.Builder
	for i, r := range a.Secret {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// ok reports whether all of it is of its kind.
func (a appSetup) ok() bool {
	return secretShape.MatchString(a.Secret) && len(a.OtpauthURL) <= 1000 && linkShape.MatchString(a.OtpauthURL) && len(a.QR) <= largestQR && qrShape.MatchString(a.QR)
}

func newApp(v *visit) (request.Reply, error) { return v.appPage(200, nil, nil) }

func (v *visit) appPage(status int, f *form, made *appSetup) (request.Reply, error) {
	p := appPage{Setup: made}
	if err := v.ask("GET", "/mfa", nil, &p.factorState); err != nil {
		return request.Reply{}, err
	}
	return v.formPage(status, f, "factors-app", "Set up an authenticator app", p)
}

// setUpApp makes the secret, and then, with a code of it, turns the app on.
func setUpApp(v *visit, f *form) (request.Reply, error) {
	if f.get("step") == "confirm" {
		return confirmApp(v, f)
	}
	var made appSetup
	reply, done, err := v.changeFactors(f, "POST", "/mfa/setup", map[string]any{}, &made, func() (request.Reply, error) { return v.appPage(422, f, nil) })
	if !done {
		return reply, err
	}
	if !made.ok() {
		made.OtpauthURL, made.QR = "", ""
	}
	return v.appPage(200, nil, &made)
}

func confirmApp(v *visit, f *form) (request.Reply, error) {
	was := &appSetup{Secret: f.get("secret"), OtpauthURL: f.get("link"), QR: f.get("qr")}
	if !was.ok() {
		was = nil
	}
	again := func() (request.Reply, error) { return v.appPage(422, f, was) }
	code := strings.ReplaceAll(f.get("code"), " ", "")
	if code == "" {
		f.wrong("code", "is needed: six digits that the app shows")
		return again()
	}
	f.values.Del("code")
	var made struct{ BackupCodes []string }
	reply, done, err := v.changeFactors(f, "POST", "/mfa/enable", map[string]string{"code": code}, &made, again)
	if !done {
		return reply, err
	}
	return v.codesPage("Your authenticator app is on", made.BackupCodes, true)
}
