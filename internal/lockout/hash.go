package lockout

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/vault"
)

const (
	sealPurpose = "lockout"
	keyID       = "1" // there is one; another would begin all counters anew
	keySize     = 32
)

// Sealed lists the columns that hold sealed values.
func Sealed() []vault.Column {
	return []vault.Column{{Table: "lockout_keys", Column: "sealed", Row: []string{"id"}, Purpose: func(string) string { return sealPurpose }}}
}

func keyPlace() seal.Place {
	return seal.Place{Purpose: sealPurpose, Table: "lockout_keys", Column: "sealed", Row: keyID}
}

// hasher makes names and addresses into digests that only this store has.
type hasher struct {
	mu  sync.Mutex
	key []byte
}

// digest is of parts, none of which can lend another its end.
func (l *Lockout) digest(key []byte, parts ...string) string {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// key is what digests are made with; the first node ever makes it.
func (l *Lockout) key(ctx context.Context) ([]byte, error) {
	l.hash.mu.Lock()
	defer l.hash.mu.Unlock()
	if l.hash.key != nil {
		return l.hash.key, nil
	}
	sealed, err := l.storedKey(ctx)
	if errors.Is(err, store.ErrNone) {
		if err = l.makeKey(ctx); err == nil {
			sealed, err = l.storedKey(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	key, err := l.d.Keys.Open(keyPlace(), sealed)
	if err != nil {
		return nil, err
	}
	if len(key) != keySize {
		return nil, errors.New("lockout: the stored key has another length")
	}
	l.hash.key = key
	return key, nil
}

func (l *Lockout) storedKey(ctx context.Context) (sealed []byte, err error) {
	err = l.d.DB.Read(ctx, func(tx *store.Tx) error {
		return tx.Row(`SELECT sealed FROM lockout_keys WHERE id = $1`, keyID).Scan(&sealed)
	})
	return sealed, err
}

// makeKey stores a key, unless another node was first.
func (l *Lockout) makeKey(ctx context.Context) error {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	sealed, err := l.d.Keys.Seal(keyPlace(), key)
	if err != nil {
		return err
	}
	return l.d.DB.Tx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO lockout_keys (id, sealed) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, keyID, sealed)
		return err
	})
}
