package gateway

import (
	"net/url"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// Where browsers are led. The features that serve these paths list them as
// SurfaceRoutes.
const (
	signInPath = "/.portreeve/login/"
	mfaPath    = "/.portreeve/mfa"
)

// maxReturn bounds the path and query that a browser comes back to.
const maxReturn = 2 << 10

// Lead is where a refused browser is led instead of being told: to sign in, or
// to show a second factor. Everybody else, and a browser whom neither would
// help, is refused.
func (x *Exchange) Lead(f *fault.Error) (reply request.Reply, leads bool) {
	if x.Site == nil || x.Route == nil || !x.Route.Identify || f == nil || !navigates(&x.View) {
		return request.Reply{}, false
	}
	switch {
	case x.signInHelps(f):
		return x.redirect(signInPath + url.PathEscape(x.Site.SignIn)), true
	case x.factorHelps(f):
		return x.redirect(mfaPath), true
	}
	return request.Reply{}, false
}

// signInHelps reports whether the caller may get in by signing in: it showed no
// credential, or a session that has ended, and the route takes the sessions that
// signing in here makes. Whoever is signed in and refused all the same would go
// round in circles.
func (x *Exchange) signInHelps(f *fault.Error) bool {
	return f.Kind == fault.Unauthenticated && x.Site.SignIn != "" && (!x.Found.Present || x.ended) && x.Route.Accept.SignsIn(x.Site.SignIn)
}

// factorHelps reports whether the caller may get in by a second factor that its
// browser keeps: the cookie counts for sessions alone.
func (x *Exchange) factorHelps(f *fault.Error) bool {
	return f.Code == policy.CodeMFA && x.Site.mfaPage && x.Found.Who != nil && x.Found.Who.ProviderKind == identity.KindSession && x.View.Path.String() != mfaPath
}

func (x *Exchange) redirect(to string) request.Reply {
	return request.Reply{Status: 302, Header: request.Header{
		{Name: "Location", Value: to + "?return=" + url.QueryEscape(x.returnPath())},
		{Name: "Cache-Control", Value: "no-store"},
	}}
}

// returnPath is the path and query that the request was for, as a path of this
// site: never one that a browser would read as another host.
func (x *Exchange) returnPath() string {
	to := x.View.Path.String()
	if x.View.HasQuery {
		to += "?" + x.View.Query
	}
	if !staysHere(to) {
		return "/"
	}
	return to
}

// navigates reports whether a browser is on its way to a page: what it gets is
// what somebody sees (Fetch Metadata).
func navigates(v *request.View) bool { return v.Method == "GET" && moves(v) }

func moves(v *request.View) bool {
	return v.Header.Count("Sec-Fetch-Mode") == 1 && v.Header.Get("Sec-Fetch-Mode") == "navigate" && accepts(v, "text/html")
}

// form reports whether a browser sent a form of one of our pages: what it gets is
// seen as well, and it is not led away from it without a word.
func (x *Exchange) form() bool {
	op := x.Operation()
	return op != nil && op.HTML && x.View.Method == "POST" && moves(&x.View)
}

// stood is where the form stood: a path of this site, "/" where the browser does
// not say.
func (x *Exchange) stood() string {
	to, ours := strings.CutPrefix(x.View.Header.Get("Referer"), x.View.Origin())
	if to, _, _ = strings.Cut(to, "#"); !ours || !staysHere(to) || x.View.Header.Count("Referer") != 1 {
		return "/"
	}
	return to
}

// staysHere reports whether a path leads a browser nowhere else.
func staysHere(to string) bool {
	return len(to) <= maxReturn && strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.HasPrefix(to, `/\`)
}

// wantsPage reports whether a refusal is best told by a page: to a browser on its
// way to one, also one too old to say so.
func wantsPage(v *request.View) bool {
	return navigates(v) || v.Method == "GET" && !v.Header.Has("Sec-Fetch-Mode") && accepts(v, "text/html") && !accepts(v, "application/json")
}

// accepts reports whether Accept names a media type (RFC 9110 section 12.5.1),
// and not by a wildcard: every program sends */*.
func accepts(v *request.View, media string) bool {
	for i := range v.Header {
		if !strings.EqualFold(v.Header[i].Name, "Accept") {
			continue
		}
		for part := range strings.SplitSeq(v.Header[i].Value, ",") {
			name, params, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), media) && !refusedByQ(params) {
				return true
			}
		}
	}
	return false
}

// refusedByQ reports whether a media range's parameters say q=0.
func refusedByQ(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") {
			return strings.Trim(value, "0.") == "" && strings.HasPrefix(value, "0")
		}
	}
	return false
}

// page is a refusal as a page: what the snapshot's pages make of it, with the
// status and the headers that go with the fault in every shape.
func (x *Exchange) page(f *fault.Error, requestID, decision string) (reply request.Reply, ok bool) {
	if decision == "" || x.Snap == nil || x.Snap.RefusalPage == nil || x.Site == nil || !wantsPage(&x.View) && !x.form() {
		return request.Reply{}, false
	}
	if op := x.Operation(); op != nil && op.Shape != nil && !op.HTML {
		return request.Reply{}, false
	}
	stood := ""
	if x.form() {
		stood = x.stood()
	}
	reply = x.Snap.RefusalPage(f, requestID, decision, x.Site, stood)
	reply.Status = f.Kind.Status()
	for _, field := range FaultHeaders(f, decision) {
		if !reply.Header.Has(field.Name) {
			reply.Header = append(reply.Header, field)
		}
	}
	return reply, true
}

// cookies are what the answer tells a browser about its session: a new value, or
// that it has ended.
func (x *Exchange) cookies(h request.Header) request.Header {
	switch {
	case x.View.Header.Has("Upgrade"): // nobody reads the cookies of a 101
	case x.ended:
		h = append(h, identity.SetCookie(identity.CookieSession, "", -1))
	case x.renews():
		h = append(h, identity.SetCookie(identity.CookieSession, x.Known.Renew, 0))
	}
	return h
}

// renews reports whether the answer carries a new session cookie, which makes it
// one person's alone.
func (x *Exchange) renews() bool {
	return x.Known != nil && x.Known.Renew != "" && x.Found.Who.ProviderKind == identity.KindSession
}
