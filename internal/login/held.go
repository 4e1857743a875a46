package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Tokens that wait for a second factor of our own, sealed. Whoever shows the
// mfa_token and a factor of the person's gets them, once.

const (
	heldLife   = 5 * time.Minute
	heldInAll  = 100_000 // of a site
	revokeMost = 50      // of one transaction
)

// Holder is somebody whose tokens wait.
type Holder struct {
	Caller `json:"-"`
	// Key stands for the mfa_token: what is begun under one is not ended under
	// another.
	Key                    string    `json:"-"`
	Issuer, Subject, Email string    // Email is verified, or ""
	UserID                 string    // of the users row
	Since, Until           time.Time // while they wait
}

// held is what is kept: sealed.
type held struct {
	Holder Holder          `json:"holder"`
	Later  json.RawMessage `json:"later,omitempty"`
	Tokens []byte          `json:"tokens"`
	// Provider is whose they are: its baseURL. The site may have another by now, which
	// is shown none of them.
	Provider string `json:"provider"`
}

// hold keeps the tokens of an attempt and puts a request for a second factor in
// their place.
func (u *Surface) hold(ctx context.Context, a *attempt, in *SignedIn) error {
	if u.site.Factors == nil {
		return errScript("a script asks for a second factor, which cannot be asked for here")
	}
	token, now := random(), u.s.d.Now()
	h := held{Holder: in.Holder, Later: in.Later, Tokens: a.answer.body, Provider: u.c.BaseURL.String()}
	h.Holder.Since, h.Holder.Until = now, now.Add(heldLife)
	sealed, err := u.s.sealJSON("login_held", digest(token), h)
	if err != nil {
		return err
	}
	err = u.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO login_held (token, site, sealed, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			digest(token), u.site.Name, sealed, now.UnixMilli(), now.Add(heldLife).UnixMilli())
		return err
	})
	if err != nil {
		return err
	}
	a.answer = refusal(403, "mfa_required", "Multifactor authentication required", [2]string{"mfa_token", token})
	return nil
}

// refusal is an answer in the provider's words where Portreeve is in its place.
func refusal(status int, code, text string, more ...[2]string) *answer {
	members := map[string]string{"error": code, "error_description": text}
	for _, m := range more {
		members[m[0]] = m[1]
	}
	return ownAnswer(status, members)
}

func ownAnswer(status int, v any) *answer {
	raw, err := json.Marshal(v)
	if err != nil {
		status, raw = 500, []byte(`{"error":"server_error"}`)
	}
	return newAnswer(status, request.Header{{Name: "Content-Type", Value: "application/json; charset=utf-8"}}, raw)
}

// errLateProof says that an mfa_token was one, and is too old.
var errLateProof = errors.New("login: the mfa_token is expired")

// holding finds what waits for an mfa_token; errGone where nothing does.
func (u *Surface) holding(ctx context.Context, token string, from Caller) (h held, err error) {
	if !plausible(token) {
		return h, errGone
	}
	var sealed []byte
	var ends int64
	err = u.s.d.DB.Read(ctx, func(tx *store.Tx) error {
		return tx.Row(`SELECT sealed, expires_at FROM login_held WHERE token = $1 AND site = $2`, digest(token), u.site.Name).Scan(&sealed, &ends)
	})
	switch {
	case errors.Is(err, store.ErrNone):
		return h, errGone
	case err != nil:
		return h, err
	case u.s.d.Now().UnixMilli() >= ends:
		return h, errLateProof
	}
	err = u.s.openJSON("login_held", digest(token), sealed, &h)
	if err == nil && h.Provider != u.c.BaseURL.String() {
		return held{}, errGone
	}
	h.Holder.Key, h.Holder.Caller = digest(token), from
	return h, err
}

// spendHeld takes what waits away: of any number who try, one has it.
func (u *Surface) spendHeld(ctx context.Context, token string) error {
	return u.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`DELETE FROM login_held WHERE token = $1 AND site = $2 AND expires_at > $3`, digest(token), u.site.Name, u.s.d.Now().UnixMilli())
		if err == nil && n == 0 {
			err = errGone
		}
		return err
	})
}

// endHeld revokes and removes, once a minute, what nobody fetched.
func (u *Surface) endHeld(ctx context.Context) {
	u.s.everyMinute(ctx, "tokens that nobody fetched", u.PruneHeld, "site", u.site.Name)
}

// PruneHeld revokes and removes tokens that waited too long, and the oldest beyond
// what is kept.
func (u *Surface) PruneHeld(ctx context.Context) error {
	for _, which := range []struct {
		query string
		bound int64
	}{
		{`SELECT token FROM login_held WHERE site = $1 AND expires_at <= $2 ORDER BY expires_at, token LIMIT $3`, u.s.d.Now().UnixMilli()},
		{`SELECT token FROM login_held WHERE site = $1 ORDER BY expires_at DESC, token LIMIT $3 OFFSET $2`, heldInAll},
	} {
		for {
			gone, err := u.takeHeld(ctx, which.query, which.bound)
			if err != nil {
				return err
			}
			for _, h := range gone {
				u.revokeHeld(ctx, h)
			}
			if len(gone) < revokeMost {
				break
			}
		}
	}
	return nil
}

// sealedRow is a row as it is taken away.
type sealedRow struct {
	token  string
	sealed []byte
}

func (u *Surface) takeHeld(ctx context.Context, query string, bound int64) (gone []sealedRow, err error) {
	err = u.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		gone, err = store.List(tx, func(row store.Row) (r sealedRow, err error) { return r, row.Scan(&r.token, &r.sealed) },
			`DELETE FROM login_held WHERE token IN (`+query+`) RETURNING token, sealed`, u.site.Name, bound, revokeMost)
		return err
	})
	return gone, err
}

func (u *Surface) revokeHeld(ctx context.Context, row sealedRow) {
	var h held
	err := u.s.openJSON("login_held", row.token, row.sealed, &h)
	if token := newAnswer(200, nil, h.Tokens).text("refresh_token"); err == nil && token != "" && h.Provider == u.c.BaseURL.String() {
		err = u.provider.revoke(ctx, netip.Addr{}, token)
	}
	if err != nil {
		u.s.d.Log.WarnContext(ctx, "login: a refresh token that nobody fetched could not be revoked", "site", u.site.Name, "err", err)
	}
}
