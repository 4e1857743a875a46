package session

import (
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// ShutIn ends the sessions of a user who is no longer let in, within the
// transaction that says so: enabled again, they have to sign in again. Sessions
// that their identity has in other tenants are not this one's to end.
func (s *Service) ShutIn(tx *store.Tx, by tenant.By, was tenant.User) error {
	all, err := rowsOf(tx, OfUser(was))
	if err != nil {
		return err
	}
	for i := range all {
		if of := all[i].tenant; of != was.Tenant && of != "" {
			continue
		}
		if _, err := s.endIn(tx, By{Actor: by.Actor, Request: by.Request, Decision: by.Decision}, &all[i], "ended", "the user is not let in any more"); err != nil {
			return err
		}
	}
	return nil
}
