package session

import (
	"context"
	"errors"
	"net/url"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

// choose is the page with the ways to sign in; where there is one, it is taken.
func (h *handlers) choose(_ context.Context, c *gateway.Call) (request.Reply, error) {
	back := returnOf(c)
	offered := h.site.offered()
	if len(offered) == 1 {
		return see(loginHref(offered[0].Name, back, anew(c))), nil
	}
	in := pages.SignIn{Host: c.View.Host}
	for _, p := range offered {
		in.Choices = append(in.Choices, pages.Link{Label: p.Name, Href: loginHref(p.Name, back, anew(c))})
	}
	return h.s.d.Pages.SignIn(in), nil
}

func loginHref(provider, back string, anew bool) string {
	to := loginPath + "/" + url.PathEscape(provider) + "?return=" + url.QueryEscape(back)
	if anew {
		to += "&again=true"
	}
	return to
}

// anew reports whether somebody is to sign in although the provider knows them:
// for what asks for a sign-in of the last minutes.
func anew(c *gateway.Call) bool {
	list := c.View.QueryValues("again")
	return len(list) == 1 && list[0] == "true"
}

func returnOf(c *gateway.Call) string {
	if list := c.View.QueryValues("return"); len(list) == 1 {
		return safeReturn(list[0])
	}
	return "/"
}

// begin leads to the provider.
func (h *handlers) begin(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	p := h.site.provider(param(c, "provider"))
	if p == nil {
		return request.Reply{}, fault.New(fault.NotFound, "no_provider", "")
	}
	if c.View.Method == "HEAD" {
		return looked(), nil
	}
	back := returnOf(c)
	to, pre, err := h.s.begin(ctx, h.site, p, c.View.Client, cookie(c, cookiePre), c.View.Origin(), back, anew(c))
	if err != nil {
		return h.sorry(ctx, c, p.Name, back, err)
	}
	return see(to, identity.SetCookie(cookiePre, pre, preSession)), nil
}

// looked answers HEAD, which begins and ends nothing.
func looked() request.Reply {
	return request.Reply{Status: 200, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}
}

// answer is what a provider sent the browser back with.
type answer struct{ state, code, err, iss string }

var errTwice = errors.New("session: a parameter stands twice")

func answerOf(c *gateway.Call) (a answer, err error) {
	for _, x := range []struct {
		name string
		to   *string
	}{{"state", &a.state}, {"code", &a.code}, {"error", &a.err}, {"iss", &a.iss}} {
		switch list := c.View.QueryValues(x.name); {
		case len(list) > 1:
			return a, errTwice
		case len(list) == 1:
			*x.to = list[0]
		}
	}
	return a, nil
}

// maxCode bounds the code that is exchanged.
const maxCode = 4 << 10

// callback takes a browser back from the provider. The state is spent whatever
// the rest of the answer is worth.
func (h *handlers) callback(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	p := h.site.provider(param(c, "provider"))
	if p == nil {
		return request.Reply{}, fault.New(fault.NotFound, "no_provider", "")
	}
	if c.View.Method == "HEAD" {
		return looked(), nil
	}
	a, err := answerOf(c)
	if err != nil {
		return h.sorry(ctx, c, p.Name, "/", err)
	}
	pre := cookie(c, cookiePre)
	b, more, err := h.s.spend(ctx, h.site, p.Name, a.state, pre)
	if err != nil {
		return h.sorry(ctx, c, p.Name, "/", err)
	}
	session, err := h.finish(ctx, c, p, a, b)
	if err != nil {
		return h.sorry(ctx, c, p.Name, b.Return, err)
	}
	fields := []request.Field{identity.SetCookie(identity.CookieSession, session, 0)}
	if !more {
		fields = append(fields, identity.SetCookie(cookiePre, "", -1))
	}
	return see(b.Return, fields...), nil
}

func (h *handlers) finish(ctx context.Context, c *gateway.Call, p *identity.Provider, a answer, b start) (cookie string, err error) {
	doc, err := h.s.document(ctx, p)
	if err != nil {
		return "", err
	}
	switch {
	case a.iss != "" && a.iss != issuerOf(p), a.iss == "" && doc.IssParam: // RFC 9207 section 2.4
		return "", errIssuer
	case a.err != "":
		return "", providerSaid(a.err)
	case a.code == "" || len(a.code) > maxCode:
		return "", errNoCode
	}
	return h.s.signIn(ctx, by(c), h.site, p, b, a.code, sessionCookie(c))
}

func sessionCookie(c *gateway.Call) string { return cookie(c, identity.CookieSession) }
