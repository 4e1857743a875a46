package app

import (
	"context"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
)

// Stored is the store and all that lives in it.
type Stored struct{}

func (s *Stored) routes() []gateway.SurfaceRoute     { return nil }
func (s *Stored) verifier() identity.KeyVerifier     { return noKeys{} }
func (s *Stored) directory() policy.Directory        { return nil }
func (s *Stored) secretFinder() gateway.SecretFinder { return nil }
func (b *builder) surfaces() *Stored                 { return b.deps.Stored }

// noKeys stands where a configuration is looked at and no store is open: no key
// is known.
type noKeys struct{}

func (noKeys) Parse(string) (string, error) { return "", errNoStore() }
func (noKeys) Verify(context.Context, string) (*principal.Principal, error) {
	return nil, errNoStore()
}

func errNoStore() error { return fault.New(fault.Unavailable, "store_unavailable", "") }
