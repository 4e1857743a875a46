package apikey

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// Parse implements identity.KeyVerifier: shape, checksum, environment, and
// which provider the token is for. No I/O, and no error quotes the token.
func (s *Service) Parse(text string) (kind string, err error) {
	t, err := s.parse(text)
	switch {
	case err != nil:
		return "", err
	case t.machine():
		return identity.KindMachine, nil
	}
	return identity.KindAPIKey, nil
}

func (s *Service) parse(text string) (token, error) {
	t, err := parseToken(text)
	if err == nil && t.format == formatKey && t.env != s.d.Env {
		err = errEnvironment
	}
	return t, err
}

// Verify implements identity.KeyVerifier. A token that nobody has costs what a
// wrong one costs, one look-up and one hash, and comes to the same fault.
//
// That its key is revoked, disabled or expired is Grant's to say, for every
// decision anew; only a secret that has ended is refused here as well.
func (s *Service) Verify(ctx context.Context, text string) (*principal.Principal, error) {
	t, err := s.parse(text)
	if err != nil {
		return nil, fault.Wrap(fault.Unauthenticated, ErrUnknown.Code, "", err)
	}
	if s.d.Feed != nil {
		if !s.d.Feed.Fresh(s.d.Now()) { // the decision would refuse whatever is found
			return nil, fault.New(fault.Unavailable, "store_unavailable", "The store is not available right now")
		}
		within, cancel := s.d.Feed.Within(ctx)
		defer cancel()
		ctx = within
	}
	var rows []kept
	var now time.Time
	err = s.d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		now = tx.Now()
		rows, err = secretsFor(tx, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	found := match(rows, t)
	switch {
	case found == nil:
		return nil, ErrUnknown
	case !found.expires.IsZero() && !found.expires.After(now):
		return nil, ErrExpired
	}
	return found.principal(), nil
}

// match compares a token with every row that it may be, the decoy where there
// is none, and stops at no match: how long it takes says nothing of which.
func match(rows []kept, t token) *kept {
	if len(rows) == 0 {
		rows = []kept{{hashed: decoy()}}
	}
	var found *kept
	for i := range rows {
		if rows[i].matches(t.text) && rows[i].machine == t.machine() && rows[i].key != "" {
			found = &rows[i]
		}
	}
	return found
}

// principal is what a matching token proves.
func (k *kept) principal() *principal.Principal {
	p := &principal.Principal{
		Kind: principal.Service, Provider: identity.KindAPIKey, ProviderKind: identity.KindAPIKey, Subject: "key:" + k.key,
		Tenant: k.tenant, TrustTenant: true, CredentialID: k.key, SecretDigest: k.hash,
	}
	if k.machine {
		p.Kind, p.Provider, p.ProviderKind, p.Subject = principal.Machine, identity.KindMachine, identity.KindMachine, "machine:"+k.key
	}
	return p
}
