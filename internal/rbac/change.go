package rbac

import (
	"context"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
)

// Create makes a role of a tenant. Its name must be free; the file's and the
// built-in roles have theirs. Nobody makes a role that holds more than they do,
// inherited permissions included.
func (s *Service) Create(ctx context.Context, c Caller, tenantID string, d Draft) (out Shown, err error) {
	var f input.Fields
	d.validate(&f, "", true, c.Right.host)
	if err := f.Err(); err != nil {
		return Shown{}, err
	}
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		w, err := s.world(tx, tenantID)
		if err != nil {
			return err
		}
		name := d.Name.Value
		if err := w.reserved(name); err != nil {
			return err
		}
		if _, taken := w.tree.own[name]; taken {
			return ErrRoleTaken
		}
		if len(w.roles) >= maxRoles {
			return ErrTooMany
		}
		r := d.onto(Role{Name: name, CreatedAt: tx.Now(), UpdatedAt: tx.Now()})
		next := w.with(r)
		if err := s.step(tx, c, w, next, name); err != nil {
			return err
		}
		if err := granting().add(tx, tenantID, r); err != nil {
			return err
		}
		out, err = s.shown(tx, tenantID, next, name)
		if err != nil {
			return err
		}
		return s.note(tx, c.event(tenantID, "role.created", name, facts(r)))
	})
	return out, err
}

// Change changes a role of a tenant: what the draft does not set stays. What
// users and inheriting roles would gain by it, the caller must hold.
func (s *Service) Change(ctx context.Context, c Caller, tenantID, name string, d Draft) (out Shown, err error) {
	if err := d.validateChange(name, c.Right.host); err != nil {
		return Shown{}, err
	}
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		w, err := s.world(tx, tenantID)
		if err != nil {
			return err
		}
		if err := w.reserved(name); err != nil {
			return err
		}
		was, ok := w.tree.own[name]
		if !ok {
			return ErrNoRole
		}
		if err := c.If.Is(w.show(name, nil).tag()); err != nil {
			return err
		}
		r := d.onto(was)
		if r.same(was) {
			out, err = s.shown(tx, tenantID, w, name)
			return err
		}
		r.UpdatedAt = tx.Now()
		next := w.with(r)
		if err := s.step(tx, c, w, next, name); err != nil {
			return err
		}
		if err := granting().change(tx, tenantID, r); err != nil {
			return err
		}
		out, err = s.shown(tx, tenantID, next, name)
		if err != nil {
			return err
		}
		return s.note(tx, c.event(tenantID, "role.changed", name, facts(r)))
	})
	return out, err
}

// Delete removes a role of a tenant that nobody has and nothing inherits from.
// One that the file's role of its name hides can be removed on the host alone:
// whose it looks to be is the file's.
func (s *Service) Delete(ctx context.Context, c Caller, tenantID, name string) error {
	return s.turn(ctx, tenantID, func(tx *store.Tx) error {
		w, err := s.world(tx, tenantID)
		if err != nil {
			return err
		}
		hidden := w.reserved(name)
		_, ok := w.tree.own[name]
		switch {
		case hidden != nil && !(c.Right.host && ok):
			return hidden
		case !ok:
			return ErrNoRole
		}
		if err := c.If.Is(w.show(name, nil).tag()); err != nil {
			return err
		}
		if hidden == nil { // else assignments and heirs mean the file's role
			have, err := assigned(tx, tenantID)
			switch {
			case err != nil:
				return err
			case have[name] > 0:
				return ErrAssigned
			case w.tree.child(name) != "":
				return ErrInherited
			}
		}
		if err := granting().drop(tx, tenantID, name); err != nil {
			return err
		}
		return s.note(tx, c.event(tenantID, "role.deleted", name, nil))
	})
}

// reserved says that a name is the file's or built in, nil where it is neither.
func (w *world) reserved(name string) error {
	switch r, ok := w.book.Look(name); {
	case !ok:
		return nil
	case r.BuiltIn:
		return ErrBuiltIn
	}
	return ErrRoleOfFile
}

// step says whether a caller may put a role into the place it has in next.
func (s *Service) step(tx *store.Tx, c Caller, w, next *world, name string) error {
	if issue := next.tree.fault(name); issue != "" {
		return input.Invalid("parentRole", issue)
	}
	if next.heaviest(name) > maxEffective {
		return input.Invalid("permissions", tooHeavy())
	}
	gained := w.gained(next, name)
	if !c.Right.host && slices.ContainsFunc(gained, policy.CrossesTenants) {
		return input.Invalid("parentRole", platformRule) // validate has seen to its own
	}
	return s.may(tx, c.Right, gained)
}

// facts are what the audit trail keeps of a role. Its description may name people,
// whom the trail could not forget.
func facts(r Role) map[string]string {
	return map[string]string{"permissions": strings.Join(r.Permissions, " "), "parentRole": r.Parent}
}
