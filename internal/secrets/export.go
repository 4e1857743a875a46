package secrets

import "github.com/portreeve/portreeve/internal/store"

// Export implements tenant.Part: the names of a tenant's secrets and what may be
// known of them, never a value.
func (s *Service) Export(tx *store.Tx, tenantID string) (name string, value any, err error) {
	out, err := list(tx, tenantID, maxSecrets, 0)
	if out == nil {
		out = []Secret{}
	}
	return "secrets", out, err
}
