package session

import (
	"context"
	"net/url"
	"slices"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

// Where the operations stand.
const (
	loginPath       = "/.portreeve/login"
	callbackPath    = "/.portreeve/callback/"
	logoutPath      = "/.portreeve/logout"
	signedOutPath   = "/.portreeve/signed-out"
	sessionsPath    = "/.portreeve/sessions"
	linkPath        = "/.portreeve/link/"
	backchannelPath = "/.portreeve/backchannel/:provider"
)

// Routes lists the operations of a site:
//
//	GET     /.portreeve/login                    the choice of how to sign in, where there is one
//	GET     /.portreeve/login/:provider          to the provider
//	GET     /.portreeve/callback/:provider       back from it
//	POST    /.portreeve/logout                   ends the session, here and, of a browser, there; ?stay=true: a page of ours leads there
//	GET     /.portreeve/signed-out
//	POST    /.portreeve/backchannel/:provider    the provider says that somebody has signed out
//	GET     /.portreeve/sessions                 one's own; DELETE /.portreeve/sessions/:id
//	GET     /.portreeve/style.css
//	GET, POST /.portreeve/link/:token            test and dev: one-time links
func (s *Service) Routes(t Site) []gateway.SurfaceRoute {
	h := &handlers{s: s, site: &t}
	list := []gateway.SurfaceRoute{
		h.page("GET", loginPath, "choose how to sign in", 0, h.choose),
		h.page("GET", loginPath+"/:provider", "sign in", 0, h.begin),
		h.page("GET", callbackPath+":provider", "come back from a provider", 0, h.callback),
		h.page("POST", logoutPath, "sign out", formBody, h.logout),
		h.page("GET", signedOutPath, "see that one is signed out", 0, h.signedOut),
		h.page("GET", pages.StylePath, "the pages' stylesheet", 0, h.style),
		h.api("GET", sessionsPath, "list one's sessions", h.list),
		h.api("DELETE", sessionsPath+"/:id", "end one of one's sessions", h.revoke),
	}
	back := h.page("POST", backchannelPath, "be told that somebody has signed out", tokenBody, h.backchannel)
	back.Op.HTML = false
	list = append(list, back)
	if relaxed(s.d.Env) {
		for _, r := range []gateway.SurfaceRoute{
			h.page("GET", linkPath+":token", "see a one-time link", 0, h.showLink),
			h.page("POST", linkPath+":token", "follow a one-time link", formBody, h.followLink),
		} {
			r.Op.SecretPath = true
			list = append(list, r)
		}
	}
	for i := range list {
		if slices.Contains(limited, list[i].Path) {
			list[i].Limit, list[i].LimitOf = &limit.RuleConfig{WindowMs: 60_000, Max: 300}, list[i].Path
		}
	}
	return list
}

// limited are the paths where anybody at all has the store write something, or
// look for it: 300 a minute of one address each, unless the site has limits of its
// own. An office behind one address signs in well below that.
var limited = []string{loginPath + "/:provider", callbackPath + ":provider", backchannelPath, linkPath + ":token"}

const (
	formBody  = 4 << 10
	tokenBody = 32 << 10
)

// handlers are the operations of one site.
type handlers struct {
	s    *Service
	site *Site
}

type run = func(context.Context, *gateway.Call) (request.Reply, error)

func (h *handlers) page(method, path, name string, body int64, run run) gateway.SurfaceRoute {
	return gateway.SurfaceRoute{Method: method, Path: path, Anonymous: true,
		Op: gateway.Operation{Surface: "session", Name: name, MaxBody: body, HTML: true, Unlisted: true, Run: run}}
}

func (h *handlers) api(method, path, name string, run run) gateway.SurfaceRoute {
	return gateway.SurfaceRoute{Method: method, Path: path, Op: gateway.Operation{Surface: "session", Name: name, Run: run}}
}

func byOf(c *gateway.Call) By {
	return By{Actor: c.Actor(), Request: c.View.ID, Decision: c.Decision}
}

// by is who calls an operation that looks at no credential.
func by(c *gateway.Call) By {
	return By{Actor: audit.Actor{Kind: audit.Anonymous, IP: c.View.Client}, Request: c.View.ID, Decision: c.Decision}
}

func param(c *gateway.Call, name string) string {
	v, _ := c.Params.Get(name)
	return v
}

// cookie is the one cookie of a name; "" where there is none, or several.
func cookie(c *gateway.Call, name string) string {
	if list := c.View.Header.Cookies(name); len(list) == 1 {
		return list[0]
	}
	return ""
}

// form reads a body of application/x-www-form-urlencoded; nothing may stand twice.
func form(c *gateway.Call) (url.Values, error) {
	v, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return nil, fault.New(fault.BadRequest, "bad_form", "The form cannot be read")
	}
	for name := range v {
		if len(v[name]) > 1 {
			return nil, fault.New(fault.BadRequest, "bad_form", "Part of the form stands twice")
		}
	}
	return v, nil
}

// see leads a browser elsewhere.
func see(to string, more ...request.Field) request.Reply {
	return request.Reply{Status: 303, Header: append(request.Header{
		{Name: "Location", Value: to}, {Name: "Cache-Control", Value: "no-store"}, {Name: "Referrer-Policy", Value: "no-referrer"},
	}, more...)}
}

func (h *handlers) style(context.Context, *gateway.Call) (request.Reply, error) {
	return h.s.d.Pages.Style(), nil
}
