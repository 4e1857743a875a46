package tenant

import (
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// Now reads what is stored about a caller of a tenant as it stands in a
// transaction, for rules that must not go by what is remembered: Find's answer may
// be older than the transaction. A caller who is refused by now, or whose row has
// become nobody's, is the error. The tenant's role definitions are not part of
// it: whoever asks reads them in the same transaction.
func (d *Directory) Now(tx *store.Tx, who *principal.Principal, tenant string) (*policy.Known, error) {
	bare := *d.directory
	bare.roles = newRoleShelf(nil, nil) // what an unfinished transaction reads is not kept
	r, err := (&Directory{directory: &bare}).look(tx, question{who: who, claim: tenant})
	switch {
	case err != nil:
		return nil, err
	case r.known == nil:
		return nil, ErrIdentityConflict
	case r.known.Refuse != nil:
		return nil, r.known.Refuse
	}
	return r.known, nil
}
