package mfa

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// standing is a person's own row.
type standing struct {
	handle      string
	codeKey     []byte
	codes       []byte
	codesUntil  time.Time
	wrong       []int64
	lockLevel   int64
	lockedUntil time.Time
}

// turn takes a person's turn: its writers follow each other from here to the end
// of their transactions, on both engines. The row is made at the first.
func turn(tx *store.Tx, p Person, now time.Time) (*standing, error) {
	st := &standing{}
	var wrong string
	var codes, until int64
	err := tx.Row(`INSERT INTO mfa_people (tenant_id, person, handle, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, person) DO UPDATE SET rev = mfa_people.rev + 1
		RETURNING handle, code_key, codes, codes_until, wrong, lock_level, locked_until`, p.Tenant, p.ID, random(), now.UnixMilli()).
		Scan(&st.handle, &st.codeKey, &st.codes, &codes, &wrong, &st.lockLevel, &until)
	st.codesUntil, st.lockedUntil = moment(codes), moment(until)
	if err == nil {
		err = json.Unmarshal([]byte(wrong), &st.wrong)
	}
	return st, err
}

// moment is a stored time; 0 is none.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func lockedUntil(tx *store.Tx, p Person) (time.Time, error) {
	var until int64
	err := tx.Row(`SELECT locked_until FROM mfa_people WHERE tenant_id = $1 AND person = $2`, p.Tenant, p.ID).Scan(&until)
	if errors.Is(err, store.ErrNone) {
		err = nil
	}
	return moment(until), err
}

func setWrong(tx *store.Tx, p Person, wrong []int64, level int64, until time.Time) error {
	if wrong == nil {
		wrong = []int64{}
	}
	raw, err := json.Marshal(wrong)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE mfa_people SET wrong = $1, lock_level = $2, locked_until = $3 WHERE tenant_id = $4 AND person = $5`,
		string(raw), level, millis(until), p.Tenant, p.ID)
	return err
}

func setCodeKey(tx *store.Tx, p Person, sealed []byte) error {
	_, err := tx.Exec(`UPDATE mfa_people SET code_key = $1, codes = NULL, codes_until = 0 WHERE tenant_id = $2 AND person = $3`, sealed, p.Tenant, p.ID)
	return err
}

func setShown(tx *store.Tx, p Person, sealed []byte, until time.Time) error {
	_, err := tx.Exec(`UPDATE mfa_people SET codes = $1, codes_until = $2 WHERE tenant_id = $3 AND person = $4`, sealed, millis(until), p.Tenant, p.ID)
	return err
}

// clearShown reports whether the codes had not been shown yet.
func clearShown(tx *store.Tx, p Person) (bool, error) {
	n, err := tx.Exec(`UPDATE mfa_people SET codes = NULL, codes_until = 0 WHERE tenant_id = $1 AND person = $2 AND codes IS NOT NULL`, p.Tenant, p.ID)
	return n > 0, err
}

func insertCode(tx *store.Tx, p Person, digest string) error {
	_, err := tx.Exec(`INSERT INTO mfa_backup_codes (tenant_id, person, digest) VALUES ($1, $2, $3)`, p.Tenant, p.ID, digest)
	return err
}

func deleteCodes(tx *store.Tx, p Person) error {
	_, err := tx.Exec(`DELETE FROM mfa_backup_codes WHERE tenant_id = $1 AND person = $2`, p.Tenant, p.ID)
	return err
}

// spendCode reports whether there was such a code that nobody had used.
func spendCode(tx *store.Tx, p Person, digest string, now time.Time) (bool, error) {
	n, err := tx.Exec(`UPDATE mfa_backup_codes SET used_at = $1 WHERE tenant_id = $2 AND person = $3 AND digest = $4 AND used_at = 0`,
		now.UnixMilli(), p.Tenant, p.ID, digest)
	return n > 0, err
}

func remainingCodes(tx *store.Tx, p Person) (n int, err error) {
	err = tx.Row(`SELECT COUNT(*) FROM mfa_backup_codes WHERE tenant_id = $1 AND person = $2 AND used_at = 0`, p.Tenant, p.ID).Scan(&n)
	return n, err
}

// totp is a person's authenticator app.
type totp struct {
	id            string
	secret        []byte // sealed
	bound         string
	verifiedUntil time.Time
	enabledAt     time.Time // zero: pending
	createdAt     time.Time
}

func (t *totp) enabled() bool { return t != nil && !t.enabledAt.IsZero() }

// readTOTP is nil where there is none, and where it has been pending for too
// long.
func readTOTP(tx *store.Tx, p Person, now time.Time) (*totp, error) {
	t := &totp{}
	var verified, enabled, created int64
	err := tx.Row(`SELECT id, secret, bound, verified_until, enabled_at, created_at FROM mfa_totp WHERE tenant_id = $1 AND person = $2`, p.Tenant, p.ID).
		Scan(&t.id, &t.secret, &t.bound, &verified, &enabled, &created)
	if errors.Is(err, store.ErrNone) {
		return nil, nil
	}
	t.verifiedUntil, t.enabledAt, t.createdAt = moment(verified), moment(enabled), moment(created)
	if err == nil && !t.enabled() && !now.Before(t.createdAt.Add(pendingFor)) {
		return nil, nil
	}
	return t, err
}

// putPending replaces what is pending.
func putPending(tx *store.Tx, p Person, id string, sealed []byte, now time.Time) (bool, error) {
	n, err := tx.Exec(`INSERT INTO mfa_totp (tenant_id, person, id, secret, bound, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant_id, person) DO UPDATE SET id = excluded.id, secret = excluded.secret, bound = excluded.bound, verified_until = 0,
		last_step = 0, created_at = excluded.created_at WHERE mfa_totp.enabled_at = 0`, p.Tenant, p.ID, id, sealed, p.Bound, now.UnixMilli())
	return n > 0, err
}

// spendStep reports whether no code of that step or a later one was used before.
func spendStep(tx *store.Tx, p Person, id string, step int64) (bool, error) {
	n, err := tx.Exec(`UPDATE mfa_totp SET last_step = $1 WHERE tenant_id = $2 AND person = $3 AND id = $4 AND last_step < $5`, step, p.Tenant, p.ID, id, step)
	return n > 0, err
}

func setVerified(tx *store.Tx, p Person, id string, until time.Time) error {
	_, err := tx.Exec(`UPDATE mfa_totp SET verified_until = $1 WHERE tenant_id = $2 AND person = $3 AND id = $4`, until.UnixMilli(), p.Tenant, p.ID, id)
	return err
}

func enableTOTP(tx *store.Tx, p Person, id string, now time.Time) error {
	_, err := tx.Exec(`UPDATE mfa_totp SET enabled_at = $1, verified_until = 0 WHERE tenant_id = $2 AND person = $3 AND id = $4`, now.UnixMilli(), p.Tenant, p.ID, id)
	return err
}

func deletePending(tx *store.Tx, p Person) error {
	_, err := tx.Exec(`DELETE FROM mfa_totp WHERE tenant_id = $1 AND person = $2 AND enabled_at = 0`, p.Tenant, p.ID)
	return err
}

// deleteAll removes every factor of a person, and what they gave. The row stays:
// it knows what was wrong lately.
func deleteAll(tx *store.Tx, p Person) error {
	for _, query := range []string{
		`DELETE FROM mfa_totp WHERE tenant_id = $1 AND person = $2`,
		`DELETE FROM mfa_passkeys WHERE tenant_id = $1 AND person = $2`,
		`DELETE FROM mfa_backup_codes WHERE tenant_id = $1 AND person = $2`,
		`DELETE FROM mfa_challenges WHERE tenant_id = $1 AND person = $2`,
		`DELETE FROM mfa_step_ups WHERE tenant_id = $1 AND person = $2`,
		`UPDATE mfa_people SET code_key = NULL, codes = NULL, codes_until = 0 WHERE tenant_id = $1 AND person = $2`,
	} {
		if _, err := tx.Exec(query, p.Tenant, p.ID); err != nil {
			return err
		}
	}
	return nil
}
