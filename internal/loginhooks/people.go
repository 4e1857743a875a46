package loginhooks

import (
	"context"
	"errors"

	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// person is somebody's users row with what scripts know.
type person struct {
	user string // id of the row
	tenant.Profile
}

// errNobody says that somebody has to be made known first.
var errNobody = errors.New("loginhooks: not known yet")

// seen finds the row of whom the provider let in, or makes it after the scripts of a
// registration, and counts the login.
func (h *Hooks) seen(ctx context.Context, in *login.SignedIn, w whom) (p person, err error) {
	count := int64(1)
	if in.Flow == "refresh" {
		count = 0 // nobody has come: a program goes on
	}
	err = h.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if p, err = h.known(tx, w, count); err != nil {
			return err
		}
		return h.record(tx, in, w, p, count)
	})
	if !errors.Is(err, errNobody) {
		return p, err
	}
	set, err := h.first(ctx, in, w)
	if err != nil {
		return p, err
	}
	err = h.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := tenant.Turn(tx, h.c.Tenant); err != nil {
			return err
		}
		u, err := h.make(tx, in, w)
		if err != nil {
			return err
		}
		if p, err = h.counted(tx, u, 0); err != nil {
			return err
		}
		if !p.Seen { // else somebody was quicker, and their registration stands
			if err := tenant.PatchProfile(tx, u.Tenant, u.ID, set.App, set.User); err != nil {
				return err
			}
		}
		if p, err = h.counted(tx, u, count); err != nil {
			return err
		}
		return h.record(tx, in, w, p, count)
	})
	return p, tooMuch(err)
}

// record puts into the audit trail that the provider let somebody in, in the
// transaction that counts it. What scripts and factors make of it comes after.
func (h *Hooks) record(tx *store.Tx, in *login.SignedIn, w whom, p person, count int64) error {
	if count == 0 || h.d.Audit == nil {
		return nil
	}
	by := h.by(in.Caller, w)
	by.Actor.UserID = p.user
	return h.d.Audit.Append(tx, audit.Event{Tenant: h.c.Tenant, Action: "login.passed", Target: p.user, Actor: by.Actor, Request: by.Request, Decision: by.Decision,
		Detail: map[string]string{"site": h.c.Site, "flow": in.Flow}})
}

// known finds somebody for whom scripts have run before.
func (h *Hooks) known(tx *store.Tx, w whom, count int64) (p person, err error) {
	u, err := tenant.UserByBinding(tx, h.c.Tenant, h.binding(w))
	if errors.Is(err, tenant.ErrNoUser) {
		return p, errNobody
	}
	if err != nil {
		return p, err
	}
	if p, err = h.counted(tx, u, 0); err == nil && !p.Seen {
		return p, errNobody
	}
	if err != nil || count == 0 {
		return p, err
	}
	return h.counted(tx, u, count)
}

func (h *Hooks) counted(tx *store.Tx, u tenant.User, count int64) (p person, err error) {
	t, err := tenant.Get(tx, u.Tenant)
	if err != nil {
		return p, err
	}
	if u.Disabled || t.Disabled {
		return p, errDisabled()
	}
	p.user = u.ID
	if count == 0 {
		p.Profile, err = tenant.ProfileOf(tx, u.Tenant, u.ID)
	} else {
		p.Profile, err = tenant.CountLogin(tx, u.Tenant, u.ID, count)
	}
	return p, err
}

// make is the row of somebody new: one that waits for them, or one that is bound to
// them and to nothing else.
func (h *Hooks) make(tx *store.Tx, in *login.SignedIn, w whom) (tenant.User, error) {
	email := ""
	if h.c.Shared { // else a row that waits is another provider's to bind
		email = w.email
	}
	u, _, err := h.d.Users.Recognize(tx, h.by(in.Caller, w), h.c.Tenant, h.binding(w), email)
	switch {
	case errors.Is(err, tenant.ErrNoUser):
		u, _, err = h.d.Users.BoundUserIn(tx, h.by(in.Caller, w), h.c.Tenant, h.binding(w))
	case errors.Is(err, tenant.ErrIdentityConflict):
		err = fault.Wrap(fault.Forbidden, login.CodeDenied, "Access denied", err)
	}
	return u, err
}

func (h *Hooks) binding(w whom) tenant.Binding {
	return tenant.Binding{Provider: h.c.Provider, Issuer: w.issuer, Subject: w.subject}
}

// first runs the scripts of a registration for somebody who is seen for the first
// time; what ran before the account was made is not run again.
func (h *Hooks) first(ctx context.Context, in *login.SignedIn, w whom) (set later, err error) {
	if in.Registered != nil {
		if set, ok := in.Registered.Outcome.(later); ok {
			return set, nil
		}
	}
	if len(h.c.Scripts.PreUserRegistration) == 0 {
		return set, nil
	}
	out, err := h.d.Run(ctx, actions.PreUserRegistration, h.c.Scripts.PreUserRegistration, h.firstSight(in, w))
	switch {
	case err != nil:
		return set, err
	case out.Denied:
		return set, refusedRegistration(out)
	}
	return later{App: out.AppMetadata, User: out.UserMetadata}, nil
}

// write keeps what scripts set. Somebody who is disabled or gone by now is refused, and
// so are all of a tenant that is disabled.
func (h *Hooks) write(ctx context.Context, user string, set later) error {
	err := h.d.DB.Tx(ctx, func(tx *store.Tx) error {
		u, err := tenant.UserByID(tx, h.c.Tenant, user)
		switch {
		case errors.Is(err, tenant.ErrNoUser):
			return errDisabled()
		case err != nil:
			return err
		case u.Disabled:
			return errDisabled()
		}
		switch t, err := tenant.Get(tx, h.c.Tenant); {
		case err != nil:
			return err
		case t.Disabled:
			return errDisabled()
		case len(set.App)+len(set.User) == 0:
			return nil
		}
		return tenant.PatchProfile(tx, h.c.Tenant, user, set.App, set.User)
	})
	return tooMuch(err)
}

// tooMuch is metadata over its bound, which is the script's fault and nobody's who
// signs in.
func tooMuch(err error) error {
	if errors.Is(err, tenant.ErrMetadata) {
		return fault.Wrap(fault.Unavailable, "action_failed", "", errors.New("an action sets more metadata than is kept"))
	}
	return err
}

func errDisabled() error { return fault.New(fault.Unauthenticated, "user_disabled", "unauthorized") }
