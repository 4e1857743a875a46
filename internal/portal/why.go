package portal

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) why() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/why", "who can do what, and why", showWhy),
	}
}

const accessAt = "/.portreeve/insight/access"

// insightRoute is a route as /.portreeve/insight/routes shows it.
type insightRoute struct {
	Site, Path, Key, Name, Surface string
	Methods                        []string
}

// Method is the methods in a word.
func (r insightRoute) Method() string {
	if len(r.Methods) == 0 || r.Methods[0] == "*" {
		return "any method"
	}
	return strings.Join(r.Methods, ", ")
}

// Href is where its page stands.
func (r insightRoute) Href() string {
	return "/why?" + url.Values{"site": {r.Site}, "route": {r.Key}}.Encode()
}

// Of says what the route is of.
func (r insightRoute) Of() string {
	if r.Surface == "" {
		return "a route of the configuration"
	}
	return "Portreeve's own"
}

// answered is yes, no or depends, and because of what.
type answered struct {
	Answer  string
	Because []string
}

// Badge is the answer.
func (a answered) Badge() badgePart {
	switch a.Answer {
	case "yes":
		return badgePart{"ok", "yes"}
	case "depends":
		return badgePart{"warn", "depends"}
	}
	return badgePart{"stop", "no"}
}

// Reasons are the sentences of the answer.
func (a answered) Reasons() []string {
	out := make([]string, len(a.Because))
	for i, s := range a.Because {
		out[i] = sentence(upper(s))
	}
	return out
}

// subject is a person, a service, a key or a machine token.
type subject struct{ Kind, ID, Name, Email, Prefix, Refused string }

// Title is what people call it.
func (s subject) Title() string { return cmp.Or(s.Email, s.Name, s.Prefix, s.ID) }

// Sort says what it is.
func (s subject) Sort() string {
	switch s.Kind {
	case "key":
		return "API key"
	case "machine":
		return "machine token"
	case "service":
		return "service"
	}
	return "person"
}

// Page is where it can be changed.
func (s subject) Page() string {
	switch s.Kind {
	case "key":
		return "/keys/" + segment(s.ID)
	case "machine":
		return "/machine-tokens/" + segment(s.ID)
	}
	return "/users/" + segment(s.ID)
}

// Why is the page of what it can do.
func (s subject) Why() string {
	if s.Kind == "key" || s.Kind == "machine" {
		return "/why?key=" + url.QueryEscape(s.ID)
	}
	return "/why?user=" + url.QueryEscape(s.ID)
}

func showWhy(v *visit) (request.Reply, error) {
	switch {
	case v.query("user") != "" || v.query("key") != "":
		return whatTheyCan(v)
	case v.query("route") != "":
		return whoCan(v)
	}
	return searchWhy(v)
}

// accessOf is what somebody can do.
type accessOf struct {
	Who         subject
	Tenant      string
	Roles       []string
	Permissions []struct {
		Permission string
		From       []string
	}
	Scopes, Idle []string
	Routes       []struct {
		insightRoute
		answered
	}
	Pagination pagination

	Pager               pager
	User, Key           string
	Search, Site, Reply string
	Open                bool // the page of the person or key
}

func whatTheyCan(v *visit) (request.Reply, error) {
	keep := []string{"user", "key", "search", "site", "answer"}
	out := accessOf{User: v.query("user"), Key: v.query("key"), Search: v.query("search"), Site: v.query("site"), Reply: v.query("answer")}
	if err := v.ask("GET", v.target(accessAt, keep...), nil, &out); err != nil {
		return request.Reply{}, err
	}
	out.Pager = v.pager(out.Pagination, len(out.Routes), keep...)
	out.Pager.Filtered = out.Search+out.Site+out.Reply != ""
	out.Open = v.may("GET", map[string]string{"key": "/tenant/api-keys/x", "machine": "/tenant/machine-tokens"}[out.Who.Kind]).OK
	if out.Who.Kind == "user" || out.Who.Kind == "service" {
		out.Open = v.may("GET", "/tenant/users/x").OK
	}
	return v.show("why-who", "What "+short(out.Who.Title(), 60)+" can do", out)
}

// subjectAnswer says whether somebody may use a route.
type subjectAnswer struct {
	subject
	answered
}

// accessTo is who can use a route.
type accessTo struct {
	Route insightRoute
	Needs struct {
		Open                                 bool
		Texts, Providers, Permissions, Roles []string
		Factor                               bool
	}
	People, Keys []subjectAnswer
	Roles        []string
	Total        struct{ People, Keys int }
	Pagination   pagination
	Pager        pager
}

// Needed are the texts of what it asks, as sentences.
func (a accessTo) Needed() (out []string) {
	for _, s := range a.Needs.Texts {
		out = append(out, upper(s))
	}
	return out
}

func whoCan(v *visit) (request.Reply, error) {
	var out accessTo
	if err := v.ask("GET", v.target(accessAt, "site", "route"), nil, &out); err != nil {
		return request.Reply{}, err
	}
	out.Pager = v.pager(out.Pagination, max(len(out.People), len(out.Keys)), "site", "route")
	return v.show("why-route", "Who can use "+short(out.Route.Key, 60), out)
}

// found is what a search came to.
type found struct {
	Search              string
	Users               []user
	Keys                []apiKey
	Routes              []insightRoute
	UserN, KeyN, RouteN int
	SeeUsers, SeeKeys   lock
	Pager               pager
}

// few is how many people and keys a search shows.
const few = 8

func searchWhy(v *visit) (request.Reply, error) {
	out := found{Search: strings.TrimSpace(v.query("search"))}
	q := url.Values{"search": {out.Search}, "limit": {strconv.Itoa(few)}}
	var routes listOf[insightRoute]
	if err := v.ask("GET", v.target("/.portreeve/insight/routes", "search"), nil, &routes); err != nil {
		return request.Reply{}, err
	}
	out.Routes, out.RouteN = routes.Data, routes.Pagination.Total
	out.Pager = v.pager(routes.Pagination, len(routes.Data), "search")
	if out.SeeUsers = v.may("GET", "/tenant/users"); out.SeeUsers.OK {
		var list listOf[user]
		if err := v.ask("GET", "/tenant/users?"+q.Encode(), nil, &list); err != nil {
			return request.Reply{}, err
		}
		out.Users, out.UserN = list.Data, list.Pagination.Total
	}
	if out.SeeKeys = v.may("GET", "/tenant/api-keys"); out.SeeKeys.OK {
		var list listOf[apiKey]
		if err := v.ask("GET", "/tenant/api-keys?"+q.Encode(), nil, &list); err != nil {
			return request.Reply{}, err
		}
		out.Keys, out.KeyN = list.Data, list.Pagination.Total
	}
	return v.show("why", "Who can do what", out)
}
