package escrow

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

// failed makes an event one of something that was refused.
func failed(e audit.Event) audit.Event {
	e.Result = "refused"
	return e
}

// Onboarding is a tenant's key on its way in.
type Onboarding struct {
	Public        envelope.Public
	Signer        envelope.Signer
	Signature     string
	Wrapped       string
	Recovery      *recovery
	Proof         Proof
	Replaces      string
	Authorization string
}

// keyBody is what POST /v1/tenant/key takes.
type keyBody struct {
	PublicKey     json.RawMessage `json:"publicKey"`
	SigningKey    json.RawMessage `json:"signingKey"`
	Signature     string          `json:"signature"`
	Wrapped       string          `json:"wrappedPrivateKey"`
	Recovery      string          `json:"recovery"`
	ChallengeID   string          `json:"challengeId"`
	Proof         string          `json:"proof"`
	Replaces      string          `json:"replaces"`
	Authorization string          `json:"authorization"`
	StepUp        string          `json:"stepUp"`
}

// readOnboarding checks all that can be checked without the store.
func readOnboarding(b keyBody) (o Onboarding, err error) {
	if o.Public, err = readPublic(b.PublicKey, envelope.ImportedBits); err != nil {
		return o, err
	}
	o.Signature, o.Wrapped, o.Replaces, o.Authorization = b.Signature, b.Wrapped, b.Replaces, b.Authorization
	if !o.vouches() {
		if _, err := readPublic(b.PublicKey, envelope.NewBits); err != nil {
			return o, err
		}
	}
	if len(b.SigningKey) == 0 || string(b.SigningKey) == "null" {
		return o, input.Invalid("signingKey", "is required: a public Ed25519 JWK")
	}
	if o.Signer, err = envelope.ParseSigner(b.SigningKey); err != nil {
		return o, invalid("signingKey", err)
	}
	if b.Signature == "" {
		return o, input.Invalid("signature", "is required: a compact JWS by the signing key over kid, tenant, createdAt and predecessor of the challenge")
	}
	if o.Recovery, err = readWrapped(b.Wrapped, b.Recovery, o.Public.Kid); err != nil {
		return o, err
	}
	o.Proof, err = readProof(b.ChallengeID, b.Proof)
	return o, err
}

// readWrapped checks a wrapped private key, and the copy for recovery where there
// is one.
func readWrapped(wrapped, sealed, kid string) (*recovery, error) {
	if wrapped == "" {
		return nil, input.Invalid("wrappedPrivateKey", "is required: a compact JWE (PBES2-HS512+A256KW, A256GCM)")
	}
	if err := envelope.CheckWrapping(wrapped, kid); err != nil {
		return nil, invalid("wrappedPrivateKey", err)
	}
	if sealed == "" {
		return nil, nil
	}
	r, err := envelope.ParseRecovery(sealed, kid)
	return &recovery{Recovery: r, sealed: sealed}, invalid("recovery", err)
}

// vouches reports whether a key that is there is to get its signing key.
func (o Onboarding) vouches() bool { return o.Replaces != "" && o.Replaces == o.Public.Kid }

// Onboard takes a tenant's key: the first, or one in place of the current one.
func (s *Service) Onboard(ctx context.Context, p Person, o Onboarding) error {
	err := s.d.DB.Read(ctx, func(tx *store.Tx) error { // what stands against the key says more than a challenge that is over
		if err := s.may(tx, p, setKeys); err != nil {
			return err
		}
		_, err := s.place(tx, p, o)
		return err
	})
	if err != nil {
		return err
	}
	c, err := s.prove(ctx, p, o.Public.Kid, o.Proof, func(tx *store.Tx, c Challenge) error {
		_, err := s.fits(tx, p, o, c)
		return err
	})
	if err != nil {
		return err
	}
	return s.turn(ctx, p.Tenant, func(tx *store.Tx) error {
		if err := s.may(tx, p, setKeys); err != nil {
			return err
		}
		k, err := s.fits(tx, p, o, c)
		if err != nil {
			return err
		}
		now := s.now()
		action := "escrow.key_created"
		switch {
		case o.vouches():
			action = "escrow.key_signed"
			ok, err := vouch(tx, p.Tenant, k)
			if err != nil {
				return err
			}
			if !ok {
				return ErrKeyKnown
			}
		default:
			if k.Succession != "" {
				action = "escrow.key_replaced"
			}
			if err := insertKey(tx, p.Tenant, k); err != nil {
				return err
			}
		}
		if _, err := insertWrapping(tx, p.Tenant, k.Kid, envelope.FormatWrapping, o.Wrapped, now); err != nil {
			return err
		}
		if o.Recovery != nil {
			r := *o.Recovery
			r.createdAt = now
			if err := insertRecovery(tx, p.Tenant, k.Kid, r); err != nil {
				return err
			}
		}
		return s.note(tx, p.By, action, k.Kid, map[string]string{"signer": k.Signer, "predecessor": k.Predecessor})
	})
}

// place is the key that the new one comes after; the zero Key for the first.
func (s *Service) place(tx *store.Tx, p Person, o Onboarding) (current Key, err error) {
	current, err = currentKey(tx, p.Tenant)
	switch {
	case errors.Is(err, ErrNoKey):
		if o.Replaces != "" {
			return current, ErrKeyMoved
		}
		return Key{}, nil
	case err != nil:
		return current, err
	case o.Replaces == "":
		return current, ErrKeyThere
	case o.Replaces != current.Kid:
		return current, ErrKeyMoved
	case o.vouches() && current.Signer != "":
		return current, ErrKeyKnown
	case o.vouches():
		return current, nil
	case current.N >= mostKeys:
		return current, ErrFull
	}
	switch _, err := selectKey(tx, p.Tenant, o.Public.Kid); {
	case err == nil:
		return current, ErrKeyKnown
	case !errors.Is(err, ErrNotFound):
		return current, err
	}
	return current, nil
}

// fits checks a key against the tenant's and against its challenge, and returns
// it as it is to be kept.
func (s *Service) fits(tx *store.Tx, p Person, o Onboarding, c Challenge) (Key, error) {
	current, err := s.place(tx, p, o)
	if err != nil {
		return Key{}, err
	}
	if early := c.CreatedAt.Compare(current.CreatedAt); current.Kid != "" && (early < 0 || early == 0 && !o.vouches()) {
		// Whoever holds the keys against one another would take it for a rollback, for ever.
		return Key{}, input.Invalid("challengeId", "is of a challenge from before the current key: ask for a new one")
	}
	k := Key{Kid: o.Public.Kid, N: current.N + 1, Public: o.Public.JWK, Signer: o.Signer.Kid, Signing: o.Signer.JWK, Signature: o.Signature,
		Predecessor: current.Kid, CreatedAt: c.CreatedAt}
	if o.vouches() {
		k = current
		k.Signer, k.Signing, k.Signature, k.CreatedAt = o.Signer.Kid, o.Signer.JWK, o.Signature, c.CreatedAt
	} else if current.Kid != "" {
		if k.Succession, err = succession(p.Tenant, current, o); err != nil {
			return Key{}, err
		}
	}
	said, err := envelope.VerifyStatement(o.Signature, o.Signer)
	if err != nil {
		return Key{}, invalid("signature", err)
	}
	return k, invalid("signature", said.Mismatch(envelope.Statement{Kid: k.Kid, Tenant: p.Tenant, CreatedAt: k.CreatedAt.Format(stamp), Predecessor: k.Predecessor}))
}

// succession verifies that the current key's signing key wants the next one.
func succession(tenantID string, current Key, o Onboarding) (string, error) {
	if current.Signer == "" {
		return "", input.Invalid("authorization", "cannot be: the current key has no signing key. Give it one first, with replaces its own kid")
	}
	if o.Authorization == "" {
		return "", input.Invalid("authorization", "is required: a compact JWS by the current signing key over the new kid and signer")
	}
	by, err := envelope.ParseSigner(current.Signing)
	if err != nil {
		return "", err
	}
	said, err := envelope.VerifySuccession(o.Authorization, by)
	if err == nil {
		err = said.Mismatch(envelope.Succession{Kid: o.Public.Kid, Signer: o.Signer.Kid, Tenant: tenantID, Predecessor: current.Kid})
	}
	return o.Authorization, invalid("authorization", err)
}
