package mfa

import (
	"context"
	_ "embed" // the script
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

// PagePath is where the prompt stands, ScriptPath its script.
const (
	PagePath   = "/.portreeve/mfa"
	ScriptPath = "/.portreeve/mfa.js"
)

//go:embed mfa.js
var script []byte

func (h *surface) pages() []gateway.SurfaceRoute {
	route := func(method, name string, body int64, run func(context.Context, *gateway.Call, Person) (request.Reply, error)) gateway.SurfaceRoute {
		return gateway.SurfaceRoute{Method: method, Path: PagePath, Op: gateway.Operation{Surface: "mfa", Name: name, MaxBody: body, Tenant: true,
			HTML: true, Unlisted: true, Run: h.person(run)}}
	}
	return []gateway.SurfaceRoute{
		route("GET", "ask for a second factor", 0, h.prompt),
		route("POST", "take a second factor", maxBody, h.take),
		{Method: "GET", Path: ScriptPath, Anonymous: true, Op: gateway.Operation{Surface: "mfa", Name: "the script of passkeys", Unlisted: true,
			Run: func(context.Context, *gateway.Call) (request.Reply, error) {
				return request.Reply{Status: 200, Body: script, Header: request.Header{
					{Name: "Content-Type", Value: "text/javascript; charset=utf-8"},
					{Name: "Cache-Control", Value: "no-store"}, {Name: "X-Content-Type-Options", Value: "nosniff"}}}, nil
			}}},
	}
}

// errNoSession is for browsers that did not sign in here: without a session there
// is nothing that a cookie could be bound to.
var errNoSession = fault.New(fault.Forbidden, "no_session", "This page is for sessions; send the code to /mfa/verify, and its token in X-Portreeve-MFA")

// prompt asks for a second factor.
func (h *surface) prompt(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	if !isSession(c.Who) {
		return request.Reply{}, errNoSession
	}
	back := ""
	if list := c.View.QueryValues("return"); len(list) == 1 {
		back = list[0]
	}
	return h.page(ctx, c, p, back, "", 0)
}

func (h *surface) page(ctx context.Context, c *gateway.Call, p Person, back, problem string, status int) (request.Reply, error) {
	f, backup, err := h.s.prompted(ctx, p)
	if err != nil {
		return request.Reply{}, err
	}
	here := len(accountAt(p, &standing{}, f, c.View.Host).keys) > 0
	return h.s.d.Pages.MFA(pages.MFA{Host: c.View.Host, Return: safeReturn(back), Action: PagePath, Script: ScriptPath, Enrolled: f.any(),
		// Backup codes go with either, and are typed where codes are.
		Code: f.totp.enabled() || backup, BackupOnly: !f.totp.enabled(), Passkey: here, Problem: problem, ProblemsStatus: status}), nil
}

// take spends the code of the form.
func (h *surface) take(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	if !isSession(c.Who) {
		return request.Reply{}, errNoSession
	}
	form, err := url.ParseQuery(string(c.Body))
	if err != nil || len(form["code"]) != 1 || len(form["return"]) > 1 {
		return request.Reply{}, fault.New(fault.BadRequest, "bad_form", "The form is incomplete")
	}
	back := form.Get("return")
	code, err := cleanCode(form.Get("code"))
	if err != nil || code == "" {
		return h.page(ctx, c, p, back, "That is no code. It has six digits; a backup code has twelve letters and digits.", 400)
	}
	done, err := h.s.Verify(ctx, by(c), p, code, h.set)
	var f *fault.Error
	switch {
	case errors.Is(err, ErrInvalidCode):
		return h.page(ctx, c, p, back, "This code is wrong, or was used before. Wait for the next one and try again.", 400)
	case errors.As(err, &f) && f.Kind == fault.TooManyRequests:
		reply, err := h.page(ctx, c, p, back, "Too many wrong codes. Try again in "+inWords(f.RetryAfter)+".", 429)
		if err == nil {
			reply.Header = append(reply.Header, request.Field{Name: "Retry-After", Value: strconv.Itoa(int(f.RetryAfter.Seconds()) + 1)})
		}
		return reply, err
	case err != nil:
		return request.Reply{}, err
	case done.StepUp == nil: // of an app that is being set up
		return h.page(ctx, c, p, back, "", 0)
	}
	if c.View.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return h.s.d.Pages.Onward(pages.Onward{Host: c.View.Host, Heading: "Thank you", To: safeReturn(back), Header: cookiesOf(*done.StepUp)}), nil
	}
	return request.Reply{Status: 303, Header: append(request.Header{{Name: "Location", Value: safeReturn(back)}, {Name: "Cache-Control", Value: "no-store"},
		{Name: "Referrer-Policy", Value: "no-referrer"}}, cookiesOf(*done.StepUp)...)}, nil
}

// cookiesOf are the step-up's cookie and the session's new one.
func cookiesOf(up StepUp) []request.Field {
	out := []request.Field{{Name: "Set-Cookie", Value: Cookie + "=" + up.Token + "; Path=/; Max-Age=" + strconv.Itoa(max(1, int(up.ExpiresIn.Seconds()))) + "; Secure; HttpOnly; SameSite=Lax"}}
	if up.session != "" {
		out = append(out, identity.SetCookie(identity.CookieSession, up.session, 0))
	}
	return out
}

const longestReturn = 4096

// safeReturn is a path of the same site, "/" for everything else: what a browser
// might read as another site's address begins with two slashes, or a slash and a
// backslash, or becomes so once it has dropped tabs and line breaks.
func safeReturn(s string) string {
	if len(s) == 0 || len(s) > longestReturn || s[0] != '/' || strings.HasPrefix(s, "//") {
		return "/"
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '\\' {
			return "/"
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil {
		return "/"
	}
	// Dot segments go when the address is resolved: what follows them may then
	// stand at the beginning.
	for _, segment := range strings.Split(u.Path, "/") {
		if segment == "." || segment == ".." {
			return "/"
		}
	}
	return s
}
