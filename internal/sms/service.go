package sms

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
)

// Deps is what a Service works with.
type Deps struct {
	DB   *store.DB
	Keys *seal.Keys // nil: nothing is sent
	Now  func() time.Time
	Log  *slog.Logger
	// Refuse reports addresses that are never dialled: our own listeners. nil: none.
	Refuse func(netip.AddrPort) bool
}

// Service keeps what outlives a configuration.
type Service struct {
	d       Deps
	tally   tally
	waiting chan struct{} // one for each who waits for another's send
}

// maxWaiting is how many may wait for the outcome of a send that another has
// begun.
const maxWaiting = 256

// New makes a Service.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{d: d, waiting: make(chan struct{}, maxWaiting)}
}

// now is in whole milliseconds, as the store keeps it.
func (s *Service) now() time.Time { return s.d.Now().Truncate(time.Millisecond) }

// Sweep removes what no limit counts any more. Whoever runs the service calls it
// now and then.
func (s *Service) Sweep(ctx context.Context) error {
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM sms_sends WHERE keep_until <= $1`, s.now().UnixMilli())
		return err
	})
}
