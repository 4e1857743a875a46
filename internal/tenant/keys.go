package tenant

import (
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
)

// lookKey reads what a key or machine token may do now. Its tenant is its own,
// whatever else says otherwise.
func (d *Directory) lookKey(tx *store.Tx, q question, r *resolution) error {
	p := q.who
	if d.keys == nil || p.CredentialID == "" || p.Tenant == "" {
		r.refuse(fault.New(fault.Unauthenticated, "unknown_key", ""), "", "a key that this store knows")
		return nil
	}
	r.from(p.Tenant, change.Key, p.CredentialID)
	facts, err := d.keys.Grant(tx, p)
	if err != nil {
		return err
	}
	if facts.Refuse != nil || facts.Grant == nil {
		f := facts.Refuse
		if f == nil {
			f = fault.New(fault.Unauthenticated, "unknown_key", "")
		}
		r.refuse(f, p.Tenant, "a key that is not revoked, disabled or expired")
		return nil
	}
	t, ok, err := d.tenant(tx, p.Tenant, r)
	if err != nil || !ok {
		return err
	}
	if err := d.creator(tx, t.ID, facts, r); err != nil {
		return err
	}
	r.from(t.ID, change.Role, "")
	defs, err := d.roles.of(tx, t.ID, q.asOf)
	r.known = &policy.Known{Tenant: t.ID, TenantRoles: defs, TenantLimit: t.Settings.RateLimit, Key: facts.Grant, Expires: facts.Expires}
	return err
}

// creator fills in what whoever made the key holds now, and notes what that was
// read from.
func (d *Directory) creator(tx *store.Tx, tenant string, facts KeyFacts, r *resolution) error {
	switch {
	case facts.Grant.ByHost:
	case facts.CreatorUserID != "":
		r.from(tenant, change.User, facts.CreatorUserID)
	case !facts.Creator.IsZero():
		r.from("", change.Identity, bindingIdentity(facts.Creator))
	}
	id, err := facts.Maker(tx, tenant)
	if id != "" {
		r.from(tenant, change.User, id)
	}
	return err
}
