package tenant

import (
	"errors"

	"github.com/portreeve/portreeve/internal/store"
)

// Maker fills in what whoever made the key holds now, as the store stands in the
// transaction, and returns the row of that one; "" where there is none. A maker
// whose row is disabled or gone holds nothing, its claimed roles included.
func (f *KeyFacts) Maker(tx *store.Tx, tenant string) (userID string, err error) {
	g := f.Grant
	g.CreatorRoles = nil
	if g.ByHost {
		return "", nil
	}
	var u User
	switch {
	case f.CreatorUserID != "":
		u, err = UserByID(tx, tenant, f.CreatorUserID)
	case !f.Creator.IsZero():
		u, err = UserByBinding(tx, tenant, f.Creator)
	default:
		return "", nil
	}
	switch {
	case errors.Is(err, ErrNoUser):
		if f.CreatorUserID != "" {
			g.CreatorClaimed = nil
		}
		return "", nil
	case err != nil:
		return "", err
	case u.Disabled:
		g.CreatorClaimed = nil
	default:
		g.CreatorRoles = u.Roles
	}
	return u.ID, nil
}
