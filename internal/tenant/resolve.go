package tenant

import (
	"cmp"
	"context"
	"errors"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// question is a caller and what its credential and the configuration say about
// its tenant.
type question struct {
	who             *principal.Principal
	claim, standard string
	auto            AutoCreate
	asOf            int64 // the change up to which everything had been taken in before
}

// resolution is what is stored about a caller, and from what it was read. Where
// something has to be written first, known is nil.
type resolution struct {
	known *policy.Known
	slots []change.Slot
	facts *SessionFacts // of a session that stands
	bind  *User         // nobody's row, which is the caller's from now on
	make  string        // the tenant that the claim names and that does not exist
}

func (r *resolution) from(tenant string, kind change.Kind, id string) {
	r.slots = append(r.slots, change.SlotOf(tenant, kind, id))
}

// refuse makes the resolution a refusal; why is what would have been enough.
func (r *resolution) refuse(f *fault.Error, tenant, why string) {
	r.known = &policy.Known{Tenant: tenant, Refuse: f, Why: why}
}

// rounds bounds how often a caller is looked up anew because others wrote at the
// same time. Each of them got somewhere.
const rounds = 8

// errMoved says that what was to be written has been overtaken.
var errMoved = errors.New("tenant: overtaken by another writer")

// answer looks a caller up and writes what has to be written first. Looking
// takes no turn: most callers are only looked up.
func (d *Directory) answer(ctx context.Context, q question) (r *resolution, err error) {
	for range rounds {
		if err = d.s.d.DB.Read(ctx, func(tx *store.Tx) error { r, err = d.look(tx, q); return err }); err != nil {
			return nil, err
		}
		switch {
		case r.bind != nil:
			r, err = d.bind(ctx, q, r.bind.Tenant)
		case r.make != "":
			r, err = d.create(ctx, q, r.make)
		}
		if err == nil && r.known != nil || err != nil && !errors.Is(err, errMoved) {
			return r, err
		}
	}
	return nil, unavailable(errMoved)
}

// look reads what is stored about a caller.
func (d *Directory) look(tx *store.Tx, q question) (*resolution, error) {
	r := &resolution{}
	if q.who.ProviderKind == "apiKey" || q.who.ProviderKind == "machine" || q.who.Kind == principal.Machine {
		return r, d.lookKey(tx, q, r)
	}
	if q.who.ProviderKind != "session" {
		return r, d.lookPerson(tx, q, r)
	}
	facts, err := d.lookSession(tx, q.who, r)
	if err != nil || r.known != nil {
		return r, err
	}
	if err := d.lookPerson(tx, q, r); err != nil || r.known == nil || r.known.Refuse != nil {
		return r, err
	}
	r.known.Session, r.known.Renew, r.facts = &facts.SessionFacts, facts.Renew, &facts
	return r, nil
}

// lookSession reads what is stored about a session. One that has ended refuses.
func (d *Directory) lookSession(tx *store.Tx, who *principal.Principal, r *resolution) (facts SessionFacts, err error) {
	const enough = "a session that has not ended: signing in again"
	r.from("", change.Session, who.SessionID)
	if d.sess == nil || who.SessionID == "" {
		r.refuse(fault.New(fault.Unauthenticated, identity.CodeSessionEnded, ""), "", enough)
		return facts, nil
	}
	if facts, err = d.sess.Session(tx, who); err == nil && facts.Refuse != nil {
		r.refuse(facts.Refuse, "", enough)
	}
	return facts, err
}

// lookPerson reads what is stored about a caller that is no key.
func (d *Directory) lookPerson(tx *store.Tx, q question, r *resolution) error {
	r.fromWho(q.who)
	if q.claim != "" {
		return d.lookClaimed(tx, q, r)
	}
	u, found, err := d.everywhere(tx, q.who, q.standard, r)
	if err != nil || r.known != nil {
		return err
	}
	id := q.standard
	if found {
		id = u.Tenant
	}
	if id == "" {
		r.known = &policy.Known{Why: nobodys(q.who)}
		return nil
	}
	t, ok, err := d.tenant(tx, id, r)
	if err != nil || !ok {
		return err
	}
	return d.stands(tx, q.who, t, u, found, q.asOf, r)
}

// lookClaimed looks a caller up whose credential names its tenant: in that one
// alone.
func (d *Directory) lookClaimed(tx *store.Tx, q question, r *resolution) error {
	t, ok, err := d.tenant(tx, q.claim, r)
	if err != nil {
		return err
	}
	if !ok {
		if errors.Is(r.known.Refuse, ErrUnknownTenant) && q.auto.On && madeID(q.claim) {
			gone, err := isGone(tx, q.claim, "")
			if err != nil {
				return err
			}
			if !gone {
				r.known, r.make = nil, q.claim
			}
		}
		return nil
	}
	u, found, err := d.within(tx, t.ID, q.who, r)
	if err != nil || r.known != nil {
		return err
	}
	return d.stands(tx, q.who, t, u, found, q.asOf, r)
}

// tenant reads a tenant; ok is false, and the resolution a refusal, where it
// does not exist or is disabled.
func (d *Directory) tenant(tx *store.Tx, id string, r *resolution) (t Tenant, ok bool, err error) {
	r.from(id, change.Tenant, id)
	t, err = Get(tx, id)
	switch {
	case errors.Is(err, ErrNoTenant):
		r.refuse(ErrUnknownTenant, id, "a tenant that exists: portreeve tenants create, or tenants.autoCreate")
		return t, false, nil
	case err != nil:
		return t, false, err
	case t.Disabled:
		r.refuse(ErrTenantDisabled, id, "the tenant enabled again")
		return t, false, nil
	}
	return t, true, nil
}

// stands fills in what is known of a caller in its tenant, or what has to be
// written first.
func (d *Directory) stands(tx *store.Tx, who *principal.Principal, t Tenant, u User, found bool, asOf int64, r *resolution) error {
	k := &policy.Known{Tenant: t.ID, TenantLimit: t.Settings.RateLimit}
	if !found {
		k.Why = nobodys(who)
	} else {
		r.from(u.Tenant, change.User, u.ID)
		if u.Bound.IsZero() && u.ServiceToken == "" && who.Via != identity.KindLink {
			r.bind = &u // also one that is disabled: what its identity made is found by it
			return nil
		}
		if u.Disabled {
			r.refuse(ErrUserDisabled, t.ID, "the user enabled again: portreeve users enable")
			r.known.UserID = u.ID
			return nil
		}
		var err error
		if k.Roles, err = RolesOf(tx, u.Tenant, u.ID); err != nil {
			return err
		}
		k.UserID, k.Called = u.ID, cmp.Or(u.Email, u.Name)
	}
	r.from(t.ID, change.Role, "")
	var err error
	k.TenantRoles, err = d.roles.of(tx, t.ID, asOf)
	r.known = k
	return err
}

// fromWho notes by what a caller's row may be found.
func (r *resolution) fromWho(p *principal.Principal) {
	if b, ok := bindingOf(p); ok {
		r.from("", change.Identity, bindingIdentity(b))
	}
	if p.EmailVerified && p.EmailFolded != "" {
		r.from("", change.Identity, emailIdentity(p.EmailFolded))
	}
	if p.Kind == principal.Service && p.CommonName != "" {
		r.from("", change.Identity, serviceIdentity(p.CommonName))
	}
}

// nobodys says why no row is the caller's, for the trace.
func nobodys(p *principal.Principal) string {
	const neither = "its tenant is by no claim, and its provider is not in tenants.defaultFor"
	switch {
	case p.Kind == principal.Service:
		return "no user has this service token; " + neither
	case !p.EmailVerified:
		return "no user is bound to this identity, and its e-mail is not verified; " + neither
	}
	return "no user is bound to this identity or has its e-mail; " + neither
}
