package session

import (
	"context"
	"slices"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// UserSessions lists the sessions of a user of a tenant that have not ended, the newest
// first. tenant.ErrNoUser where the tenant has none of that id.
func (s *Service) UserSessions(ctx context.Context, of, userID string) ([]Session, error) {
	return s.list(ctx, func(tx *store.Tx) ([]row, error) { return rowsOfUser(tx, of, userID) })
}

// RevokeOfUser ends the session of that id, or all of them where it is empty.
// ErrNoSession where the user has no session of that id.
func (s *Service) RevokeOfUser(ctx context.Context, by By, of, userID, id string) (ended int, err error) {
	return s.revoke(ctx, by, id, func(tx *store.Tx) ([]row, error) { return rowsOfUser(tx, of, userID) })
}

// rowsOfUser are a user's sessions as far as they are the tenant's: those that the
// same identity has in other tenants are not this one's to see or to end.
func rowsOfUser(tx *store.Tx, of, userID string) ([]row, error) {
	u, err := tenant.UserByID(tx, of, userID)
	if err != nil {
		return nil, err
	}
	all, err := rowsOf(tx, OfUser(u))
	all = slices.DeleteFunc(all, func(r row) bool { return r.tenant != of && r.tenant != "" })
	for i := range all { // a tenant that was not known at sign-in is known now
		all[i].tenant, all[i].user = of, userID
	}
	return all, err
}
