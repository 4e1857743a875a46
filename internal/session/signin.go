package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// tokens are what a provider handed out, verified as far as there is an ID token.
type tokens struct {
	id      *identity.IDToken // nil: there was none
	claims  []byte
	refresh string
	ends    time.Time // when they have to be refreshed; zero: never
}

// exchange turns a code into tokens.
func (s *Service) exchange(ctx context.Context, p *identity.Provider, b start, code string) (*tokens, error) {
	doc, err := s.document(ctx, p)
	if err != nil {
		return nil, err
	}
	conf, err := doc.config(p.Client(), b.Redirect)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, s.http), 2*remoteTime)
	defer cancel()
	got, err := conf.Exchange(ctx, code, oauth2.VerifierOption(b.Verifier))
	if err != nil {
		return nil, grantError(err)
	}
	return s.tokens(ctx, p, got, b.Nonce, false)
}

// tokens verifies what the token endpoint answered.
func (s *Service) tokens(ctx context.Context, p *identity.Provider, got *oauth2.Token, nonce string, refreshed bool) (*tokens, error) {
	out := &tokens{refresh: got.RefreshToken}
	if got.ExpiresIn > 0 {
		out.ends = s.d.Now().Add(time.Duration(min(got.ExpiresIn, mostTokens)) * time.Second)
	}
	raw, _ := got.Extra("id_token").(string)
	if raw == "" && refreshed {
		return out, nil
	}
	id, err := p.VerifyIDToken(ctx, identity.IDAsk{Token: raw, Nonce: nonce, Refreshed: refreshed, AccessToken: got.AccessToken, Now: s.d.Now()})
	if err != nil {
		return out, err
	}
	if out.claims, err = identity.StoredClaims(id.Who.Claims); err != nil {
		return out, err
	}
	out.id = id
	if end := id.Who.Expires; out.ends.IsZero() || end.Before(out.ends) {
		out.ends = end
	}
	return out, nil
}

// mostTokens bounds what a provider says of how long its tokens live, in seconds.
const mostTokens = 365 * 24 * 3600

// leastTokens is how long tokens are taken to be good at least: a provider whose
// tokens live for seconds is not asked at every request.
const leastTokens = 30 * time.Second

// tokensEnd is when tokens have to be refreshed, as it is stored.
func tokensEnd(t *tokens, now time.Time) int64 {
	if t.ends.IsZero() {
		return 0
	}
	if least := now.Add(leastTokens); t.ends.Before(least) {
		return millis(least)
	}
	return millis(t.ends)
}

// arrival is somebody who is about to have a session.
type arrival struct {
	who      *principal.Principal
	facts    facts
	sid      string
	refresh  string
	tokens   *tokens
	standing Standing
	previous string // cookie of the session that the browser had; it ends
}

// startSession makes a session with a new id and a new cookie, and ends those that
// are too many.
func (s *Service) startSession(ctx context.Context, by By, t *Site, a arrival) (cookie string, err error) {
	l := t.Config.limits()
	id := newID()
	sealed, err := s.sealJSON(place("sessions", "facts", id), a.facts)
	if err != nil {
		return "", err
	}
	refresh, err := s.sealRefresh(id, a.refresh)
	if err != nil {
		return "", err
	}
	cookie = random()
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		r := row{
			id: id, tenant: a.standing.Tenant, user: a.standing.UserID, site: t.Name, provider: a.who.Provider, owner: ownerOfWho(a.who),
			facts: sealed, refresh: refresh, stood: a.standing.Stood, idle: l.idle.Milliseconds(), seenAt: now.UnixMilli(),
			authTime: millis(a.who.AuthTime), createdAt: now.UnixMilli(), endsAt: now.Add(l.absolute).UnixMilli(),
		}
		if a.sid != "" {
			r.sid = sidOf(a.who.Provider, a.who.Issuer, a.sid)
		}
		if a.tokens != nil {
			r.tokensEnd = tokensEnd(a.tokens, now)
		}
		if err := takeTurn(tx, r.owner); err != nil {
			return err
		}
		if err := s.replaced(tx, by, a.previous, t.Name); err != nil {
			return err
		}
		if err := insertRow(tx, r); err != nil {
			return err
		}
		if err := insertCookie(tx, hashOf(cookie), id); err != nil {
			return err
		}
		note(tx, id)
		if err := s.crowd(tx, &r, l.perUser); err != nil {
			return err
		}
		return s.d.Audit.Append(tx, by.event(&r, "started", nil))
	})
	return cookie, err
}

// replaced ends the session that the browser had before: it has one at a time.
func (s *Service) replaced(tx *store.Tx, by By, previous, site string) error {
	if !plausible(previous) {
		return nil
	}
	was, _, found, err := byCookie(tx, hashOf(previous))
	if err != nil || !found || was.site != site {
		return err
	}
	_, err = s.endIn(tx, by, &was, "ended", "signed in anew")
	return err
}

// crowd ends the oldest sessions of an owner beyond most; the new one is not among
// them, whatever the clocks of nodes say.
func (s *Service) crowd(tx *store.Tx, r *row, most int) error {
	all, err := rowsOfOwner(tx, r.owner)
	if err != nil {
		return err
	}
	kept := 1
	for i := range all {
		if all[i].id == r.id {
			continue
		}
		if kept < most {
			kept++
			continue
		}
		if _, err := s.endIn(tx, system(), &all[i], "ended", "too many"); err != nil {
			return err
		}
	}
	return nil
}

// sidOf is the digest of what a provider calls its own session.
func sidOf(provider, issuer, sid string) string { return digestOf("sid", provider, issuer, sid) }

// mostJobs bounds how often the directory is asked about one sign-in.
const mostJobs = 4

// stands asks what is known of somebody who signs in: a refusal there keeps them
// out before they have a session, and a users row is bound on its first use.
func (s *Service) stands(ctx context.Context, t *Site, who *principal.Principal) (Standing, error) {
	if t.Directory == nil {
		return Standing{}, nil
	}
	if t.Tenants.Impossible(who) {
		return Standing{}, fault.New(fault.Forbidden, "unknown_tenant", "")
	}
	ask := policy.DirectoryAsk{Who: who, Now: s.d.Now()}
	ask.Claim, ask.Default, _ = t.Tenants.Word(who)
	for range mostJobs {
		known, job, f := t.Directory.Find(ask)
		switch {
		case f != nil:
			return Standing{}, f
		case job != nil:
			v, err := job.Run(ctx)
			ask.Settled = append(ask.Settled, park.Settled{Key: job.Key, Value: v, Err: err})
			continue
		case known.Refuse != nil:
			return Standing{}, known.Refuse
		}
		return Standing{Tenant: known.Tenant, UserID: known.UserID, Stood: stoodOf(known)}, nil
	}
	return Standing{}, fault.Wrap(fault.Unavailable, "store_unavailable", "", errors.New("what is stored kept changing"))
}

// signIn finishes a sign-in by the code flow: the code's tokens are verified, and
// whoever they are about gets a session.
func (s *Service) signIn(ctx context.Context, by By, t *Site, p *identity.Provider, b start, code, previous string) (cookie string, err error) {
	got, err := s.exchange(ctx, p, b, code)
	if err != nil {
		return "", err
	}
	who := got.id.Who
	if who.Issuer != issuerOf(p) {
		return "", fault.Wrap(fault.Unauthenticated, identity.CodeIDToken, "", fmt.Errorf("the ID token is of another issuer"))
	}
	// OpenID Connect Core 3.1.3.7: who asked by max_age looks at auth_time. The address
	// that led to the provider stood in a browser, where the question can be taken out.
	if b.Again != 0 && !who.AuthTime.IsZero() && who.AuthTime.Unix() < b.Again {
		return "", errNotAnew
	}
	standing, err := s.stands(ctx, t, who)
	if err != nil {
		return "", err
	}
	by.Actor.Kind, by.Actor.Provider, by.Actor.Issuer, by.Actor.ID, by.Actor.UserID = string(principal.User), p.Name, who.Issuer, who.Subject, standing.UserID
	if who.EmailVerified {
		by.Actor.Email = who.EmailFolded
	}
	a := arrival{
		who: who, facts: facts{Issuer: who.Issuer, Subject: who.Subject, Nonce: b.Nonce, Anew: b.Again != 0, Claims: got.claims},
		sid: got.id.SID, refresh: got.refresh, tokens: got, standing: standing, previous: previous,
	}
	if a.refresh == "" {
		a.tokens = nil
	}
	return s.startSession(ctx, by, t, a)
}
