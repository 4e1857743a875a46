package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/vault"
)

// openTimeout bounds opening a store, a migration by another process included.
const openTimeout = 2 * time.Minute

// openWith is how a store is opened.
type openWith struct {
	Now func() time.Time
	Log *slog.Logger
	// Refuse reports addresses that services are never called at: our own doors.
	Refuse func(netip.AddrPort) bool
	// Rehearse runs every transaction and keeps nothing: for who only asks.
	Rehearse bool
}

// openStored opens the store of a configuration with its master keys, and makes
// everything that lives in it. A new store gets its key beside it, outside prod.
func openStored(ctx context.Context, l *Loaded, o openWith) (*Stored, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	keys, err := l.sealing(!o.Rehearse)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	manual := o.Rehearse || value(l.File.Store).Migrate == "manual"
	db, err := store.Open(ctx, store.Options{URL: l.StoreURL(), Manual: manual, Rehearse: o.Rehearse, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, fmt.Errorf("the store cannot be opened: %w", err)
	}
	s, err := l.fill(ctx, db, keys, o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// sealing are the master keys, ready to use.
func (l *Loaded) sealing(create bool) (*seal.Keys, error) {
	list, err := l.masterKeys(create)
	if err != nil {
		return nil, err
	}
	keys, err := seal.New(list)
	if err != nil && l.File.MasterKey.Empty() && len(l.File.MasterKeys) == 0 {
		return nil, fmt.Errorf("the file %s beside the store: %w; restore it, the store is sealed with that key", l.keyFile(), err)
	}
	return keys, err
}

// fill holds the store to its keys and makes the features.
func (l *Loaded) fill(ctx context.Context, db *store.DB, keys *seal.Keys, o openWith) (*Stored, error) {
	if err := vault.Check(ctx, db, keys, sealedColumns()...); err != nil {
		return nil, l.keyProblem(err)
	}
	if keys == nil {
		return nil, l.keyProblem(errors.New("there is no master key; portreeve masterkey new prints one for a new store"))
	}
	a := value(l.File.Audit)
	at := ""
	if a.Checkpoint != "" {
		at = l.abs(a.Checkpoint)
	}
	trail, err := audit.New(keys, audit.Options{DB: db, Log: o.Log, Now: o.Now, Checkpoint: at, Every: a.Every.Std()})
	if err != nil {
		return nil, err
	}
	s := newStored(storedDeps{DB: db, Sealed: keys, Audit: trail, Pages: onlyPages(), Env: l.Env, Written: l.Written, Stale: value(l.File.Store).MaxStale.Std(), Refuse: o.Refuse, Now: o.Now, Log: o.Log})
	if err := s.Feed.Poll(ctx); err != nil {
		return nil, fmt.Errorf("the store cannot be read: %w", err)
	}
	return s, nil
}

// keyProblem says where the key was looked for.
func (l *Loaded) keyProblem(err error) error {
	where := "masterKey stands in the configuration"
	if l.File.MasterKey.Empty() && len(l.File.MasterKeys) == 0 {
		where = "the configuration names none"
		if file := l.keyFile(); file != "" {
			where += ", so it is looked for in " + file
		}
	}
	return fmt.Errorf("the store %s cannot be used (%s): %w", l.storeName(), where, plainly(err))
}

// storeName is the store for people: an address may hold a password.
func (l *Loaded) storeName() string {
	if file := l.storeFile(); file != "" {
		return file
	}
	return "in PostgreSQL"
}

// close ends what is stored.
func (s *Stored) close() error {
	if s == nil || s.DB == nil {
		return nil
	}
	return s.DB.Close()
}
