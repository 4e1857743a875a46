package identity

import (
	"context"
	"testing"

	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
)

type oneSession principal.Principal

func (s oneSession) Verify(context.Context, string, string) (*principal.Principal, error) {
	row := principal.Principal(s)
	return &row, nil
}

// A provider is given another issuer under its old name: whoever signed in by the
// one before is not vouched for by the settings of the one now.
func TestASessionOfTheIssuerBeforeCountsNoMore(t *testing.T) {
	t.Parallel()
	for issuer, counts := range map[string]bool{"https://idp.example": true, "https://old.example": false, "": false} {
		row := oneSession{Provider: "corp", Issuer: issuer, Subject: "o-1", SessionID: "s1", SecretDigest: "d",
			Claims: map[string]any{"sub": "o-1", "email": "boss@example.com", "email_verified": true}}
		s := site(t, nil, newOIDC("corp", "https://idp.example", "api"), NewSession("app", row))
		a := Ask{View: get(field{Name: "Cookie", Value: CookieSession + "=0123456789abcdef0123456789abcdef"}), Now: clock}
		r := s.Identify(a)
		if r.Job == nil {
			t.Fatal(r.Fault)
		}
		value, err := r.Job.Run(t.Context())
		a.Settled = []park.Settled{{Key: r.Job.Key, Value: value, Err: err}}
		r = s.Identify(a)
		if r.Fault != nil || r.Unaccepted == counts || !counts && r.Who.EmailVerified {
			t.Errorf("issuer %q: %+v, want it to count: %t", issuer, r, counts)
		}
	}
}
