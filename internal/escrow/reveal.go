package escrow

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

const maxReason = 500

// Revealed is a sealed secret on its way to a browser that may open it.
type Revealed struct {
	Secret
	Of      Machine
	AuditID string
}

// Reveal hands out a sealed secret. The event of it, with the reason, is committed
// before: where that fails there is no answer.
func (s *Service) Reveal(ctx context.Context, p Person, id, reason string) (r Revealed, err error) {
	if !line(reason, 1, maxReason) || blank(reason) {
		return r, input.Invalid("reason", "is required: one line of at most 500 characters")
	}
	err = s.turn(ctx, p.Tenant, func(tx *store.Tx) error {
		if err := s.may(tx, p, reveal); err != nil {
			return err
		}
		if r.Secret, err = selectSecret(tx, p.Tenant, id); err != nil {
			return err
		}
		r.Of, err = machineBy(tx, `m.id = $2`, p.Tenant, r.Machine)
		if err != nil && !errors.Is(err, errNoMachine) {
			return err
		}
		if r.Of.Names, err = namesOf(tx, p.Tenant, r.Machine); err != nil {
			return err
		}
		detail := r.facts()
		detail["reason"] = reason
		if err := markRevealed(tx, p.Tenant, r.ID, p.UserID, s.now()); err != nil {
			return err
		}
		e := p.event("secret.revealed", r.ID, detail)
		e.ID = audit.NewID()
		r.AuditID = e.ID
		return s.d.Audit.Append(tx, e)
	})
	if err != nil {
		return Revealed{}, err
	}
	return r, nil
}

// blank reports whether there is nothing in a reason that could be read.
func blank(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) })
}
