package escrow

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	mostOldWrappings = 5
	keepWrappings    = 90 * 24 * time.Hour
	mostUnwraps      = 10
	unwrapSpan       = time.Hour
)

// wrappingBody is what the two posts of wrappings take.
type wrappingBody struct {
	Wrapped     string `json:"wrappedPrivateKey"`
	Recovery    string `json:"recovery"`
	ChallengeID string `json:"challengeId"`
	Proof       string `json:"proof"`
	StepUp      string `json:"stepUp"`
}

// Rewrap adds a wrapping of a key: a new passphrase.
func (s *Service) Rewrap(ctx context.Context, p Person, kid string, b wrappingBody) (version int, err error) {
	if err := s.known(ctx, p, kid); err != nil {
		return 0, err
	}
	copied, err := readWrapped(b.Wrapped, b.Recovery, kid)
	if err != nil {
		return 0, err
	}
	proof, err := readProof(b.ChallengeID, b.Proof)
	if err != nil {
		return 0, err
	}
	if _, err := s.prove(ctx, p, kid, proof, func(tx *store.Tx, _ Challenge) error {
		if copied == nil {
			return nil
		}
		_, err := nextRecovery(tx, p.Tenant, kid)
		return err
	}); err != nil {
		return 0, err
	}
	err = s.turn(ctx, p.Tenant, func(tx *store.Tx) error {
		if err := s.may(tx, p, setKeys); err != nil {
			return err
		}
		now := s.now()
		if version, err = insertWrapping(tx, p.Tenant, kid, envelope.FormatWrapping, b.Wrapped, now); err != nil {
			return err
		}
		if copied != nil {
			copied.createdAt = now
			if err := insertRecovery(tx, p.Tenant, kid, *copied); err != nil {
				return err
			}
		}
		return s.note(tx, p.By, "escrow.wrapping_added", kid, map[string]string{"version": strconv.Itoa(version), "recovery": strconv.FormatBool(copied != nil)})
	})
	return version, err
}

// known refuses a kid that is none of the tenant's, and whoever may not set keys.
func (s *Service) known(ctx context.Context, p Person, kid string) error {
	return s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := s.may(tx, p, setKeys); err != nil {
			return err
		}
		_, err := selectKey(tx, p.Tenant, kid)
		return err
	})
}

// Unwrap removes an old wrapping of a key: a passphrase that somebody else knows.
func (s *Service) Unwrap(ctx context.Context, p Person, kid string, version int, b wrappingBody) error {
	if err := s.known(ctx, p, kid); err != nil {
		return err
	}
	proof, err := readProof(b.ChallengeID, b.Proof)
	if err != nil {
		return err
	}
	old := func(tx *store.Tx) error {
		list, err := wrappingsOf(tx, p.Tenant, kid, s.now())
		if err != nil {
			return err
		}
		for _, w := range list {
			if w.Version == version && w.SupersededAt.IsZero() {
				return ErrCurrent
			}
			if w.Version == version {
				return nil
			}
		}
		return ErrNotFound
	}
	if _, err := s.prove(ctx, p, kid, proof, func(tx *store.Tx, _ Challenge) error { return old(tx) }); err != nil {
		return err
	}
	return s.turn(ctx, p.Tenant, func(tx *store.Tx) error {
		if err := s.may(tx, p, setKeys); err != nil {
			return err
		}
		if err := old(tx); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM escrow_wrappings WHERE tenant_id = $1 AND kid = $2 AND version = $3 AND superseded_at > 0`, p.Tenant, kid, version); err != nil {
			return err
		}
		return s.note(tx, p.By, "escrow.wrapping_removed", kid, map[string]string{"version": strconv.Itoa(version)})
	})
}

// heldKey is a key with what opens it, where that was handed out.
type heldKey struct {
	Key
	wrappings  []Wrapping
	recoveries []recovery
}

// Keys lists a tenant's keys, the current one first. With wrapped, and for whoever
// may reveal, they come with what opens them: that is counted, and in the record
// before it is handed out.
func (s *Service) Keys(ctx context.Context, p Person, wrapped bool) (out []heldKey, opened bool, err error) {
	read := func(tx *store.Tx) error {
		if err := s.may(tx, p, seeMachines); err != nil {
			return err
		}
		list, err := listKeys(tx, p.Tenant)
		if err != nil {
			return err
		}
		out = make([]heldKey, len(list))
		for i, k := range list {
			out[i].Key = k
		}
		if opened, err = s.holds(tx, p, reveal); err != nil {
			return err
		}
		opened = opened && wrapped && len(list) > 0
		return nil
	}
	if err := s.d.DB.Read(ctx, read); err != nil || !opened {
		return out, false, err
	}
	err = s.turn(ctx, p.Tenant, func(tx *store.Tx) error {
		if err := read(tx); err != nil || !opened {
			return err
		}
		if err := s.countUnwrap(tx, p); err != nil {
			return err
		}
		for i := range out {
			if out[i].wrappings, err = wrappingsOf(tx, p.Tenant, out[i].Kid, s.now()); err != nil {
				return err
			}
			if out[i].recoveries, err = recoveriesOf(tx, p.Tenant, out[i].Kid); err != nil {
				return err
			}
		}
		return nil
	})
	return out, opened, err
}

// countUnwrap notes that wrappings are handed out, ten times an hour and user at
// most.
func (s *Service) countUnwrap(tx *store.Tx, p Person) error {
	now := s.now()
	if _, err := tx.Exec(`DELETE FROM escrow_unwraps WHERE tenant_id = $1 AND user_id = $2 AND created_at <= $3`, p.Tenant, p.UserID, now.Add(-unwrapSpan).UnixMilli()); err != nil {
		return err
	}
	var n int
	var oldest int64
	if err := tx.Row(`SELECT COUNT(*), COALESCE(MIN(created_at), 0) FROM escrow_unwraps WHERE tenant_id = $1 AND user_id = $2`, p.Tenant, p.UserID).Scan(&n, &oldest); err != nil {
		return err
	}
	if n >= mostUnwraps {
		f := *ErrUnwraps
		f.RetryAfter = max(at(oldest).Add(unwrapSpan).Sub(now), time.Second)
		return &f
	}
	e := p.event("escrow.wrappings_read", p.UserID, nil)
	e.ID = audit.NewID()
	if _, err := tx.Exec(`INSERT INTO escrow_unwraps (tenant_id, id, user_id, created_at) VALUES ($1, $2, $3, $4)`, p.Tenant, e.ID, p.UserID, ms(now)); err != nil {
		return err
	}
	return s.d.Audit.Append(tx, e)
}

// raw is a wrapping as callers get it: the text, or the older system's object.
func (w Wrapping) raw() json.RawMessage {
	if w.Format == envelope.FormatImported {
		return json.RawMessage(w.Wrapped)
	}
	b, err := json.Marshal(w.Wrapped)
	if err != nil {
		return nil
	}
	return b
}
