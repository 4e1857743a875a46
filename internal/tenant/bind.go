package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// bind makes the caller the one whom a row belongs to. Everything is looked up
// again in the tenant's turn: of any number who come at once, over any number of
// nodes, one binds.
func (d *Directory) bind(ctx context.Context, q question, tenant string) (r *resolution, err error) {
	err = d.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := Turn(tx, tenant); err != nil {
			return moved(err)
		}
		r, err = d.look(tx, q)
		if err != nil || r.bind == nil {
			return err
		}
		u := *r.bind
		b, ok := bindingOf(q.who)
		if !ok || u.Tenant != tenant {
			return errMoved
		}
		if ok, err = bindUser(tx, u, b); err != nil || !ok {
			return orMoved(err)
		}
		u.Bound = b
		noteUser(tx, u)
		actor := actorOf(q.who)
		actor.UserID = u.ID
		e := By{Actor: actor}.userEvent(u, "user.bound")
		e.Detail = map[string]string{"provider": b.Provider}
		if err := d.s.d.Audit.Append(tx, e); err != nil {
			return err
		}
		r, err = d.look(tx, q)
		return err
	})
	return r, err
}

const (
	autoCreateMax  = 100 // unless the configuration says otherwise
	autoCreateRate = 10  // in autoCreateSpan
	autoCreateSpan = time.Minute
)

// create makes the tenant that a claim names, within the bounds: whoever makes
// tenants so takes turns, so that the bounds are exact.
func (d *Directory) create(ctx context.Context, q question, id string) (r *resolution, err error) {
	most := q.auto.Max
	if most <= 0 {
		most = autoCreateMax
	}
	err = d.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		all, recent, err := countAuto(tx, tx.Now().Add(-autoCreateSpan))
		if err != nil {
			return err
		}
		if r, err = d.look(tx, q); err != nil || r.make == "" {
			return err
		}
		switch {
		case all >= most:
			return fault.Wrap(ErrUnknownTenant.Kind, ErrUnknownTenant.Code, "", fmt.Errorf("a claim names tenant %s: %d tenants were made by claims, which is tenants.autoCreateMax", id, all))
		case recent >= autoCreateRate:
			f := fault.Wrap(fault.Unavailable, "tenant_rate", "", fmt.Errorf("a claim names tenant %s: %d tenants were made by claims within a minute", id, recent))
			f.RetryAfter = autoCreateSpan
			return f
		}
		if _, err := d.s.insert(tx, By{Actor: actorOf(q.who)}, Tenant{ID: id, Name: id, Auto: true}); err != nil {
			return moved(err)
		}
		r, err = d.look(tx, q)
		return err
	})
	return r, err
}

// moved is errMoved for what another writer brought about.
func moved(err error) error {
	if f := fault.From(err); f == ErrNoTenant || f == ErrTenantTaken {
		return errMoved
	}
	return err
}

func orMoved(err error) error {
	if err == nil {
		return errMoved
	}
	return err
}

// actorOf is a caller as the audit trail names it. Where it came from is not
// known here: others may wait for the same job.
func actorOf(p *principal.Principal) audit.Actor {
	a := audit.Actor{Kind: string(p.Kind), Provider: p.Provider, Issuer: p.Issuer, ID: p.ID()}
	if p.EmailVerified {
		a.Email = p.EmailFolded
	}
	return a
}
