package rbac

import (
	"context"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// ErrDefaultRole says that a role is the default one of the end users.
var ErrDefaultRole = fault.New(fault.Conflict, "role_default", "The role is the default role")

// EndUserRole reads one role of a tenant's end users.
func (s *Service) EndUserRole(ctx context.Context, tenantID, name string) (out EndUserRole, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if _, err := tenant.Get(tx, tenantID); err != nil {
			return err
		}
		t, err := endUserTree(tx, tenantID)
		if err != nil {
			return err
		}
		r, ok := t.own[name]
		if !ok {
			return ErrNoRole
		}
		out = t.show(r)
		return nil
	})
	return out, err
}

func endUserTree(tx *store.Tx, tenantID string) (tree, error) {
	roles, err := endUsers().roles(tx, tenantID)
	return newTree(roles, nil), err
}

// AddEndUserRole adds a role. The first one switches the roles on: nobody adds
// one that is to count for nothing.
func (s *Service) AddEndUserRole(ctx context.Context, c Caller, tenantID string, d Draft) (out EndUserRole, err error) {
	var f input.Fields
	d.validate(&f, "", true, false)
	if err := f.Err(); err != nil {
		return EndUserRole{}, err
	}
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		t, err := endUserTree(tx, tenantID)
		if err != nil {
			return err
		}
		name := d.Name.Value
		if t.has(name) {
			return ErrRoleTaken
		}
		if len(t.own) >= maxRoles {
			return ErrTooMany
		}
		r := d.onto(Role{Name: name, CreatedAt: tx.Now(), UpdatedAt: tx.Now()})
		if err := t.put(r); err != nil {
			return err
		}
		if err := endUsers().add(tx, tenantID, r); err != nil {
			return err
		}
		if err := switchOn(tx, tenantID); err != nil {
			return err
		}
		out = t.show(r)
		return s.d.Audit.Append(tx, c.event(tenantID, "enduserrole.created", name, facts(r)))
	})
	return out, err
}

// ChangeEndUserRole changes a role: what the draft does not set stays.
func (s *Service) ChangeEndUserRole(ctx context.Context, c Caller, tenantID, name string, d Draft) (out EndUserRole, err error) {
	if err := d.validateChange(name, false); err != nil {
		return EndUserRole{}, err
	}
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		t, err := endUserTree(tx, tenantID)
		if err != nil {
			return err
		}
		was, ok := t.own[name]
		if !ok {
			return ErrNoRole
		}
		r := d.onto(was)
		if r.same(was) {
			out = t.show(was)
			return nil
		}
		r.UpdatedAt = tx.Now()
		if err := t.put(r); err != nil {
			return err
		}
		if err := endUsers().change(tx, tenantID, r); err != nil {
			return err
		}
		out = t.show(r)
		return s.d.Audit.Append(tx, c.event(tenantID, "enduserrole.changed", name, facts(r)))
	})
	return out, err
}

// put takes a role into the tree, in place of one of its name or as a new one.
func (t tree) put(r Role) error {
	t.own[r.Name] = r
	if issue := t.fault(r.Name); issue != "" {
		return input.Invalid("parentRole", issue)
	}
	for heir := range t.own {
		if (heir == r.Name || t.distance(heir, r.Name) > 0) && len(t.effective(heir)) > maxEffective {
			return input.Invalid("permissions", tooHeavy())
		}
	}
	return nil
}

// DeleteEndUserRole removes a role that nothing inherits from and that is not
// the default one.
func (s *Service) DeleteEndUserRole(ctx context.Context, c Caller, tenantID, name string) error {
	return s.turn(ctx, tenantID, func(tx *store.Tx) error {
		t, err := endUserTree(tx, tenantID)
		if err != nil {
			return err
		}
		set, err := endUserSettings(tx, tenantID)
		switch {
		case err != nil:
			return err
		case !t.has(name):
			return ErrNoRole
		case t.child(name) != "":
			return ErrInherited
		case set.defaultRole == name:
			return ErrDefaultRole
		}
		if err := endUsers().drop(tx, tenantID, name); err != nil {
			return err
		}
		return s.d.Audit.Append(tx, c.event(tenantID, "enduserrole.deleted", name, nil))
	})
}
