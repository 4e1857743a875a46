package tenant

import "github.com/portreeve/portreeve/internal/store"

// Gone reports whether the id is one that is not given again: of a tenant that
// was deleted (user ""), or of a user that was. An import asks before it makes
// what stands in a file.
func Gone(tx *store.Tx, tenant, user string) (bool, error) { return isGone(tx, tenant, user) }
