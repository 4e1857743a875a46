package rbac

import (
	"context"
	"fmt"
	"strconv"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// The roles of a tenant's end users are a namespace of their own. The tenant's
// application reads them and decides by them; Portreeve grants nothing by them,
// which is why nobody has to hold what they name and why no name is reserved.

// EndUsers is the whole of it.
type EndUsers struct {
	Enabled     bool          `json:"enabled"`
	DefaultRole *string       `json:"defaultRole"`
	Roles       []EndUserRole `json:"roles"`
}

// EndUserRole is one role of a tenant's end users.
type EndUserRole struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"`
	Effective   []string `json:"effective"`
	ParentRole  *string  `json:"parentRole"`
}

// EndUsersDraft replaces the whole. What is absent is as in an empty file: on,
// without a default role, without roles.
type EndUsersDraft struct {
	Enabled     *bool   `json:"enabled"`
	DefaultRole *string `json:"defaultRole"`
	Roles       []Draft `json:"roles"`
}

// EndUsers reads the roles of a tenant's end users.
func (s *Service) EndUsers(ctx context.Context, tenantID string) (out EndUsers, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if _, err := tenant.Get(tx, tenantID); err != nil {
			return err
		}
		out, err = readEndUsers(tx, tenantID)
		return err
	})
	return out, err
}

func readEndUsers(tx *store.Tx, tenantID string) (EndUsers, error) {
	set, err := endUserSettings(tx, tenantID)
	if err != nil {
		return EndUsers{}, err
	}
	roles, err := endUsers().roles(tx, tenantID)
	return showEndUsers(set, roles), err
}

func showEndUsers(set settings, roles []Role) EndUsers {
	out := EndUsers{Enabled: set.enabled, DefaultRole: some(set.defaultRole), Roles: make([]EndUserRole, len(roles))}
	t := newTree(roles, nil)
	for i, r := range roles {
		out.Roles[i] = t.show(r)
	}
	return out
}

func (t tree) show(r Role) EndUserRole {
	return EndUserRole{Name: r.Name, Description: r.Description, Permissions: list(r.Permissions), Effective: t.effective(r.Name), ParentRole: some(r.Parent)}
}

// SetEndUsers replaces them all.
func (s *Service) SetEndUsers(ctx context.Context, c Caller, tenantID string, d EndUsersDraft) (out EndUsers, err error) {
	set := settings{enabled: d.Enabled == nil || *d.Enabled}
	if d.DefaultRole != nil {
		set.defaultRole = *d.DefaultRole
	}
	drafts, err := d.validate(set)
	if err != nil {
		return EndUsers{}, err
	}
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		roles := make([]Role, len(drafts))
		for i, r := range drafts {
			r.CreatedAt, r.UpdatedAt = tx.Now(), tx.Now()
			roles[i] = r
		}
		if err := clearEndUsers(tx, tenantID); err != nil {
			return err
		}
		for _, r := range roles {
			if err := endUsers().add(tx, tenantID, r); err != nil {
				return err
			}
		}
		if err := setEndUserSettings(tx, tenantID, set); err != nil {
			return err
		}
		byName(roles)
		out = showEndUsers(set, roles)
		return s.d.Audit.Append(tx, c.event(tenantID, "enduserroles.replaced", tenantID, map[string]string{"roles": strconv.Itoa(len(roles))}))
	})
	return out, err
}

// validate checks the whole by itself: there is nothing else that it could
// depend on.
func (d EndUsersDraft) validate(set settings) ([]Role, error) {
	var f input.Fields
	if len(d.Roles) > maxRoles {
		return nil, input.Invalid("roles", fmt.Sprintf("must be at most %d", maxRoles))
	}
	roles := make([]Role, len(d.Roles))
	seen := map[string]bool{}
	for i, one := range d.Roles {
		at := "roles[" + strconv.Itoa(i) + "]."
		one.validate(&f, at, true, false)
		roles[i] = one.onto(Role{Name: one.Name.Value})
		if seen[one.Name.Value] && one.Name.Value != "" {
			f.Add(at+"name", "another role has this name")
		}
		seen[one.Name.Value] = true
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	t := newTree(roles, nil)
	for i, r := range roles {
		at := "roles[" + strconv.Itoa(i) + "]."
		if _, issue := t.climb(r.Name); issue != "" {
			f.Add(at+"parentRole", issue)
		} else if len(t.effective(r.Name)) > maxEffective {
			f.Add(at+"permissions", tooHeavy())
		}
	}
	if set.defaultRole != "" && !t.has(set.defaultRole) {
		f.Add("defaultRole", parentRule)
	}
	return roles, f.Err()
}

// ClearEndUsers removes them all, the settings too.
func (s *Service) ClearEndUsers(ctx context.Context, c Caller, tenantID string) error {
	return s.turn(ctx, tenantID, func(tx *store.Tx) error {
		if err := clearEndUsers(tx, tenantID); err != nil {
			return err
		}
		return s.d.Audit.Append(tx, c.event(tenantID, "enduserroles.cleared", tenantID, nil))
	})
}
