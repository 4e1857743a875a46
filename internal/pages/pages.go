package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"

	"github.com/portreeve/portreeve/internal/request"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed style.css
var style []byte

// StylePath is where the stylesheet stands on every site that has pages.
const StylePath = "/.portreeve/style.css"

// Pages makes pages. It is immutable.
type Pages struct {
	signIn, refusal, mfa, signedOut, confirm, onward *template.Template
	appLink, appDesktop                              *template.Template
	style                                            string // path and digest
}

// New parses the templates. They are part of the binary, so that an error is a
// mistake of ours.
func New() (*Pages, error) {
	p := &Pages{}
	sum := sha256.Sum256(style)
	p.style = StylePath + "?v=" + base64.RawURLEncoding.EncodeToString(sum[:9])
	for name, to := range map[string]**template.Template{
		"signin": &p.signIn, "refusal": &p.refusal, "mfa": &p.mfa, "signedout": &p.signedOut, "confirm": &p.confirm, "onward": &p.onward,
		"applink": &p.appLink, "appdesktop": &p.appDesktop,
	} {
		t, err := template.ParseFS(templates, "templates/frame.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
		*to = t
	}
	return p, nil
}

// frame is what every page has.
type frame struct {
	Title, Host, Style, Script string
	Stopped                    bool
}

// Link is somewhere to go.
type Link struct{ Label, Href string }

// SignIn is the choice of how to sign in.
type SignIn struct {
	Host    string
	Lead    string // where it leads: "to continue to …"
	Choices []Link
}

// SignIn makes the page.
func (p *Pages) SignIn(in SignIn) request.Reply {
	if in.Lead == "" {
		in.Lead = "Choose how you want to sign in."
	}
	return p.page(200, p.signIn, struct {
		frame
		SignIn
		Host string
	}{p.frame("Sign in", in.Host), in, in.Host})
}

// Refusal is an answer that lets somebody in no further.
type Refusal struct {
	Host              string
	Status            int
	Heading, Text     string
	Reason            string // as programs are told, for who asks whoever runs the site
	Decision, Request string
	Again             *Link  // what may help
	SignOut           string // where a form posts to sign out; "" where nobody is signed in
}

// Refusal makes the page.
func (p *Pages) Refusal(in Refusal) request.Reply {
	f := p.frame(in.Heading, in.Host)
	f.Stopped = true
	return p.page(in.Status, p.refusal, struct {
		frame
		Refusal
		Host string
	}{f, in, in.Host})
}

// MFA is the prompt for a second factor.
type MFA struct {
	Host           string
	Return         string // where it leads: a path of this site
	Action         string // where the form posts to
	Script         string // of passkeys
	Enrolled       bool
	Code, Passkey  bool // what can be shown here
	BackupOnly     bool // codes are backup codes: there is no app
	Problem        string
	ProblemsStatus int // with Problem; 400 unless set
}

// MFA makes the page.
func (p *Pages) MFA(in MFA) request.Reply {
	f, status := p.frame("One more step", in.Host), 200
	if in.Passkey {
		f.Script = in.Script
	}
	if in.Problem != "" {
		if status = in.ProblemsStatus; status == 0 {
			status = 400
		}
	}
	return p.page(status, p.mfa, struct {
		frame
		MFA
		Host, Script string
	}{f, in, in.Host, f.Script})
}

// SignedOut says that somebody is signed out.
type SignedOut struct {
	Host, Text  string
	Again, Also *Link // what to do next, and instead
}

// SignedOut makes the page.
func (p *Pages) SignedOut(in SignedOut) request.Reply {
	if in.Text == "" {
		in.Text = "Your session here has ended. On a shared computer, close the browser too."
	}
	return p.page(200, p.signedOut, struct {
		frame
		SignedOut
		Host string
	}{p.frame("Signed out", in.Host), in, in.Host})
}

// Confirm asks for one press of a button, for what following a link must not do by
// itself.
type Confirm struct {
	Host, Heading, Text string
	Action, Button      string // where the form posts to
}

// Confirm makes the page.
func (p *Pages) Confirm(in Confirm) request.Reply {
	return p.page(200, p.confirm, struct {
		frame
		Confirm
		Host string
	}{p.frame(in.Heading, in.Host), in, in.Host})
}

// Style is the stylesheet. Its address has its digest, so that it may be kept.
func (p *Pages) Style() request.Reply {
	return request.Reply{Status: 200, Body: style, Header: request.Header{
		{Name: "Content-Type", Value: "text/css; charset=utf-8"},
		{Name: "Cache-Control", Value: "public, max-age=31536000, immutable"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}}
}

// StyleHref is where pages of others find the stylesheet.
func (p *Pages) StyleHref() string { return p.style }

func (p *Pages) frame(title, host string) frame {
	return frame{Title: title, Host: host, Style: p.style}
}

// page renders a page whole before anything of it is sent.
func (p *Pages) page(status int, t *template.Template, data any) request.Reply {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "frame", data); err != nil {
		return request.Reply{Status: 500, Header: Headers()}
	}
	return request.Reply{Status: status, Body: b.Bytes(), Header: Headers()}
}

// Headers are what every page goes out with. form-action is 'self': a form
// whose answer leads to a provider answers with a page instead of a redirect.
func Headers() request.Header {
	return request.Header{
		{Name: "Content-Type", Value: "text/html; charset=utf-8"},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "Content-Security-Policy", Value: "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
		{Name: "X-Frame-Options", Value: "DENY"},
		{Name: "Referrer-Policy", Value: "no-referrer"},
		{Name: "Cross-Origin-Opener-Policy", Value: "same-origin"},
	}
}
