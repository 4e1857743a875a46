package tenant

import (
	"sync"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
)

// shelfSize bounds how many tenants' roles are kept. One pushes out another
// beyond it, which costs a read.
const shelfSize = 4096

// roleShelf keeps the role definitions of tenants, so that all callers of one
// share them, compiled. Only jobs come here.
type roleShelf struct {
	source RoleSource
	feed   *change.Feed

	mu   sync.Mutex
	kept map[string]shelved
}

type shelved struct {
	roles *policy.StoredRoles
	asOf  int64
	slot  change.Slot
}

func newRoleShelf(source RoleSource, feed *change.Feed) *roleShelf {
	return &roleShelf{source: source, feed: feed, kept: map[string]shelved{}}
}

// of is a tenant's own role definitions. asOf was read before the transaction
// began.
func (s *roleShelf) of(tx *store.Tx, tenant string, asOf int64) (*policy.StoredRoles, error) {
	if s.source == nil {
		return nil, nil
	}
	s.mu.Lock()
	have, ok := s.kept[tenant]
	s.mu.Unlock()
	if ok && s.feed.Holds(have.asOf, have.slot) {
		return have.roles, nil
	}
	defs, err := s.source.Roles(tx, tenant)
	if err != nil {
		return nil, err
	}
	fresh := shelved{policy.NewStoredRoles(defs), asOf, change.SlotOf(tenant, change.Role, "")}
	s.mu.Lock()
	defer s.mu.Unlock()
	if other, ok := s.kept[tenant]; ok && other.asOf > asOf { // somebody read later
		return fresh.roles, nil
	}
	for other := range s.kept {
		if len(s.kept) < shelfSize {
			break
		}
		delete(s.kept, other)
	}
	s.kept[tenant] = fresh
	return fresh.roles, nil
}
