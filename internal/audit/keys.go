package audit

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/vault"
)

// What is derived of a master key for the trail.
const (
	purposeRows        = "audit"
	purposeCheckpoints = "audit-checkpoint"
)

// chainKeys are what one master key gives the trail.
type chainKeys struct {
	rows []byte // HMAC-SHA-256
	sign ed25519.PrivateKey
}

func derive(keys *seal.Keys, id string) (*chainKeys, error) {
	rows, err := keys.Derive(purposeRows, id)
	if err != nil {
		return nil, err
	}
	seed, err := keys.Derive(purposeCheckpoints, id)
	if err != nil {
		return nil, err
	}
	return &chainKeys{rows, ed25519.NewKeyFromSeed(seed)}, nil
}

func (k *chainKeys) bytes() []byte {
	return append(append([]byte(nil), k.rows...), k.sign.Seed()...)
}

// SealedColumns are the columns of the trail that a master key seals: what was
// derived of older ones. With these resealed, a chain verifies although the
// master key that it began under is gone.
func SealedColumns() []vault.Column {
	return []vault.Column{{Table: "audit_keys", Column: "sealed", Row: []string{"key_id"}, Purpose: func(string) string { return purposeRows }}}
}

func keyPlace(id string) seal.Place {
	return seal.Place{Purpose: purposeRows, Table: "audit_keys", Column: "sealed", Row: id}
}

// keepKey stores, once per process, what was derived of the first master key.
func (l *Log) keepKey(tx *store.Tx) error {
	if l.kept.Load() {
		return nil
	}
	sealed, err := l.keys.Seal(keyPlace(l.keyID), l.first.bytes())
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO audit_keys (key_id, sealed) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING`, l.keyID, sealed); err != nil {
		return err
	}
	tx.After(func() { l.kept.Store(true) })
	return nil
}

// keyring are the keys of every master key that the trail was ever kept under,
// with nil for those that cannot be had any more.
type keyring map[string]*chainKeys

// ring reads the stored keys, and says which of them were tampered with.
func (l *Log) ring(tx *store.Tx) (keyring, []Problem, error) {
	type stored struct {
		id     string
		sealed []byte
	}
	list, err := store.List(tx, func(r store.Row) (s stored, err error) {
		return s, r.Scan(&s.id, &s.sealed)
	}, `SELECT key_id, sealed FROM audit_keys ORDER BY key_id`)
	if err != nil {
		return nil, nil, err
	}
	ring, problems := keyring{}, []Problem(nil)
	for _, id := range l.keys.IDs() {
		if ring[id], err = derive(l.keys, id); err != nil {
			return nil, nil, err
		}
	}
	for _, s := range list {
		plain, err := l.keys.Open(keyPlace(s.id), s.sealed)
		switch listed := ring[s.id]; {
		case errors.Is(err, seal.ErrNoKey):
			problems = append(problems, Problem{What: fmt.Sprintf("the stored key %q is sealed under the master key %q, which is not listed", s.id, l.keys.KeyID(s.sealed))})
		case err != nil || len(plain) != 2*32:
			problems = append(problems, Problem{What: fmt.Sprintf("the stored key %q was changed", s.id)})
		case listed == nil:
			ring[s.id] = &chainKeys{plain[:32], ed25519.NewKeyFromSeed(plain[32:])}
		case string(listed.bytes()) != string(plain):
			problems = append(problems, Problem{What: fmt.Sprintf("the stored key %q is not that of the master key", s.id)})
		}
	}
	return ring, problems, nil
}

// ErrNoKey is the error of New without a master key.
var ErrNoKey = fault.New(fault.Internal, "audit_without_master_key", "")

func errNoKey() error {
	return fault.Wrap(ErrNoKey.Kind, ErrNoKey.Code, "", errors.New("the audit trail needs a master key; portreeve masterkey new makes one"))
}
