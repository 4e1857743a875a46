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

// everywhere finds a caller's row where its credential names no tenant: one that
// is bound to it, else one with its verified e-mail that is nobody's yet, among
// the rows that count (see the function of this name on the store). Its address
// being somebody else's is a conflict only where neither is found.
func (d *Directory) everywhere(tx *store.Tx, p *principal.Principal, standard string, r *resolution) (u User, found bool, err error) {
	if p.Kind == principal.Service {
		return there(everywhereService(tx, standard, p.CommonName))
	}
	b, bindable := bindingOf(p)
	if !bindable {
		return User{}, false, nil
	}
	if u, found, err = there(everywhereBound(tx, standard, b)); found || err != nil {
		return u, found, err
	}
	if !p.EmailVerified || p.EmailFolded == "" {
		return User{}, false, nil
	}
	if u, found, err = there(everywhereEmail(tx, standard, p.EmailFolded, false)); found || err != nil {
		return u, found, err
	}
	_, found, err = there(everywhereEmail(tx, standard, p.EmailFolded, true))
	if found {
		r.refuse(ErrIdentityConflict, "", relinkHint)
	}
	return User{}, false, err
}

// there turns ErrNoUser into found being false.
func there(u User, err error) (User, bool, error) {
	if errors.Is(err, ErrNoUser) {
		return User{}, false, nil
	}
	return u, err == nil, err
}
