package tenant

import (
	"errors"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

const relinkHint = "the identity that the user is bound to, or the binding undone: portreeve users relink"

// within finds a caller's row in one tenant: the one that is bound to it, else
// the one with its verified e-mail. That one being somebody else's is a
// conflict. found is false where there is none.
func (d *Directory) within(tx *store.Tx, tenant string, p *principal.Principal, r *resolution) (u User, found bool, err error) {
	if p.Kind == principal.Service {
		return there(UserByServiceToken(tx, tenant, p.CommonName))
	}
	if p.Via == identity.KindLink { // the row itself was meant, whoever it is bound to
		if u, found, err = there(UserByID(tx, tenant, p.Subject)); err == nil && !found {
			r.refuse(fault.New(fault.Unauthenticated, identity.CodeSessionEnded, ""), tenant, "a user that was not deleted")
		}
		return u, found, err
	}
	b, bindable := bindingOf(p)
	if bindable {
		if u, found, err = there(UserByBinding(tx, tenant, b)); found || err != nil {
			return u, found, err
		}
	}
	if !bindable || !p.EmailVerified || p.EmailFolded == "" {
		return User{}, false, nil
	}
	u, found, err = there(UserByEmail(tx, tenant, p.EmailFolded))
	if found && !u.Bound.IsZero() {
		r.refuse(ErrIdentityConflict, tenant, relinkHint)
		return User{}, false, nil
	}
	return u, found, err
}

// everywhere finds a caller's row over all tenants: the one that is bound to it,
// else the one row with its verified e-mail that is nobody's yet. More than one
// is a conflict: which of them is meant nobody can say.
func (d *Directory) everywhere(tx *store.Tx, p *principal.Principal, r *resolution) (u User, found bool, err error) {
	if p.Kind == principal.Service {
		if p.CommonName == "" {
			return User{}, false, nil
		}
		rows, err := everywhereService(tx, p.CommonName)
		return sole(rows, err, r)
	}
	b, bindable := bindingOf(p)
	if !bindable {
		return User{}, false, nil
	}
	rows, err := everywhereBound(tx, b)
	if u, found, err = sole(rows, err, r); found || err != nil || r.known != nil {
		return u, found, err
	}
	if !p.EmailVerified || p.EmailFolded == "" {
		return User{}, false, nil
	}
	rows, err = everywhereEmail(tx, p.EmailFolded, false)
	if u, found, err = sole(rows, err, r); found || err != nil || r.known != nil {
		return u, found, err
	}
	rows, err = everywhereEmail(tx, p.EmailFolded, true)
	if err == nil && len(rows) > 0 {
		r.refuse(ErrIdentityConflict, "", relinkHint)
	}
	return User{}, false, err
}

// sole is the only row of a list.
func sole(rows []User, err error, r *resolution) (User, bool, error) {
	switch {
	case err != nil || len(rows) == 0:
		return User{}, false, err
	case len(rows) > 1:
		r.refuse(ErrIdentityConflict, "", "a row in one tenant alone, or a credential that names the tenant")
		return User{}, false, nil
	}
	return rows[0], true, nil
}

// there turns ErrNoUser into found being false.
func there(u User, err error) (User, bool, error) {
	if errors.Is(err, ErrNoUser) {
		return User{}, false, nil
	}
	return u, err == nil, err
}
