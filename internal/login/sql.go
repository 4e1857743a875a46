package login

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// Bounds of social sign-ins under way: of one network, which crowds out its own
// oldest alone, and of all.
const (
	startsOfNetwork = 2_000
	startsInAll     = 100_000
	pruneEvery      = time.Minute
	pruneBatch      = 1_000
)

// errGone says that what is to be spent never was, is spent, or is too old.
var errGone = errors.New("login: nothing to spend")

func (u *Surface) keepStart(ctx context.Context, from netip.Addr, state string, b begun) error {
	network, err := u.s.networkOf(from)
	if err != nil {
		return err
	}
	sealed, err := u.s.sealJSON("login_starts", state, b)
	if err != nil {
		return err
	}
	return u.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		if _, err := tx.Exec(`INSERT INTO login_starts (state, site, network, sealed, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			state, u.site.Name, network, sealed, now.UnixMilli(), now.Add(startLife).UnixMilli()); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM login_starts WHERE state IN (SELECT state FROM login_starts WHERE network = $1 ORDER BY created_at DESC, state LIMIT $2 OFFSET $3)`,
			network, pruneBatch, startsOfNetwork)
		return err
	})
}

func (u *Surface) spendStart(ctx context.Context, state string) (b begun, err error) {
	sealed, err := u.spend(ctx, `DELETE FROM login_starts WHERE state = $1 AND site = $2 RETURNING sealed, expires_at`, state)
	if err != nil {
		return b, err
	}
	return b, u.s.openJSON("login_starts", state, sealed, &b)
}

func (u *Surface) keepCode(ctx context.Context, code string, w waiting) error {
	sealed, err := u.s.sealJSON("login_codes", code, w)
	if err != nil {
		return err
	}
	return u.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		_, err := tx.Exec(`INSERT INTO login_codes (code, site, sealed, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			code, u.site.Name, sealed, now.UnixMilli(), now.Add(codeLife).UnixMilli())
		return err
	})
}

func (u *Surface) spendCode(ctx context.Context, code string) (w waiting, err error) {
	var sealed []byte
	err = u.s.d.DB.Tx(ctx, func(tx *store.Tx) error { // one that is too old stays for endCodes
		return tx.Row(`DELETE FROM login_codes WHERE code = $1 AND site = $2 AND expires_at > $3 RETURNING sealed`, code, u.site.Name, tx.Now().UnixMilli()).Scan(&sealed)
	})
	switch {
	case errors.Is(err, store.ErrNone):
		return w, errGone
	case err != nil:
		return w, err
	}
	return w, u.s.openJSON("login_codes", code, sealed, &w)
}

// spend takes a row away: of any number who try, one has it.
func (u *Surface) spend(ctx context.Context, query, digest string) (sealed []byte, err error) {
	err = u.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		var ends int64
		if err := tx.Row(query, digest, u.site.Name).Scan(&sealed, &ends); err != nil {
			return err
		}
		if tx.Now().UnixMilli() >= ends {
			sealed = nil
		}
		return nil
	})
	if errors.Is(err, store.ErrNone) || err == nil && sealed == nil {
		return nil, errGone
	}
	return sealed, err
}

// everyMinute does something until the context ends; left is what stays where it fails.
func (s *Service) everyMinute(ctx context.Context, left string, do func(context.Context) error, attrs ...any) {
	t := time.NewTicker(pruneEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := do(ctx); err != nil && ctx.Err() == nil {
				s.d.Log.WarnContext(ctx, "login: "+left+" were not removed", append(attrs, "err", err)...)
			}
		}
	}
}

// prune removes what is over.
func (s *Service) prune(ctx context.Context) {
	s.everyMinute(ctx, "social sign-ins that are over", s.Prune)
}

// Prune removes social sign-ins that are over, and the oldest beyond what is kept.
func (s *Service) Prune(ctx context.Context) error {
	for _, old := range []struct {
		query string
		since time.Duration
	}{
		{`DELETE FROM login_starts WHERE state IN (SELECT state FROM login_starts WHERE expires_at <= $1 ORDER BY state LIMIT $2)`, 0},
		{`DELETE FROM login_codes WHERE code IN (SELECT code FROM login_codes WHERE expires_at <= $1 ORDER BY code LIMIT $2)`, codeKept}, // their surface is gone: endCodes
	} {
		if err := s.clear(ctx, old.query, func(tx *store.Tx) []any { return []any{tx.Now().Add(-old.since).UnixMilli(), pruneBatch} }); err != nil {
			return err
		}
	}
	return s.clear(ctx, `DELETE FROM login_starts WHERE state IN (SELECT state FROM login_starts ORDER BY expires_at DESC, state LIMIT $1 OFFSET $2)`,
		func(*store.Tx) []any { return []any{pruneBatch, startsInAll} })
}

// clear runs a query until it finds nothing more.
func (s *Service) clear(ctx context.Context, query string, args func(*store.Tx) []any) error {
	for {
		var n int64
		err := s.d.DB.Tx(ctx, func(tx *store.Tx) (err error) { n, err = tx.Exec(query, args(tx)...); return err })
		if err != nil || n < pruneBatch {
			return err
		}
	}
}
