package apikey

import (
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// CallerIn is a key of a tenant, and the caller that its newest secret would show,
// for those who ask what the key could do: Grant refuses it where the key opens
// nothing any more. ErrNoKey where the tenant has none of this id.
func (s *Service) CallerIn(tx *store.Tx, tenantID, id string) (Key, *principal.Principal, error) {
	k, err := selectKey(tx, tenantID, id)
	if err != nil {
		return Key{}, nil, err
	}
	hash, err := longest(tx, tenantID, id)
	shown := kept{hashed: hashed{hash: hash}, tenant: tenantID, key: id, machine: k.Machine}
	return k, shown.principal(), err
}
