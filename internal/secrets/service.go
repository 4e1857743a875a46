package secrets

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Deps is what a Service works with.
type Deps struct {
	DB    *store.DB
	Audit *audit.Log
	Feed  *change.Feed // nil: Find is not used
	Keys  *seal.Keys   // nil: nothing can be sealed or opened
	Log   *slog.Logger
}

// Service is the rules of tenants' secrets. Its methods trust actor and tenant:
// whoever calls has seen to it that the actor may act there.
type Service struct {
	d    Deps
	held *cache
}

// New makes a Service.
func New(d Deps) *Service {
	s := &Service{d: d}
	s.held = newCache(func(o *opened) bool { return d.Feed != nil && d.Feed.Holds(o.asOf, o.slot) })
	return s
}

// Fresh is a secret that comes in.
type Fresh struct {
	Key      string
	Value    secret.Value
	Metadata json.RawMessage // an object, or nothing
}

// Create keeps a new secret.
func (s *Service) Create(ctx context.Context, by tenant.By, of string, n Fresh) (out Secret, err error) {
	var f input.Fields
	checkName(&f, n.Key)
	checkValue(&f, "value", n.Value.Reveal())
	meta := metadata(&f, n.Metadata)
	if err := f.Err(); err != nil {
		return Secret{}, err
	}
	err = s.write(ctx, of, func(tx *store.Tx) error {
		row := stored{id: newID(), inHeader: fitsHeader(n.Value.Reveal())}
		if row.sealed, err = s.seal(of, row.id, "sealed", n.Value.Reveal()); err != nil {
			return err
		}
		had, err := count(tx, of)
		if err != nil {
			return err
		}
		free, err := insert(tx, of, n.Key, row, meta)
		switch {
		case err != nil:
			return err
		case !free:
			return ErrTaken
		case had >= maxSecrets:
			return ErrTooMany
		}
		if out, err = get(tx, of, n.Key); err != nil {
			return err
		}
		return s.told(tx, by, of, "secret.created", n.Key, nil)
	})
	return out, err
}

// List returns what may be known of a tenant's secrets, by name, and how many
// there are.
func (s *Service) List(ctx context.Context, of string, p input.Page) (out []Secret, total int, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if _, err := tenant.Get(tx, of); err != nil {
			return err
		}
		if total, err = count(tx, of); err != nil {
			return err
		}
		out, err = list(tx, of, p.Limit, p.Offset)
		return err
	})
	return out, total, err
}

// Rotate gives a secret a new value. The old one stays for some days, 0 to 90;
// what was left of the rotation before ends at once.
func (s *Service) Rotate(ctx context.Context, by tenant.By, of, key string, value secret.Value, days int) (out Secret, err error) {
	var f input.Fields
	checkName(&f, key)
	checkValue(&f, "newValue", value.Reveal())
	if days < 0 || days > maxGrace {
		f.Add("gracePeriodDays", fmt.Sprintf("must be a whole number from 0 to %d", maxGrace))
	}
	if err := f.Err(); err != nil {
		return Secret{}, err
	}
	err = s.write(ctx, of, func(tx *store.Tx) error {
		row, err := read(tx, of, key)
		if err != nil {
			return err
		}
		var previous []byte
		until := int64(0)
		if days > 0 {
			old, err := s.open(of, row.id, "sealed", row.sealed)
			if err != nil {
				return err
			}
			if previous, err = s.seal(of, row.id, "previous", old); err != nil {
				return err
			}
			until = tx.Now().AddDate(0, 0, days).UnixMilli()
		}
		row.inHeader = fitsHeader(value.Reveal())
		if row.sealed, err = s.seal(of, row.id, "sealed", value.Reveal()); err != nil {
			return err
		}
		if err := replace(tx, of, row, previous, until); err != nil {
			return err
		}
		if out, err = get(tx, of, key); err != nil {
			return err
		}
		return s.told(tx, by, of, "secret.rotated", key, map[string]string{"gracePeriodDays": fmt.Sprint(days)})
	})
	return out, err
}

// Delete removes a secret with every value of it.
func (s *Service) Delete(ctx context.Context, by tenant.By, of, key string) error {
	return s.write(ctx, of, func(tx *store.Tx) error {
		if !validName(key) {
			return ErrNone
		}
		switch was, err := remove(tx, of, key); {
		case err != nil:
			return err
		case !was:
			return ErrNone
		}
		return s.told(tx, by, of, "secret.deleted", key, nil)
	})
}

// write runs a rule in a transaction that begins with the tenant's turn.
func (s *Service) write(ctx context.Context, of string, rule func(tx *store.Tx) error) error {
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := tenant.Turn(tx, of); err != nil {
			return err
		}
		return rule(tx)
	})
}

// told leaves the event and the note of a change.
func (s *Service) told(tx *store.Tx, by tenant.By, of, action, key string, detail map[string]string) error {
	change.Note(tx, of, kind, key)
	return s.d.Audit.Append(tx, audit.Event{Tenant: of, Action: action, Target: "secret:" + key, Actor: by.Actor,
		Request: by.Request, Decision: by.Decision, Detail: detail})
}

// kind is what changes of secrets are noted under.
const kind change.Kind = "secret"

func place(of, id, column string) seal.Place {
	return seal.Place{Purpose: "tenant-secret:" + of, Table: "tenant_secrets", Column: column, Tenant: of, Row: id}
}

func (s *Service) seal(of, id, column, value string) ([]byte, error) {
	b, err := s.d.Keys.Seal(place(of, id, column), []byte(value))
	return b, closed(err)
}

func (s *Service) open(of, id, column string, sealed []byte) (string, error) {
	b, err := s.d.Keys.Open(place(of, id, column), sealed)
	return string(b), closed(err)
}

// closed is the fault of a value that cannot be sealed or opened: what is wrong
// is the keys' or the store's, and nothing that the caller sent. The cause is
// for the log.
func closed(err error) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(fault.Unavailable, "secret_unavailable", "Secrets are not available right now", err)
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x", b)
}
