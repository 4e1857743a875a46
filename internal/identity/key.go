package identity

import (
	"context"

	"github.com/portreeve/portreeve/internal/principal"
)

// KeyVerifier is the store of API keys and machine tokens.
type KeyVerifier interface {
	// Parse looks at the shape of a token, its checksum and environment: no I/O.
	// kind is KindAPIKey, KindMachine, or "" with an error, which does not quote
	// the token.
	Parse(token string) (kind string, err error)
	// Verify finds the token's row. Unknown and wrong are the same
	// fault.Unauthenticated after the same work; what changes about a row (revoked,
	// expired, scopes) is not its to say but policy.Directory's.
	Verify(ctx context.Context, token string) (*principal.Principal, error)
}

// DefaultKeyHeader is where API keys are read besides Authorization.
const DefaultKeyHeader = "x-api-key"

// NewAPIKey builds the provider of API keys: read in a header of that name
// (empty: DefaultKeyHeader) and after "Bearer prk_".
func NewAPIKey(header string, v KeyVerifier) *Provider {
	if header == "" {
		header = DefaultKeyHeader
	}
	p := &Provider{Name: KindAPIKey, Kind: KindAPIKey, source: keyHeader, verifier: v, header: header, trustTenant: true}
	return p.seal("", header)
}

// NewMachine builds the provider of machine tokens: read after "Bearer tok_", or
// after "Bearer prk_" where that key is of the machine class. It counts only
// where it is named.
func NewMachine(v KeyVerifier) *Provider {
	p := &Provider{Name: KindMachine, Kind: KindMachine, source: bearer, verifier: v, trustTenant: true}
	return p.seal("")
}
