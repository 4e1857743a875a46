package tenant

import (
	"context"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// Patch is what changes of a user; nil leaves it as it is.
type Patch struct {
	Email        *string
	ServiceToken *string
	Name         *string
	Roles        *[]string
	Disabled     *bool
}

// PatchUser changes a user. What makes its roles somebody else's (another
// address or service token, enabling it again) asks the actor's Grants as
// assigning them would.
func (s *Service) PatchUser(ctx context.Context, by By, tenant, id string, p Patch) (u User, err error) {
	err = s.write(ctx, tenant, func(tx *store.Tx) error {
		was, err := UserByID(tx, tenant, id)
		if err == nil {
			err = by.If.Is(View(was).tag())
		}
		if err != nil {
			return err
		}
		u, err = s.patch(tx, by, was, p)
		return err
	})
	return u, err
}

// SetUserDisabled refuses a user from now on, or lets it in again.
func (s *Service) SetUserDisabled(ctx context.Context, by By, tenant, id string, disabled bool) (User, error) {
	return s.PatchUser(ctx, by, tenant, id, Patch{Disabled: &disabled})
}

func (s *Service) patch(tx *store.Tx, by By, was User, p Patch) (User, error) {
	u := was
	set(&u.Email, p.Email)
	set(&u.ServiceToken, p.ServiceToken)
	set(&u.Name, p.Name)
	set(&u.Disabled, p.Disabled)
	if p.Roles != nil {
		u.Roles = distinct(*p.Roles)
	}
	fields := differences(was, u)
	if len(fields) == 0 && slices.Equal(was.Roles, u.Roles) {
		return was, nil
	}
	if err := checkUser(u); err != nil {
		return User{}, err
	}
	if err := s.free(tx, was, u); err != nil {
		return User{}, err
	}
	before := was.Roles
	if handsOver(was, u) {
		before = nil
	}
	if !slices.Equal(before, u.Roles) {
		if err := by.grant(tx, u.Tenant, before, u.Roles); err != nil {
			return User{}, err
		}
	}
	u.UpdatedAt = tx.Now().UTC()
	if readdressed(was, u) { // whom it is found by now it is found by from now on
		u.ByHost, u.KnownSince = by.Host && (was.ByHost || was.Bound.IsZero()), u.UpdatedAt
	}
	if err := updateUser(tx, u); err != nil {
		return User{}, err
	}
	noteUser(tx, was)
	noteUser(tx, u)
	if u.Disabled && !was.Disabled {
		if err := s.shut(tx, by, was); err != nil {
			return User{}, err
		}
	}
	if err := s.auditPatch(tx, by, was, u, fields); err != nil {
		return User{}, err
	}
	return u, s.writeRoles(tx, by, u, was.Roles)
}

// Relink undoes a user's binding: the next verified use of its e-mail binds
// anew. A row without an e-mail has nothing to be found by then; delete it.
func (s *Service) Relink(ctx context.Context, by By, tenant, id string) (u User, err error) {
	err = s.write(ctx, tenant, func(tx *store.Tx) error {
		was, err := UserByID(tx, tenant, id)
		if err != nil {
			return err
		}
		u = was
		if was.Bound.IsZero() {
			return nil
		}
		if len(was.Roles) > 0 {
			if err := by.grant(tx, tenant, nil, was.Roles); err != nil {
				return err
			}
		}
		if err := unbindUser(tx, was); err != nil {
			return err
		}
		u.Bound, u.BoundAt, u.UpdatedAt = Binding{}, at(0), tx.Now().UTC()
		noteUser(tx, was)
		if err := s.shut(tx, by, was); err != nil { // or the session would bind the row again
			return err
		}
		e := by.userEvent(was, "user.relinked")
		e.Detail = map[string]string{"provider": was.Bound.Provider}
		return s.d.Audit.Append(tx, e)
	})
	return u, err
}

// SetRolesIn changes what roles a user has, within a transaction.
func (s *Service) SetRolesIn(tx *store.Tx, by By, tenant, id string, roles []string) (User, error) {
	was, err := UserByID(tx, tenant, id)
	if err != nil {
		return User{}, err
	}
	return s.patch(tx, by, was, Patch{Roles: &roles})
}

// handsOver reports whether a change lets somebody use the row who could not.
func handsOver(was, u User) bool {
	a, _, _ := principal.FoldEmail(was.Email)
	b, _, _ := principal.FoldEmail(u.Email)
	return b != "" && a != b || u.ServiceToken != "" && was.ServiceToken != u.ServiceToken || was.Disabled && !u.Disabled
}

// readdressed reports whether a change lets the row be found by something new.
func readdressed(was, u User) bool {
	a, _, _ := principal.FoldEmail(was.Email)
	b, _, _ := principal.FoldEmail(u.Email)
	return a != b || was.ServiceToken != u.ServiceToken
}

// differences names the fields that a change touches, roles aside.
func differences(was, u User) (fields []string) {
	for _, f := range []struct {
		name    string
		changed bool
	}{
		{"email", was.Email != u.Email}, {"serviceToken", was.ServiceToken != u.ServiceToken},
		{"name", was.Name != u.Name}, {"disabled", was.Disabled != u.Disabled},
	} {
		if f.changed {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// auditPatch leaves one event for each thing that happened. Addresses stay out
// of it: they are erasable where they stand.
func (s *Service) auditPatch(tx *store.Tx, by By, was, u User, fields []string) error {
	if was.Disabled != u.Disabled {
		action := map[bool]string{true: "user.disabled", false: "user.enabled"}[u.Disabled]
		if err := s.d.Audit.Append(tx, by.userEvent(u, action)); err != nil {
			return err
		}
		fields = slices.DeleteFunc(fields, func(f string) bool { return f == "disabled" })
	}
	if len(fields) == 0 {
		return nil
	}
	e := by.userEvent(u, "user.changed")
	e.Detail = map[string]string{"fields": strings.Join(fields, " ")}
	return s.d.Audit.Append(tx, e)
}

// writeRoles brings the stored roles from before to u's.
func (s *Service) writeRoles(tx *store.Tx, by By, u User, before []string) error {
	for _, role := range u.Roles {
		if slices.Contains(before, role) {
			continue
		}
		if err := addRole(tx, u.Tenant, u.ID, role); err != nil {
			return err
		}
		if err := s.auditRole(tx, by, u, "role.assigned", role); err != nil {
			return err
		}
	}
	for _, role := range before {
		if slices.Contains(u.Roles, role) {
			continue
		}
		if err := removeRole(tx, u.Tenant, u.ID, role); err != nil {
			return err
		}
		if err := s.auditRole(tx, by, u, "role.unassigned", role); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) auditRole(tx *store.Tx, by By, u User, action, role string) error {
	e := by.userEvent(u, action)
	e.Detail = map[string]string{"role": role}
	return s.d.Audit.Append(tx, e)
}

// set takes a new value where there is one.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
