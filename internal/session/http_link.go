package session

import (
	"context"
	"slices"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

// near reports whether a request comes from this machine: by its TCP peer, and not
// through a proxy or tunnel that stands here for others. Whether trustedProxies
// knows that one does not matter: where it is not listed, or not by the header that
// it sends, its own address is all that is known of the client.
func near(c *gateway.Call) bool {
	peer := c.View.Peer.Addr().Unmap()
	client := c.View.Client.Unmap()
	return peer.IsLoopback() && client.IsLoopback() && !c.View.ClientUnsure && !slices.ContainsFunc(proxied, c.View.Header.Has)
}

// proxied are what proxies and tunnels add, and browsers never send.
var proxied = []string{"Via", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
	"X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "CF-Ray"}

// showLink shows what a link does. Reading it does not spend it: chats and mail
// programs read links before people do.
func (h *handlers) showLink(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	token := param(c, "token")
	good, err := h.s.linkGood(ctx, token, h.site.Name)
	switch {
	case err != nil:
		return request.Reply{}, err
	case !near(c) || !good:
		return h.noLink(c), nil
	}
	return h.s.d.Pages.Confirm(pages.Confirm{Host: c.View.Host, Heading: "Sign in by this link", Text: "It works once, in this browser, for as long as a session lasts.",
		Action: linkPath + token, Button: "Sign in"}), nil
}

func (h *handlers) followLink(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	if identity.CrossSite(c.View, sessionCookie(c) != "", nil) {
		return request.Reply{}, fault.New(fault.Forbidden, "cross_site", "Cross-site request refused")
	}
	if !near(c) {
		return h.noLink(c), nil
	}
	session, err := h.s.follow(ctx, by(c), h.site, param(c, "token"), sessionCookie(c))
	if fault.From(err) == ErrNoLink {
		return h.noLink(c), nil
	}
	if err != nil {
		return request.Reply{}, err
	}
	set := identity.SetCookie(identity.CookieSession, session, 0)
	if navigates(c) {
		return h.s.d.Pages.Onward(pages.Onward{Host: c.View.Host, Heading: "You are signed in", To: "/", Header: request.Header{set}}), nil
	}
	return see("/", set), nil
}

func (h *handlers) noLink(c *gateway.Call) request.Reply {
	h.s.d.Audit.Refused("", "session.refused link", "", c.View.Client)
	return h.s.d.Pages.Refusal(pages.Refusal{Host: c.View.Host, Status: 404, Heading: "This link is not good any more",
		Text: "It was used, is older than ten minutes, or was opened on another machine than the one that it was made on.", Request: c.View.ID})
}
