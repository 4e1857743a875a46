package rbac

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Assignment says which role whom is given, or is taken away from.
type Assignment struct {
	// User is the id of a row, else its e-mail (or the client id of an Access
	// service), else a subject of the provider.
	User string
	Role string
	// Provider and Issuer are whose subject is meant: where Named, the request
	// says so, else the caller's own. Provider is empty where it has none that
	// could be another user's (an API key).
	Provider, Issuer string
	Named            bool
}

// Assigned is what a user has after a change.
type Assigned struct {
	UserID string   `json:"userId"`
	Role   string   `json:"role"`
	Roles  []string `json:"roles"` // all stored ones
}

func (a Assignment) validate() error {
	var f input.Fields
	f.Require("userId", a.User != "")
	switch {
	case a.Role == "":
		f.Add("role", "is required")
	case len(a.Role) > 64:
		f.Add("role", parentNameRule)
	}
	if len(a.User) > 512 || strings.ContainsRune(a.User, 0) {
		f.Add("userId", "must be at most 512 characters")
	}
	return f.Err()
}

// Assign gives a user a role of the file, a built-in one or one of the tenant.
// Where User is a subject that has no row yet, one is made that is bound to it
// alone. What the user gains, the caller must hold. Giving what somebody has
// changes nothing.
func (s *Service) Assign(ctx context.Context, c Caller, tenantID string, a Assignment) (out Assigned, err error) {
	if err := a.validate(); err != nil {
		return Assigned{}, err
	}
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		w, err := s.world(tx, tenantID)
		if err != nil {
			return err
		}
		if !w.tree.has(a.Role) {
			return ErrNoRole
		}
		by := s.by(c, tenantID)
		u, err := s.find(tx, tenantID, a)
		if errors.Is(err, errSubject) {
			u, _, err = s.d.Users.BoundUserIn(tx, by, tenantID, a.binding())
		}
		if err != nil {
			return err
		}
		if !slices.Contains(u.Roles, a.Role) {
			u, err = s.d.Users.SetRolesIn(tx, by, tenantID, u.ID, append(slices.Clone(u.Roles), a.Role))
		}
		out = Assigned{UserID: u.ID, Role: a.Role, Roles: list(u.Roles)}
		return err
	})
	return out, err
}

// Unassign takes a role away, one that no longer exists too. A user who is left
// without any has the default role, which may be more: that the caller must hold.
func (s *Service) Unassign(ctx context.Context, c Caller, tenantID string, a Assignment) (out Assigned, err error) {
	if err := a.validate(); err != nil {
		return Assigned{}, err
	}
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		u, err := s.find(tx, tenantID, a)
		if errors.Is(err, errSubject) {
			err = tenant.ErrNoUser
		}
		if err != nil {
			return err
		}
		if i := slices.Index(u.Roles, a.Role); i >= 0 {
			if u, err = s.d.Users.SetRolesIn(tx, s.by(c, tenantID), tenantID, u.ID, slices.Delete(slices.Clone(u.Roles), i, i+1)); err != nil {
				return err
			}
		} else {
			w, err := s.world(tx, tenantID)
			if err != nil {
				return err
			}
			if !w.tree.has(a.Role) {
				return ErrNoRole
			}
		}
		out = Assigned{UserID: u.ID, Role: a.Role, Roles: list(u.Roles)}
		return nil
	})
	return out, err
}

// errSubject says that no row is meant but a subject that has none yet.
var errSubject = errors.New("rbac: a subject without a row")

// find reads the row that is meant. What looks like a row's id or an e-mail and
// is none is ErrNoUser, so that a typing error makes no row; a provider whose
// subjects look like addresses is named.
func (s *Service) find(tx *store.Tx, tenantID string, a Assignment) (tenant.User, error) {
	u, err := tenant.FindUserIn(tx, tenantID, a.User)
	if !errors.Is(err, tenant.ErrNoUser) {
		return u, err
	}
	if !a.Named && (strings.Contains(a.User, "@") || madeID(a.User)) {
		return tenant.User{}, tenant.ErrNoUser
	}
	if a.Provider == "" {
		return tenant.User{}, input.Invalid("provider", "is required where userId is a subject: the caller's credential has no users")
	}
	u, err = tenant.UserByBinding(tx, tenantID, a.binding())
	if errors.Is(err, tenant.ErrNoUser) {
		err = errSubject
	}
	return u, err
}

func (a Assignment) binding() tenant.Binding {
	return tenant.Binding{Provider: a.Provider, Issuer: a.Issuer, Subject: a.User}
}

// madeID reports whether a text looks like the id of a row that was made here.
func madeID(s string) bool {
	digits, ok := strings.CutPrefix(s, "usr_")
	return ok && len(digits) == 32 && strings.Trim(digits, "0123456789abcdef") == ""
}

// by is the caller as tenant's rules know it.
func (s *Service) by(c Caller, tenantID string) tenant.By {
	return tenant.By{Actor: c.Actor, Grants: s.Grants(c.Right), Host: c.Right.over(tenantID), Request: c.Request, Decision: c.Decision}
}

func list(in []string) []string {
	if in == nil {
		return []string{}
	}
	return in
}
