package agents

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Listing is the part of a list that is asked for.
type Listing struct {
	input.Page
	Search string // in names and descriptions, whatever the case; "" for all
	Sort   string // name, createdAt, updatedAt; of members createdAt, email, role
	Desc   bool
	Role   string // of things alone: owner, admin or viewer, what the caller is on them; any of them: any; "" for all

	without string // a name that is left out
}

const (
	standardPage  = 50
	largestPage   = 200
	longestSearch = 100
)

// listing reads limit, offset, search, sort and order. by are the fields that the
// list can be sorted by, standard the one that it is sorted by unless written.
func listing(v *request.View, by map[string]string, standard string) (Listing, error) {
	l := Listing{Sort: standard}
	var err error
	if l.Page, err = input.PageOf(v, standardPage, largestPage); err != nil {
		return l, err
	}
	for _, q := range []struct {
		name string
		take func(value string) (issue string)
	}{
		{"search", func(s string) string {
			if l.Search = s; !utf8.ValidString(s) || utf8.RuneCountInString(s) > longestSearch || strings.ContainsFunc(s, unicode.IsControl) {
				return "must be at most 100 characters, without control characters"
			}
			return ""
		}},
		{"sort", func(s string) string {
			if l.Sort = s; by[s] == "" {
				return "must be one of " + strings.Join(slices.Sorted(maps.Keys(by)), ", ")
			}
			return ""
		}},
		{"order", func(s string) string {
			if l.Desc = s == "desc"; !l.Desc && s != "asc" {
				return "must be asc or desc"
			}
			return ""
		}},
	} {
		value, ok, err := input.Query(v, q.name)
		if err != nil {
			return l, err
		}
		if !ok {
			continue
		}
		if issue := q.take(value); issue != "" {
			return l, input.Invalid(q.name, issue)
		}
	}
	return l, nil
}

// anyRole is the role of a filter that takes whatever the caller has a role on.
const anyRole = "any"

// ofRole reads role.
func (l Listing) ofRole(v *request.View) (Listing, error) {
	role, ok, err := input.Query(v, "role")
	if err == nil && ok && role != anyRole && rank(role) == 0 {
		err = input.Invalid("role", "must be owner, admin, viewer or any")
	}
	l.Role = role
	return l, err
}

// ranks are the ranks of the roles that are asked for.
func (l Listing) ranks() (least, most int) {
	switch {
	case l.Role == "":
		return 0, rank(Owner)
	case l.Role == anyRole:
		return 1, rank(Owner)
	}
	return rank(l.Role), rank(l.Role)
}

// direction is the order for a query.
func (l Listing) direction() string {
	if l.Desc {
		return " DESC"
	}
	return ""
}

// pattern is what LIKE compares a folded column with; ! takes the meaning from
// what follows it.
func (l Listing) pattern(fold func(string) string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(fold(l.Search)) + "%"
}

// List reads what a caller sees of a collection: the public things of the tenant
// and its own. Who has no tenant sees nothing.
func (s *Service) List(ctx context.Context, by By, tenantID, collection string, l Listing) (list []Agent, total int, err error) {
	if tenantID == "" {
		return nil, 0, nil
	}
	c, _ := by.caller(tenantID)
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		list, total, err = listAgents(tx, tenantID, collection, c, l)
		return err
	})
	return list, total, err
}

// Get reads a thing for a caller who has a role on it.
func (s *Service) Get(ctx context.Context, by By, tenantID, collection, id string) (a Agent, err error) {
	if _, ok := by.caller(tenantID); !ok {
		return a, by.refusal()
	}
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		a, err = s.allowed(tx, by, tenantID, collection, id, Viewer)
		return err
	})
	return a, err
}

// Members lists who has a role on a thing, for its admins and owners.
func (s *Service) Members(ctx context.Context, by By, tenantID, collection, id string, l Listing) (list []Member, total int, err error) {
	if _, ok := by.caller(tenantID); !ok {
		return nil, 0, by.refusal()
	}
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		a, err := s.allowed(tx, by, tenantID, collection, id, Admin)
		if err == nil {
			list, total, err = listMembers(tx, a, l)
		}
		return err
	})
	return list, total, err
}
