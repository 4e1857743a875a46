package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/vault"
)

// ErrNoStore says that there is nothing to work on yet.
var ErrNoStore = errors.New("there is no store yet: serve makes one, and so does portreeve migrate")

// plainStore reads a configuration and says where its store is, without master
// keys: what moves rows about does not open what is sealed in them.
func plainStore(s Source) (*Loaded, error) {
	l, err := Load(s)
	if err != nil {
		return nil, err
	}
	if l.Doc.Failed() {
		return nil, &ConfigError{l.Doc.Problems()}
	}
	return l, nil
}

// StoreStatus says how far the store of a configuration has been migrated,
// without touching it.
func StoreStatus(ctx context.Context, s Source) (store.Status, error) {
	l, err := plainStore(s)
	if err != nil {
		return store.Status{}, err
	}
	if l.newStore() {
		return store.Status{}, ErrNoStore
	}
	return store.Inspect(ctx, store.Options{URL: l.StoreURL()})
}

// MigrateStore brings the store up to this release, whatever store.migrate says,
// and makes one with its master key where there is none.
func MigrateStore(ctx context.Context, s Source) (before, after store.Status, err error) {
	l, err := plainStore(s)
	if err != nil {
		return before, after, err
	}
	if !l.newStore() {
		if before, err = store.Inspect(ctx, store.Options{URL: l.StoreURL()}); err != nil {
			return before, after, err
		}
	}
	keys, err := l.sealing(true)
	if err != nil {
		return before, after, err
	}
	if before.Version == 0 && keys == nil {
		return before, after, l.keyProblem(errors.New("a new store needs one; portreeve masterkey new prints one"))
	}
	db, err := store.Open(ctx, store.Options{URL: l.StoreURL()})
	if err != nil {
		return before, after, err
	}
	if after, err = db.Status(ctx); err == nil && keys != nil {
		if err = vault.Check(ctx, db, keys, sealedColumns()...); err != nil {
			err = l.keyProblem(err)
		}
	}
	return before, after, errors.Join(err, db.Close())
}

// BackupStore writes a consistent copy of the store of a configuration into a
// new file, while it is served.
func BackupStore(ctx context.Context, s Source, file string) (store.Verified, error) {
	l, err := plainStore(s)
	if err != nil {
		return store.Verified{}, err
	}
	if l.newStore() {
		return store.Verified{}, ErrNoStore
	}
	db, err := store.Open(ctx, store.Options{URL: l.StoreURL(), Manual: true})
	if err != nil {
		return store.Verified{}, err
	}
	if err := errors.Join(db.Backup(ctx, file), db.Close()); err != nil {
		return store.Verified{}, err
	}
	return store.VerifyBackup(ctx, file)
}

// CopyStore copies everything from one store into another, new one, and compares
// what arrived.
func CopyStore(ctx context.Context, from, to string) ([]store.Copied, error) {
	if file, ok := strings.CutPrefix(from, "sqlite:"); ok {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("the store to copy from: %w", err)
		}
	}
	a, err := store.Open(ctx, store.Options{URL: from, Manual: true})
	if err != nil {
		return nil, fmt.Errorf("the store to copy from: %w", err)
	}
	b, err := store.Open(ctx, store.Options{URL: to})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the store to copy to: %w", err), a.Close())
	}
	out, err := store.Copy(ctx, a, b)
	return out, errors.Join(err, a.Close(), b.Close())
}

// RotateMasterKey seals everything anew under the first master key. It may be
// stopped and started again, and runs beside a serving process that knows both
// keys.
func (h *Host) RotateMasterKey(ctx context.Context) ([]vault.Resealed, error) {
	out, err := vault.Reseal(ctx, h.DB, h.Sealed, sealedColumns(), 0)
	if err != nil {
		return out, err
	}
	result := "ok"
	for _, r := range out {
		if r.Failed > 0 {
			result = "incomplete"
		}
	}
	return out, h.DB.Tx(ctx, func(tx *store.Tx) error {
		return h.Audit.Append(tx, audit.Event{Action: "masterkey.rotated", Target: h.Sealed.First(), Result: result, Actor: h.Actor()})
	})
}

// SealedBy says how many values are sealed under which master key, and which
// keys the configuration lists.
func (h *Host) SealedBy(ctx context.Context) (keys *seal.Keys, columns []vault.Status, err error) {
	columns, err = vault.Count(ctx, h.DB, h.Sealed, sealedColumns())
	return h.Sealed, columns, err
}
