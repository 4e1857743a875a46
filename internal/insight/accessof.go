package insight

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Subject is a person, a service, a key or a machine token.
type Subject struct {
	Kind   string `json:"kind"` // user, service (of Access), key, machine
	ID     string `json:"id"`
	Name   string `json:"name"`
	Email  string `json:"email,omitempty"`
	Prefix string `json:"prefix,omitempty"` // of a key or machine token
	// Refused says why it is refused whatever it asks; missing where it is not.
	Refused string `json:"refused,omitempty"`
}

func (c *caller) subject() Subject {
	out := Subject{Kind: "key", Refused: c.refused}
	if k := c.key; k != nil {
		if k.Machine {
			out.Kind = "machine"
		}
		out.ID, out.Name, out.Prefix = k.ID, k.Name, k.Prefix
		return out
	}
	out.Kind, out.ID, out.Name, out.Email = "user", c.user.ID, c.user.Name, c.user.Email
	if c.user.ServiceToken != "" {
		out.Kind = "service"
	}
	return out
}

// Access is what a person, service, key or machine token can do.
type Access struct {
	Who    Subject `json:"who"`
	Tenant string  `json:"tenant"`
	// Roles and Permissions are those on the site that was asked, where a default
	// role may stand; of a key Permissions are what its scopes and its maker have in
	// common. Of somebody who is refused they are empty.
	Roles       []string        `json:"roles"`
	Permissions []policy.Source `json:"permissions"`
	// Scopes are a key's as they are written, Idle those of them that it does not
	// hold, since who made it holds less now.
	Scopes     []string         `json:"scopes"`
	Idle       []string         `json:"idle"`
	Routes     []RouteAnswer    `json:"routes"`
	Pagination input.Pagination `json:"pagination"` // of routes
}

// RouteAnswer says whether somebody can use a route: yes, no, or depends, and
// because of what.
type RouteAnswer struct {
	Route
	Answer  string   `json:"answer"`
	Because []string `json:"because"`
}

// ofCaller answers what somebody can do.
func (s *Service) ofCaller(ctx context.Context, c *gateway.Call, page input.Page, read func(*store.Tx, *policy.StoredRoles) (*caller, error)) (request.Reply, error) {
	people, err := s.stored()
	if err != nil {
		return request.Reply{}, err
	}
	answer, err := input.OneOf(c.View, "answer", "yes", "no", "depends")
	if err != nil {
		return request.Reply{}, err
	}
	list, err := s.narrowed(c.View)
	if err != nil {
		return request.Reply{}, err
	}
	var who *caller
	err = people.DB.Read(ctx, func(tx *store.Tx) error {
		own, err := people.ownRolesIn(tx, c.Tenant)
		if err == nil {
			who, err = read(tx, own)
		}
		return err
	})
	if err != nil {
		return request.Reply{}, err
	}
	out := Access{Who: who.subject(), Tenant: c.Tenant, Roles: []string{}, Permissions: []policy.Source{}, Scopes: []string{}, Idle: []string{}}
	s.holds(c, who, &out)
	out.Routes = []RouteAnswer{}
	out.Pagination = input.Pagination{Limit: page.Limit, Offset: page.Offset, Total: len(list)}
	if answer == "" { // what no page shows is not worked out
		list = slice(list, page)
	}
	n, snap, ways := 0, s.d.Snapshot(), map[*gateway.Site][]policy.Prospect{}
	for _, r := range list {
		if _, there := ways[r.site]; !there {
			ways[r.site] = who.ways(snap, r.site, c.Now)
		}
		o, why := who.outlook(r.site, r.route, ways[r.site])
		one := words(o)
		if answer == "" || answer == one && n >= page.Offset && n < page.Offset+page.Limit {
			out.Routes = append(out.Routes, RouteAnswer{r.view(), one, full(why)})
		}
		if answer == one {
			n++
		}
	}
	if answer != "" {
		out.Pagination.Total = n
	}
	return gateway.JSON(200, out), nil
}

// holds fills in what somebody has on the site that was asked.
func (s *Service) holds(c *gateway.Call, who *caller, out *Access) {
	if who.key != nil {
		out.Scopes = append(out.Scopes, who.key.Scopes...)
	}
	if who.known == nil {
		return
	}
	shown := who.who
	if shown == nil {
		shown = &principal.Principal{Kind: principal.User, Subject: who.user.ID}
		if who.user.ServiceToken != "" {
			shown.Kind = principal.Service
		}
	}
	stand := c.Site.Book.Stand(shown, nil, who.known)
	out.Roles, out.Permissions = stand.Roles(), stand.Sources()
	if who.key != nil && !who.key.Machine {
		out.Idle = full(policy.GainedScopes(stand.Permissions(), who.key.Scopes))
	}
}
