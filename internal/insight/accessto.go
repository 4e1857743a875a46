package insight

import (
	"context"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// RouteAccess is who can use a route. People and Keys are pages by the same limit
// and offset; Pagination's total is that of the longer list.
type RouteAccess struct {
	Route      Route            `json:"route"`
	Needs      Needs            `json:"needs"`
	People     []SubjectAnswer  `json:"people"`
	Keys       []SubjectAnswer  `json:"keys"`  // and machine tokens, without those that are revoked
	Roles      []string         `json:"roles"` // of which one alone brings what is asked of roles and permissions
	Total      Totals           `json:"total"`
	Pagination input.Pagination `json:"pagination"`
}

// Totals counts the tenant's people and keys.
type Totals struct {
	People int `json:"people"`
	Keys   int `json:"keys"`
}

// Needs is what a route asks.
type Needs struct {
	Open        bool     `json:"open"`        // for everybody, who needs no credential
	Texts       []string `json:"texts"`       // all of it in words, the site's own allow and deny included
	Providers   []string `json:"providers"`   // whose credentials count
	Permissions []string `json:"permissions"` // all of them
	Roles       []string `json:"roles"`       // one of them
	Factor      bool     `json:"factor"`      // a second factor
}

// SubjectAnswer says whether somebody can use the route: yes, no, or depends, and
// because of what.
type SubjectAnswer struct {
	Subject
	Answer  string   `json:"answer"`
	Because []string `json:"because"`
}

// ofRoute answers who can use a route.
func (s *Service) ofRoute(ctx context.Context, c *gateway.Call, page input.Page, key string) (request.Reply, error) {
	people, err := s.stored()
	if err != nil {
		return request.Reply{}, err
	}
	site, _, err := input.Query(c.View, "site")
	if err != nil {
		return request.Reply{}, err
	}
	var at *stands
	for _, r := range s.all() {
		if r.site.Name == site && keyOf(r.route) == key {
			at = &r
			break
		}
	}
	if at == nil {
		return request.Reply{}, errNoRoute
	}
	users, userTotal, err := people.Users.Users(ctx, c.Tenant, page)
	if err != nil {
		return request.Reply{}, err
	}
	keys, keyTotal, err := people.Keys.List(ctx, c.Tenant, false, page.Limit, page.Offset)
	if err != nil {
		return request.Reply{}, err
	}
	out := RouteAccess{Route: at.view(), Needs: needs(at), Total: Totals{userTotal, keyTotal},
		Pagination: input.Pagination{Limit: page.Limit, Offset: page.Offset, Total: max(userTotal, keyTotal)}}
	err = people.DB.Read(ctx, func(tx *store.Tx) error {
		own, err := people.ownRolesIn(tx, c.Tenant)
		if err != nil {
			return err
		}
		out.Roles = full(at.route.Requirement.Enough(at.site.Book, own))
		out.People, out.Keys, err = s.answers(tx, c, people, at, own, users, keys)
		return err
	})
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, out), nil
}

// answers decides about each of a page.
func (s *Service) answers(tx *store.Tx, c *gateway.Call, p *People, at *stands, own *policy.StoredRoles, users []tenant.User, keys []apikey.Key) (people, of []SubjectAnswer, err error) {
	people, of = []SubjectAnswer{}, []SubjectAnswer{}
	say := func(who *caller) SubjectAnswer {
		o, why := who.outlook(at.site, at.route, who.ways(s.d.Snapshot(), at.site, c.Now))
		return SubjectAnswer{who.subject(), words(o), full(why)}
	}
	for _, u := range users {
		who, err := p.user(tx, u, own)
		if err != nil {
			return nil, nil, err
		}
		people = append(people, say(who))
	}
	for _, k := range keys {
		who, err := p.keyOf(tx, c.Tenant, k.ID, own)
		if err != nil {
			return nil, nil, err
		}
		of = append(of, say(who))
	}
	return people, of, nil
}

func needs(at *stands) Needs {
	r := at.route
	out := Needs{Permissions: full(r.Requirement.Permissions()), Roles: full(r.Requirement.RolesAsked()), Factor: r.Requirement.NeedsStepUp(), Texts: []string{}, Providers: []string{}}
	if o, _ := at.site.Outlook(r, nil); o == policy.Always {
		out.Open = true
		return out
	}
	out.Texts = append(append(out.Texts, at.site.Allow.Outline()...), r.Requirement.Outline()...)
	if r.Accept != nil {
		out.Providers = r.Accept.Names()
	}
	return out
}
