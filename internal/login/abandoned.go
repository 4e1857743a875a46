package login

import (
	"context"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// Tokens that wait behind a social code which nobody redeems are ended at the
// provider: whoever got hold of the store later finds nothing that is good. That is
// tried once; a provider that is away keeps them until they expire there.

const (
	revokedAtOnce = 10              // of one transaction
	revokeAtEnd   = 3 * time.Second // for those in hand when the process ends
	codeKept      = time.Hour       // of a site that is none any more: then without revocation
)

// endCodes revokes and removes, once a minute, what nobody redeemed.
func (u *Surface) endCodes(ctx context.Context) {
	u.s.everyMinute(ctx, "social codes that nobody redeemed", u.PruneCodes, "site", u.site.Name)
}

// PruneCodes removes the site's social codes that are too old, and revokes the
// refresh tokens behind them.
func (u *Surface) PruneCodes(ctx context.Context) error {
	for ctx.Err() == nil {
		rows, err := u.takeCodes(ctx)
		if err != nil {
			return err
		}
		u.revokeCodes(ctx, rows)
		if len(rows) < revokedAtOnce {
			return nil
		}
	}
	return ctx.Err()
}

// takeCodes takes rows away: of any number of nodes, one has each.
func (u *Surface) takeCodes(ctx context.Context) (rows []sealedRow, err error) {
	err = u.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		rows, err = store.List(tx, func(row store.Row) (r sealedRow, err error) { return r, row.Scan(&r.token, &r.sealed) },
			`DELETE FROM login_codes WHERE code IN (SELECT code FROM login_codes WHERE site = $1 AND expires_at <= $2 ORDER BY expires_at, code LIMIT $3) RETURNING code, sealed`,
			u.site.Name, tx.Now().UnixMilli(), revokedAtOnce)
		return err
	})
	return rows, err
}

// revokeCodes revokes what stands behind rows that were taken, one line of the log
// for all of them.
func (u *Surface) revokeCodes(ctx context.Context, rows []sealedRow) {
	late, cancel := outlast(ctx, revokeAtEnd)
	defer cancel()
	var last error
	failed := 0
	for _, row := range rows {
		var w waiting
		err := u.s.openJSON("login_codes", row.token, row.sealed, &w)
		if err == nil {
			err = u.abandon(late, w)
		}
		if err != nil {
			last, failed = err, failed+1
		}
	}
	if failed > 0 {
		u.s.d.Log.WarnContext(ctx, "login: refresh tokens that nobody redeemed could not be revoked", "site", u.site.Name, "tokens", failed, "err", last)
	}
}

// abandon revokes the refresh token of tokens that nobody gets. Those of a provider
// that the site had before are not this one's to see.
func (u *Surface) abandon(ctx context.Context, w waiting) error {
	token := newAnswer(200, nil, w.Tokens).text("refresh_token")
	if token == "" || w.Provider != u.c.BaseURL.String() {
		return nil
	}
	return u.provider.revoke(ctx, netip.Addr{}, token)
}

// outlast is a context that ends so long after ctx does.
func outlast(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-late.Done():
		case <-time.After(after):
			cancel()
		}
	})
	return late, func() { stop(); cancel() }
}
