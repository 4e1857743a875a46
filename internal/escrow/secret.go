package escrow

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	maxKind  = 64
	maxLabel = 200
)

// Deposit is a secret on its way in.
type Deposit struct {
	Machine     MachineRef
	Kind, Label string
	Kid         string // "": the header's, else the current one
	Ciphertext  string
}

// readDeposit reads {machine, kind, label?, kid?, ciphertext}.
func readDeposit(body []byte) (d Deposit, err error) {
	var b struct {
		Machine    json.RawMessage `json:"machine"`
		Kind       string          `json:"kind"`
		Label      string          `json:"label"`
		Kid        string          `json:"kid"`
		Ciphertext string          `json:"ciphertext"`
	}
	if err := input.JSON(body, &b); err != nil {
		return d, err
	}
	if d.Machine, err = readMachine(b.Machine); err != nil {
		return d, err
	}
	d.Kind, d.Label, d.Kid, d.Ciphertext = b.Kind, b.Label, b.Kid, b.Ciphertext
	var f input.Fields
	if !line(d.Kind, 1, maxKind) {
		f.Add("kind", "is required: one line of at most 64 characters")
	}
	if !line(d.Label, 0, maxLabel) {
		f.Add("label", "must be one line of at most 200 characters")
	}
	if len(d.Kid) > 64 || !storable(d.Kid) {
		f.Add("kid", "must be the kid of a key of the tenant")
	}
	f.Require("ciphertext", d.Ciphertext != "")
	return d, f.Err()
}

// Escrow keeps a sealed secret. made is false where the very same was kept
// before: then it is that one.
func (s *Service) Escrow(ctx context.Context, by By, d Deposit) (x Secret, made bool, err error) {
	err = s.turn(ctx, by.Tenant, func(tx *store.Tx) error {
		made = false
		x = Secret{Kind: d.Kind, Label: d.Label, Ciphertext: d.Ciphertext, CreatedAt: s.now()}
		if x.Kid, x.Format, err = s.sealedTo(tx, by.Tenant, d); err != nil {
			return err
		}
		m, err := s.seen(tx, by, d.Machine)
		if err != nil {
			return err
		}
		if err := opens(tx, by.Tenant, m, d.Ciphertext); err != nil {
			return err
		}
		x.Machine, x.digest = m.ID, digest("secret", m.ID, d.Kind, d.Label, d.Ciphertext)
		switch was, err := secretByDigest(tx, by.Tenant, m.ID, x.digest); {
		case err == nil:
			x = was
			return nil
		case !errors.Is(err, ErrNotFound):
			return err
		}
		n, err := count(tx, `SELECT COUNT(*) FROM escrow_secrets WHERE tenant_id = $1 AND machine_id = $2`, by.Tenant, m.ID)
		if err != nil {
			return err
		}
		if n >= mostSecrets {
			return ErrFull
		}
		if x.Version, err = nextVersion(tx, by.Tenant, x); err != nil {
			return err
		}
		if err := spend(tx, by, len(x.Ciphertext)+len(x.Kind)+len(x.Label), s.now()); err != nil {
			return err
		}
		x.ID, made = newID("sec_"), true
		if err := insertSecret(tx, by.Tenant, x); err != nil {
			return err
		}
		return s.note(tx, by, "secret.escrowed", x.ID, x.facts())
	})
	return x, made, err
}

// opens refuses what is sealed by a name that its machine will not be listed with:
// whoever opens it would have to take it for another machine's.
func opens(tx *store.Tx, tenantID string, m Machine, ciphertext string) error {
	if !envelope.IsJWE(ciphertext) {
		return nil
	}
	sealed, err := envelope.ParseSealed(ciphertext)
	if err != nil {
		return invalid("ciphertext", err)
	}
	switch m.Names, err = namesOf(tx, tenantID, m.ID); {
	case err != nil || m.is(sealed.Machine):
		return err
	case foldHost(sealed.Machine) == foldHost(m.LastHostname): // one name too many
		return ErrFull
	}
	return input.Invalid("ciphertext", "is sealed for an id or serial that is not the machine's here (protected header): seal it for the hostname, or for the machineId that a report was answered with")
}

// facts are what the audit trail keeps of a secret.
func (x Secret) facts() map[string]string {
	return map[string]string{"machine": x.Machine, "kind": x.Kind, "kid": x.Kid, "format": x.Format}
}

// sealedTo checks a ciphertext, and finds the key that it says it is sealed to.
func (s *Service) sealedTo(tx *store.Tx, tenantID string, d Deposit) (kid, format string, err error) {
	current, err := currentKey(tx, tenantID)
	if err != nil {
		return "", "", err
	}
	kid = d.Kid
	var sealed envelope.Sealed
	format = envelope.FormatRaw
	if envelope.IsJWE(d.Ciphertext) {
		format = envelope.FormatJWE
		if sealed, err = envelope.ParseSealed(d.Ciphertext); err != nil {
			return "", "", input.Invalid("ciphertext", err.Error())
		}
		switch {
		case kid == "":
			kid = sealed.Kid
		case sealed.Kid != "" && sealed.Kid != kid:
			return "", "", input.Invalid("kid", "is another one than that in the ciphertext's protected header")
		}
	}
	key := current
	if kid != "" && kid != current.Kid {
		if key, err = selectKey(tx, tenantID, kid); errors.Is(err, ErrNotFound) {
			return "", "", input.Invalid("kid", "is not that of a key of the tenant")
		}
		if err != nil {
			return "", "", err
		}
	}
	public, err := envelope.ParsePublic(key.Public, envelope.ImportedBits)
	if err != nil {
		return "", "", err
	}
	return key.Kid, format, d.bound(tenantID, sealed, public)
}

// bound checks that the outside of a ciphertext is that of this deposit.
func (d Deposit) bound(tenantID string, sealed envelope.Sealed, public envelope.Public) error {
	if !envelope.IsJWE(d.Ciphertext) {
		return invalid("ciphertext", envelope.CheckRaw(d.Ciphertext, public))
	}
	var f input.Fields
	for _, c := range []struct {
		name string
		same bool
	}{{"tenant", sealed.Tenant == tenantID}, {"machine", d.Machine.called(sealed.Machine)}, {"kind", sealed.Kind == d.Kind}} {
		if !c.same {
			f.Add("ciphertext", "is sealed for another "+c.name+" than the request's (protected header)")
		}
	}
	if err := sealed.To(public); err != nil {
		f.Add("ciphertext", err.Error())
	}
	return f.Err()
}

// invalid is the issue of a field; nil for nil.
func invalid(field string, err error) error {
	if err == nil {
		return nil
	}
	return input.Invalid(field, err.Error())
}
