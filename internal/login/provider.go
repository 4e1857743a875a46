package login

import (
	"context"
	"net/netip"
)

// provider is who signs people in, as the gate knows it. Only the gate calls token.
type provider interface {
	// token sends a grant to the token endpoint. The error is a fault: 502, 504.
	token(ctx context.Context, from netip.Addr, g grant) (*answer, error)
	// revoke ends a refresh token.
	revoke(ctx context.Context, from netip.Addr, refresh string) error
}

// The grants, by what they are called here.
const (
	byPassword = "password"
	byRefresh  = "refresh_token"
	byOOB      = "mfa-oob"
	byOTP      = "mfa-otp"
	byRecovery = "mfa-recovery-code"
	byCode     = "authorization_code"
)

// grant is what a person shows, to be put into the words of a provider, with what
// the provider is told besides.
type grant struct {
	kind   string
	fields map[string]string // username and password, refresh_token, mfa_token and a code, …
	// mfa asks for a token of the provider's MFA interface, as its client.
	mfa bool
	// challenge is what challengeRequired says; nil: it is left out.
	challenge *bool
}
