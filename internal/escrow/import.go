package escrow

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

// What an import refuses rows with, besides what is wrong with them.
var (
	ErrIDTaken     = fault.New(fault.Conflict, "id_taken", "Another row has this id")
	ErrNoWrapping  = fault.New(fault.BadRequest, "no_wrapping", "No wrapped private key comes with it: nobody could open what is sealed to it")
	ErrMachineGone = fault.New(fault.NotFound, "no_machine", "Its machine is neither taken nor in the store")
	ErrKeyGone     = fault.New(fault.NotFound, "no_key", "The key that it is sealed to is neither taken nor in the store")
	ErrSerialTaken = fault.New(fault.Conflict, "serial_taken", "Another machine has this serial")
)

// KeyRow is a tenant's key as an older system kept it.
type KeyRow struct {
	Public    string // JWK
	Wrapped   string // the older system's JSON, or a JWE
	CreatedAt time.Time
}

// ImportKey takes a key over within a transaction of the caller, who has taken
// the tenant's turn. It keeps the format in which it is wrapped. taken is false
// where it is there already. A tenant that has a key of its own, or has signed an imported one, keeps that as the
// current one: the older one is for what was sealed to it.
func (s *Service) ImportKey(tx *store.Tx, by By, r KeyRow) (taken bool, err error) {
	public, err := envelope.ParsePublic([]byte(r.Public), envelope.ImportedBits)
	if err != nil {
		return false, invalid("publicKey", err)
	}
	switch _, err := selectKey(tx, by.Tenant, public.Kid); {
	case err == nil:
		return false, nil
	case !errors.Is(err, ErrNotFound):
		return false, err
	}
	format, wrapped, err := importedWrapping(r.Wrapped, public.Kid)
	if err != nil {
		return false, err
	}
	now := s.now()
	k := Key{Kid: public.Kid, Public: public.JWK, Imported: true, CreatedAt: past(r.CreatedAt, now)}
	var own, lowest, highest int
	if err := tx.Row(`SELECT COALESCE(SUM(CASE WHEN imported = 0 OR signer <> '' THEN 1 ELSE 0 END), 0), COALESCE(MIN(n), 0), COALESCE(MAX(n), 0) FROM escrow_keys WHERE tenant_id = $1`, by.Tenant).Scan(&own, &lowest, &highest); err != nil {
		return false, err
	}
	if k.N = highest + 1; own > 0 {
		k.N = lowest - 1
	}
	if err := insertKey(tx, by.Tenant, k); err != nil {
		return false, err
	}
	if _, err := insertWrapping(tx, by.Tenant, k.Kid, format, wrapped, now); err != nil {
		return false, err
	}
	return true, s.note(tx, by, "escrow.key_created", k.Kid, map[string]string{"imported": "true", "format": format})
}

// past is a time that an older system wrote: now where it wrote none, or one that
// has yet to come, after which nothing could ever be newer.
func past(t, now time.Time) time.Time {
	if t.IsZero() || t.After(now) {
		return now
	}
	return t
}

func importedWrapping(text, kid string) (format, wrapped string, err error) {
	switch {
	case strings.TrimSpace(text) == "":
		return "", "", ErrNoWrapping
	case strings.Count(text, ".") == 4:
		return envelope.FormatWrapping, text, invalid("wrappedPrivateKey", envelope.CheckWrapping(text, kid))
	}
	w, err := envelope.ParseImported([]byte(text))
	if err != nil {
		return "", "", invalid("wrappedPrivateKey", err)
	}
	raw, err := json.Marshal(w)
	return envelope.FormatImported, string(raw), err
}

// MachineRow is a machine as an older system kept it.
type MachineRow struct {
	ID, Serial, Hostname string
	CreatedAt            time.Time
}

// ImportMachine takes a machine over likewise.
func (s *Service) ImportMachine(tx *store.Tx, by By, r MachineRow) (taken bool, err error) {
	ref := MachineRef{ID: r.ID, Serial: r.Serial, Hostname: r.Hostname}
	if err := ref.check(); err != nil {
		return false, err
	}
	if r.ID == "" {
		return false, input.Invalid("id", "is required")
	}
	switch _, err := machineBy(tx, `m.id = $2`, by.Tenant, r.ID); {
	case err == nil:
		return false, nil
	case !errors.Is(err, errNoMachine):
		return false, err
	}
	if ref.Serial != "" {
		switch _, err := machineBy(tx, `m.serial = $2`, by.Tenant, ref.Serial); {
		case err == nil:
			return false, ErrSerialTaken
		case !errors.Is(err, errNoMachine):
			return false, err
		}
	}
	r.CreatedAt = past(r.CreatedAt, s.now())
	if err := insertMachine(tx, by.Tenant, Machine{ID: r.ID, Serial: ref.Serial, Hostname: ref.Hostname, CreatedAt: r.CreatedAt, SeenAt: r.CreatedAt}); err != nil {
		return false, err
	}
	return true, s.note(tx, by, "machine.created", r.ID, map[string]string{"imported": "true"})
}

// SecretRow is a sealed secret as an older system kept it.
type SecretRow struct {
	ID, Machine, Kind, Label, Kid, Ciphertext string
	CreatedAt                                 time.Time
}

// ImportSecret takes a sealed secret over likewise. One that does not say its key
// is sealed to the newest imported one.
func (s *Service) ImportSecret(tx *store.Tx, by By, r SecretRow) (taken bool, err error) {
	var f input.Fields
	if !visible(r.ID, maxID) {
		f.Add("id", "must be 1 to 128 visible ASCII characters")
	}
	if !line(r.Kind, 1, maxKind) {
		f.Add("kind", "must be one line of 1 to 64 characters")
	}
	if !line(r.Label, 0, maxLabel) {
		f.Add("label", "must be one line of at most 200 characters")
	}
	if err := f.Err(); err != nil {
		return false, err
	}
	switch was, err := selectSecret(tx, by.Tenant, r.ID); {
	case err == nil && was.Ciphertext == r.Ciphertext:
		return false, nil
	case err == nil:
		return false, ErrIDTaken
	case !errors.Is(err, ErrNotFound):
		return false, err
	}
	m, err := machineBy(tx, `m.id = $2`, by.Tenant, r.Machine)
	if errors.Is(err, errNoMachine) {
		return false, ErrMachineGone
	}
	if err != nil {
		return false, err
	}
	k, err := importedKey(tx, by.Tenant, r.Kid)
	if err != nil {
		return false, err
	}
	public, err := envelope.ParsePublic(k.Public, envelope.ImportedBits)
	if err != nil {
		return false, err
	}
	if err := envelope.CheckRaw(r.Ciphertext, public); err != nil {
		return false, invalid("ciphertext", err)
	}
	x := Secret{ID: r.ID, Machine: m.ID, Kind: r.Kind, Label: r.Label, Kid: k.Kid, Format: envelope.FormatRaw, Ciphertext: r.Ciphertext, CreatedAt: past(r.CreatedAt, s.now()),
		digest: digest("secret", m.ID, r.Kind, r.Label, r.Ciphertext)}
	switch _, err := secretByDigest(tx, by.Tenant, m.ID, x.digest); {
	case err == nil: // under another id
		return false, nil
	case !errors.Is(err, ErrNotFound):
		return false, err
	}
	if x.Version, err = nextVersion(tx, by.Tenant, x); err != nil {
		return false, err
	}
	if err := insertSecret(tx, by.Tenant, x); err != nil {
		return false, err
	}
	detail := x.facts()
	detail["imported"] = "true"
	return true, s.note(tx, by, "secret.escrowed", x.ID, detail)
}

// importedKey is the key of a kid, else the newest imported one.
func importedKey(tx *store.Tx, tenantID, kid string) (Key, error) {
	if kid != "" {
		return oneKey(tx.Row(`SELECT `+keyColumns+` FROM escrow_keys k WHERE k.tenant_id = $1 AND k.kid = $2`, tenantID, kid), ErrKeyGone)
	}
	return oneKey(tx.Row(`SELECT `+keyColumns+` FROM escrow_keys k WHERE k.tenant_id = $1 AND k.imported = 1 ORDER BY k.n DESC LIMIT 1`, tenantID), ErrKeyGone)
}
