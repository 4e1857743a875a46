package links

import (
	"context"
	"fmt"
	"strings"

	"rsc.io/qr"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

// follow answers a link that a rule matches. Where its values make no target, it
// matches nothing.
func (h *handlers) follow(t *target) func(context.Context, *gateway.Call) (request.Reply, error) {
	return func(ctx context.Context, c *gateway.Call) (request.Reply, error) {
		query := ownless(c.View.Query, wantsJSON(c))
		to, ok := t.String(lookup{
			param: func(name string) string { v, _ := c.Params.Get(name); return v },
			query: func(name string) string { return first(c, name) },
			path:  c.View.Path.Segments,
			raw:   query,
		})
		if !ok {
			return h.unmatched(ctx, c)
		}
		platform := platformOf(c.View.Header.Get("User-Agent"))
		fallback := h.fallback(platform, to, c)
		switch {
		case wantsJSON(c):
			return h.json(c, outcome{Matched: true, Platform: platform, Target: &to, Fallback: fallback}), nil
		case platform == Desktop && fallback != nil:
			h.Count("fallback_desktop")
			return found(*fallback), nil
		case platform == Desktop:
			h.Count("page_desktop")
			return h.desktopPage(c, to), nil
		case h.Config.Mode == "redirect":
			h.Count("redirect_" + string(platform))
			return found(to), nil
		}
		h.Count("page_" + string(platform))
		return h.phonePage(c, platform, to, fallback), nil
	}
}

// ownless is a query without what is ours, format=json, where it was asked for.
func ownless(query string, asked bool) string {
	if !asked {
		return query
	}
	var keep []string
	for pair := range strings.SplitSeq(query, "&") {
		if pair != "format=json" {
			keep = append(keep, pair)
		}
	}
	return strings.Join(keep, "&")
}

// found is a 302. The link stays out of what the next site is told.
func found(to string) request.Reply {
	return request.Reply{Status: 302, Header: append(varying(),
		request.Field{Name: "Location", Value: to}, request.Field{Name: "Referrer-Policy", Value: "no-referrer"})}
}

// fallback is where people of a platform go who do not have the app; nil where
// nothing is configured.
func (h *handlers) fallback(p Platform, target string, c *gateway.Call) *string {
	u := h.phones[p]
	if p == Desktop {
		u = h.desktop
	}
	if u == nil {
		return nil
	}
	s := storeURL(u, target, func(name string) string { return first(c, name) })
	return &s
}

// phonePage is the small page that opens the app.
func (h *handlers) phonePage(c *gateway.Call, p Platform, to string, fallback *string) request.Reply {
	in := pages.AppLink{Host: c.View.Host, App: h.app(), Open: to, Script: h.script}
	if fallback != nil {
		in.Store, in.StoreName = *fallback, storeName(h.phones[p].Hostname())
	}
	if p == IOS {
		in.StoreID, in.Link = appStoreID(h.phones[IOS]), strings.ReplaceAll(address(c), ",", "%2C")
	}
	return shown(h.Pages.AppLink(in))
}

// desktopPage is the page with the link as a QR code. It shows the stores too, for
// tablets that say they are computers.
func (h *handlers) desktopPage(c *gateway.Call, to string) request.Reply {
	in := pages.AppDesktop{Host: c.View.Host, App: h.app(), Open: to, Link: address(c)}
	if code, err := codeOf(in.Link); err == nil {
		in.Code = code
	}
	if len(in.Link) > 80 {
		in.Link = "" // the code has it, or the address bar
	}
	for _, p := range []Platform{IOS, Android} {
		if s := h.fallback(p, to, c); s != nil {
			in.Stores = append(in.Stores, pages.Link{Label: storeLabel(h.phones[p].Hostname(), p), Href: *s})
		}
	}
	return shown(h.Pages.AppDesktop(in))
}

// shown is a page that depends on who asks.
func shown(reply request.Reply) request.Reply {
	reply.Header = append(reply.Header, request.Field{Name: "Vary", Value: "User-Agent"})
	return reply
}

func (h *handlers) app() string {
	if h.Config.Name != "" {
		return h.Config.Name
	}
	return "the app"
}

// address is the link as it was opened: over https, since nothing else opens apps.
func address(c *gateway.Call) string {
	s := "https://" + strings.TrimPrefix(strings.TrimPrefix(c.View.Origin(), "http://"), "https://") + c.View.Path.String()
	if q := cleanQuery(c.View.Query); q != "" {
		s += "?" + q
	}
	return s
}

func storeName(host string) string {
	switch strings.ToLower(host) {
	case "apps.apple.com", "itunes.apple.com":
		return "the App Store"
	case "play.google.com":
		return "Google Play"
	}
	return host
}

func storeLabel(host string, p Platform) string {
	switch name := strings.TrimPrefix(storeName(host), "the "); {
	case name != host:
		return name
	case p == IOS:
		return "iPhone and iPad"
	}
	return "Android"
}

// maxCode is the longest link that still makes a code that cameras read off a
// screen.
const maxCode = 300

// codeOf is a link as a QR code.
func codeOf(link string) (*pages.Code, error) {
	if len(link) > maxCode {
		return nil, fmt.Errorf("links: a link of %d bytes makes no code that can be read", len(link))
	}
	code, err := qr.Encode(link, qr.M)
	if err != nil {
		return nil, fmt.Errorf("make a QR code: %w", err)
	}
	var d strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&d, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	return &pages.Code{Size: code.Size + 8, Dark: d.String()}, nil // with its margin of four
}
