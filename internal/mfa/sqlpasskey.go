package mfa

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/portreeve/portreeve/internal/store"
)

// passkey is one passkey of a person.
type passkey struct {
	id, rp, name string
	credential   webauthn.Credential
	createdAt    time.Time
	usedAt       time.Time
}

func scanPasskey(row store.Row) (passkey, error) {
	var k passkey
	var raw string
	var created, used int64
	err := row.Scan(&k.id, &k.rp, &k.name, &raw, &created, &used)
	k.createdAt, k.usedAt = moment(created), moment(used)
	if err == nil {
		err = json.Unmarshal([]byte(raw), &k.credential)
	}
	return k, err
}

func listPasskeys(tx *store.Tx, p Person) ([]passkey, error) {
	return store.List(tx, scanPasskey, `SELECT id, rp, name, credential, created_at, last_used_at FROM mfa_passkeys
		WHERE tenant_id = $1 AND person = $2 ORDER BY created_at, id`, p.Tenant, p.ID)
}

// insertPasskey reports whether nobody had that credential.
func insertPasskey(tx *store.Tx, p Person, k passkey) (bool, error) {
	raw, err := json.Marshal(k.credential)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(`INSERT INTO mfa_passkeys (tenant_id, person, id, rp, credential_id, credential, name, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, rp, credential_id) DO NOTHING`,
		p.Tenant, p.ID, k.id, k.rp, textOf(k.credential.ID), string(raw), k.name, millis(k.createdAt))
	return n > 0, err
}

// usedPasskey keeps what an authenticator said last: its counter and flags.
func usedPasskey(tx *store.Tx, p Person, id string, c webauthn.Credential, now time.Time) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE mfa_passkeys SET credential = $1, last_used_at = $2 WHERE tenant_id = $3 AND person = $4 AND id = $5`,
		string(raw), now.UnixMilli(), p.Tenant, p.ID, id)
	return err
}

func deletePasskey(tx *store.Tx, p Person, id string) error {
	if _, err := tx.Exec(`DELETE FROM mfa_step_ups WHERE tenant_id = $1 AND person = $2 AND factor_id = $3`, p.Tenant, p.ID, id); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM mfa_passkeys WHERE tenant_id = $1 AND person = $2 AND id = $3`, p.Tenant, p.ID, id)
	return err
}

const mostChallenges = 16 // of one person, not answered

// putChallenge keeps what was asked. Of too many at once the old ones go.
func putChallenge(tx *store.Tx, p Person, kind, challenge string, session []byte, now time.Time) error {
	var open int
	if err := tx.Row(`SELECT COUNT(*) FROM mfa_challenges WHERE tenant_id = $1 AND person = $2 AND expires_at > $3`, p.Tenant, p.ID, now.UnixMilli()).Scan(&open); err != nil {
		return err
	}
	until := now.UnixMilli()
	if open >= mostChallenges {
		until = now.Add(challengeFor).UnixMilli()
	}
	if _, err := tx.Exec(`DELETE FROM mfa_challenges WHERE tenant_id = $1 AND person = $2 AND expires_at <= $3`, p.Tenant, p.ID, until); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO mfa_challenges (tenant_id, person, digest, kind, bound, session, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		p.Tenant, p.ID, digest("challenge", challenge), kind, p.Bound, string(session), now.Add(challengeFor).UnixMilli())
	return err
}

// takeChallenge spends a challenge; ok is false where there is none that this
// caller was given.
func takeChallenge(tx *store.Tx, p Person, kind, challenge string, now time.Time) (session []byte, ok bool, err error) {
	var raw, bound string
	var until int64
	err = tx.Row(`DELETE FROM mfa_challenges WHERE tenant_id = $1 AND person = $2 AND digest = $3 AND kind = $4 RETURNING session, bound, expires_at`,
		p.Tenant, p.ID, digest("challenge", challenge), kind).Scan(&raw, &bound, &until)
	if errors.Is(err, store.ErrNone) {
		return nil, false, nil
	}
	return []byte(raw), err == nil && bound == p.Bound && moment(until).After(now), err
}

// deleteChallenges ends registrations that began under other factors.
func deleteChallenges(tx *store.Tx, p Person) error {
	_, err := tx.Exec(`DELETE FROM mfa_challenges WHERE tenant_id = $1 AND person = $2 AND kind = 'register'`, p.Tenant, p.ID)
	return err
}
