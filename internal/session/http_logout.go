package session

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

func escape(s string) string { return url.QueryEscape(s) }

// logout ends the session here and leads a browser to where it ends at the
// provider. It looks at no credential, so that an old cookie is no obstacle; a
// page of another site cannot send it, with a cookie or without.
func (h *handlers) logout(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	session := sessionCookie(c)
	if identity.CrossSite(c.View, session != "", nil) {
		return request.Reply{}, fault.New(fault.Forbidden, "cross_site", "Cross-site request refused")
	}
	was, found, err := h.s.SignOut(ctx, by(c), session, h.site.Name)
	if err != nil {
		return request.Reply{}, err
	}
	to := signedOutPath
	if p := h.site.provider(was.Provider); found && p != nil && navigates(c) {
		if fromOurPage(c) {
			to += "?at=" + escape(p.Name)
		} else if end := h.endSession(ctx, c, p); end != "" {
			to = end
		}
	}
	return see(to, identity.SetCookie(identity.CookieSession, "", -1), identity.SetCookie(identity.CookieMFA, "", -1)), nil
}

// navigates reports whether somebody sees the answer.
func navigates(c *gateway.Call) bool {
	return c.View.Header.Get("Sec-Fetch-Mode") == "navigate"
}

// fromOurPage reports whether the form may be one of our own pages: they say so
// (?stay=true), or send no referrer, which makes the Origin null. Their policy keeps
// a form from leading to another site, redirects included; so the page that follows
// has a link there.
func fromOurPage(c *gateway.Call) bool {
	if list := c.View.QueryValues("stay"); len(list) == 1 && list[0] == "true" {
		return true
	}
	return c.View.Header.Get("Origin") == "null" && c.View.Header.Get("Sec-Fetch-Site") == "same-origin"
}

// endSession is where a session ends at its provider (RP-Initiated Logout 1.0
// section 2); "" where the provider has no such place, or cannot be asked. ID
// tokens are not kept, so the client is named instead of one.
func (h *handlers) endSession(ctx context.Context, c *gateway.Call, p *identity.Provider) string {
	doc, err := h.s.document(ctx, p)
	if err != nil || doc.EndSession == "" {
		return ""
	}
	u, err := url.Parse(doc.EndSession)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.Client().ID)
	q.Set("post_logout_redirect_uri", c.View.Origin()+signedOutPath)
	u.RawQuery = q.Encode()
	return u.String()
}

// signedOut says that somebody is signed out here, and offers to sign out there.
func (h *handlers) signedOut(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	in := pages.SignedOut{Host: c.View.Host, Again: &pages.Link{Label: "Sign in again", Href: loginPath}}
	if list := c.View.QueryValues("at"); len(list) == 1 {
		if p := h.site.provider(list[0]); p != nil {
			if end := h.endSession(ctx, c, p); end != "" {
				in.Text = "Your session here has ended. You may still be signed in at " + p.Name + "."
				in.Again, in.Also = &pages.Link{Label: "Sign out at " + p.Name + " too", Href: end}, in.Again
			}
		}
	}
	return h.s.d.Pages.SignedOut(in), nil
}

// backchannel is what a provider calls (Back-Channel Logout 1.0 section 2.7 and
// 2.8): 200 or 400, kept by no cache.
func (h *handlers) backchannel(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	p := h.site.provider(param(c, "provider"))
	if p == nil {
		return request.Reply{}, fault.New(fault.NotFound, "no_provider", "")
	}
	v, err := form(c)
	if err != nil || v.Get("logout_token") == "" {
		return badLogout(), nil
	}
	n, err := h.s.ProviderLogout(ctx, by(c), p, v.Get("logout_token"))
	var f *fault.Error
	switch {
	case errors.As(err, &f) && f.Kind == fault.Unauthenticated:
		if h.s.mayComplain() {
			h.s.d.Log.InfoContext(ctx, "a logout token was refused; further ones of this minute are counted in the audit trail alone", "request", c.View.ID, "provider", p.Name, "err", f.Err)
		}
		h.s.d.Audit.Refused("", "session.refused logout_token", "", c.View.Client)
		return badLogout(), nil
	case err != nil:
		return request.Reply{}, err
	}
	h.s.d.Log.InfoContext(ctx, "a provider signed somebody out", "request", c.View.ID, "provider", p.Name, "sessions", n)
	return request.Reply{Status: 200, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}, nil
}

// mayComplain reports whether a refused logout token may be logged: once a minute,
// since anybody can send one. All of them are counted.
func (s *Service) mayComplain() bool {
	now := s.d.Now().UnixNano()
	last := s.complained.Load()
	return now-last >= int64(time.Minute) && s.complained.CompareAndSwap(last, now)
}

func badLogout() request.Reply {
	return gateway.JSON(400, map[string]string{"error": "invalid_request", "error_description": "the logout token is not good"})
}
