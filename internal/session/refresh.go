package session

import (
	"bytes"
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	// leaseTime is longer than a provider may take and its answer take to be stored:
	// nobody else spends the refresh token meanwhile.
	leaseTime = 45 * time.Second
	// storeTime is how long the answer is tried to be stored: the token before it is
	// spent.
	storeTime = 15 * time.Second
	// pollEvery is how soon another node's refresh is looked at again, at first.
	pollEvery = 10 * time.Millisecond
	pollMost  = 200 * time.Millisecond
)

// flight is a refresh under way on this node.
type flight struct {
	done chan struct{}
	err  error // set before done is closed
}

// refreshed has the tokens of a session refreshed, once for all who ask at a time.
// It goes on when the asker is gone: what the provider has handed out must be
// stored.
func (s *Service) refreshed(ctx context.Context, id string) error {
	s.mu.Lock()
	f := s.flights[id]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		s.flights[id] = f
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTime+storeTime)
			defer cancel()
			f.err = s.refresh(ctx, id)
			s.mu.Lock()
			delete(s.flights, id)
			s.mu.Unlock()
			close(f.done)
		}()
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return down(ctx.Err())
	}
}

// refresh takes the lease of a session and refreshes, or waits for whoever has it.
// nil: the session goes on, or has ended, which reading it tells.
func (s *Service) refresh(ctx context.Context, id string) error {
	for pause := pollEvery; ; pause = min(2*pause, pollMost) {
		r, leased, err := s.lease(ctx, id)
		switch {
		case err != nil:
			return err
		case leased:
			return s.spendRefresh(ctx, &r)
		case r.id == "" || !r.due(s.d.Now()):
			return nil
		case r.spent(s.d.Now()) && r.lease == "":
			return ErrProvider
		case r.lease == "": // a moment ago it failed
			return nil
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
			return down(ctx.Err())
		case <-wait.C:
		}
	}
}

// lease takes a session's lease where it is due and nobody has it. r is the session
// as it stands either way; without an id it is gone.
func (s *Service) lease(ctx context.Context, id string) (r row, leased bool, err error) {
	r, err = read(ctx, s, func(tx *store.Tx) (row, error) {
		r, _, err := byID(tx, id)
		return r, err
	})
	now := s.d.Now().UnixMilli()
	if err != nil || r.id == "" || !r.due(s.d.Now()) || r.retryAt > now || r.lease != "" && r.leaseUntil > now {
		if r.lease != "" && r.leaseUntil <= now {
			r.lease = "" // whoever had it is gone
		}
		return r, false, err
	}
	token := random()
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		leased = false
		now := tx.Now()
		n, err := tx.Exec(`UPDATE sessions SET lease = $2, lease_until = $3
			WHERE id = $1 AND tokens_end <> 0 AND tokens_end <= $4 AND retry_at <= $4 AND (lease = '' OR lease_until <= $4)`,
			id, token, now.Add(leaseTime).UnixMilli(), now.UnixMilli())
		if err != nil {
			return err
		}
		r, _, err = byID(tx, id)
		leased = n > 0 && err == nil
		return err
	})
	return r, leased, err
}

// spendRefresh asks the provider; the caller has the lease.
func (s *Service) spendRefresh(ctx context.Context, r *row) error {
	plain, err := s.d.Keys.Open(place("sessions", "refresh", r.id), r.refresh)
	if err != nil {
		return errors.Join(err, s.release(ctx, r, ""))
	}
	f, err := s.factsOf(r)
	if err != nil {
		return errors.Join(err, s.release(ctx, r, ""))
	}
	p := s.provider(r.provider)
	if p == nil || issuerOf(p) != f.Issuer { // or another goes by its name now, who is not to be shown the token
		return s.failed(ctx, r, "", down(errors.New("nobody signs in by provider "+r.provider+" any more")))
	}
	got, err := s.askRefresh(ctx, p, string(plain), f.Nonce)
	var refused *fault.Error
	switch {
	case errors.Is(err, errSpent):
		return s.endLeased(ctx, r, "the provider ended it")
	case errors.As(err, &refused) && refused.Kind == fault.Unauthenticated:
		s.d.Log.WarnContext(ctx, "a refreshed ID token was refused; the session has ended", "provider", p.Name, "session", r.id, "err", refused.Err)
		return s.endLeased(ctx, r, "the provider's ID token was refused")
	case err != nil:
		spent := ""
		if got != nil {
			spent = got.refresh // handed out before the trouble: the one before it counts no more
		}
		return s.failed(ctx, r, spent, err)
	case got.id != nil && (got.id.Who.Issuer != f.Issuer || got.id.Who.Subject != f.Subject):
		s.d.Log.WarnContext(ctx, "a refreshed ID token is about somebody else; the session has ended", "provider", p.Name, "session", r.id)
		return s.endLeased(ctx, r, "the provider's ID token was about somebody else")
	}
	return s.keep(ctx, r, f, got)
}

// askRefresh spends a refresh token. With an error, what came back is there as far
// as it could be read.
func (s *Service) askRefresh(ctx context.Context, p *identity.Provider, token, nonce string) (*tokens, error) {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, s.http), 2*remoteTime)
	defer cancel()
	doc, err := s.document(ctx, p)
	if err != nil {
		return nil, err
	}
	conf, err := doc.config(p.Client(), "")
	if err != nil {
		return nil, err
	}
	got, err := conf.TokenSource(ctx, &oauth2.Token{RefreshToken: token}).Token()
	if err != nil {
		return nil, grantError(err)
	}
	return s.tokens(ctx, p, got, nonce, true)
}

// keep stores what came of a refresh: the new refresh token, until when, and what
// the person's claims are now. Whose claims have changed goes on under a new
// cookie, since the one before is remembered with the old ones.
func (s *Service) keep(ctx context.Context, r *row, f facts, got *tokens) error {
	refresh, err := s.sealRefresh(r.id, got.refresh)
	if err != nil {
		return err
	}
	sealed, changed := r.facts, false
	if got.id != nil && !sameClaims(f.Claims, got.claims) {
		f.Claims, changed = got.claims, true
		if sealed, err = s.sealJSON(place("sessions", "facts", r.id), f); err != nil {
			return err
		}
	}
	return s.surely(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`UPDATE sessions SET facts = $3, refresh = $4, refresh_rev = refresh_rev + 1, tokens_end = $5, retry_at = 0, lease = '', lease_until = 0
			WHERE id = $1 AND lease = $2`, r.id, r.lease, sealed, refresh, tokensEnd(got, tx.Now()))
		if err != nil || n == 0 || !changed {
			return err
		}
		return s.renewIn(tx, r.id)
	})
}

// sameClaims reports whether claims say the same but for when they were made.
func sameClaims(a, b []byte) bool {
	strip := func(raw []byte) []byte {
		m, err := decodeClaims(raw)
		if err != nil {
			return raw
		}
		for _, name := range []string{"iat", "exp", "nbf", "auth_time", "aio", "azp", "sid"} {
			delete(m, name)
		}
		out, err := marshalClaims(m)
		if err != nil {
			return raw
		}
		return out
	}
	return bytes.Equal(strip(a), strip(b))
}

// failed gives the lease back after trouble with the provider. The session goes on
// for the grace; refresh, where it is not empty, is a token that has been handed
// out meanwhile.
func (s *Service) failed(ctx context.Context, r *row, refresh string, cause error) error {
	s.d.Log.WarnContext(ctx, "tokens of a session could not be refreshed", "provider", r.provider, "session", r.id, "err", cause)
	if err := s.release(ctx, r, refresh); err != nil {
		return err
	}
	if r.spent(s.d.Now()) {
		return fault.From(cause)
	}
	return nil
}

func (s *Service) release(ctx context.Context, r *row, refresh string) error {
	sealed := r.refresh
	if refresh != "" {
		var err error
		if sealed, err = s.sealRefresh(r.id, refresh); err != nil {
			return err
		}
	}
	return s.surely(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE sessions SET refresh = $3, retry_at = $4, lease = '', lease_until = 0 WHERE id = $1 AND lease = $2`,
			r.id, r.lease, sealed, tx.Now().Add(retryEvery).UnixMilli())
		return err
	})
}

// endLeased ends a session whose lease the caller still has: a provider that takes
// a refresh token no more says nothing where somebody else has spent it.
func (s *Service) endLeased(ctx context.Context, r *row, reason string) error {
	return s.surely(ctx, func(tx *store.Tx) error {
		if found, err := hold(tx, r.id); err != nil || !found {
			return err
		}
		now, found, err := byID(tx, r.id)
		if err != nil || !found || now.lease != r.lease {
			return err
		}
		_, err = s.endIn(tx, system(), &now, "ended", reason)
		return err
	})
}

// surely stores what must not be lost, over a store that is away for a moment.
func (s *Service) surely(ctx context.Context, fn func(tx *store.Tx) error) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	for wait := pollEvery; ; wait *= 2 {
		if err = s.d.DB.Tx(ctx, fn); err == nil || fault.From(err).Kind != fault.Unavailable {
			return err
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
	}
}
