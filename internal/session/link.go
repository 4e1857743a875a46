package session

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// LinkFor says whom a one-time link signs in, and where.
type LinkFor struct {
	// By makes the row where there is none yet, and gives it its roles.
	By     tenant.By
	Tenant string
	User   string   // a row's id or e-mail
	Roles  []string // of a row that is made; one that exists has its own
	Site   string   // its name
	Origin string   // its address, http://localhost:8080
}

// DevLink makes a one-time sign-in link, good for ten minutes and for a browser on
// this machine. It exists in test and dev alone.
func (s *Service) DevLink(ctx context.Context, f LinkFor) (url string, err error) {
	if !relaxed(s.d.Env) {
		return "", fault.New(fault.Forbidden, "no_links", "One-time links need `environment: test` or `dev` in the file")
	}
	token := random()
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := tenant.Turn(tx, f.Tenant); err != nil {
			return err
		}
		u, err := s.linkUser(tx, f)
		if err != nil {
			return err
		}
		now := tx.Now()
		_, err = tx.Exec(`INSERT INTO session_links (hash, tenant_id, user_id, site, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			hashOf(token), f.Tenant, u.ID, f.Site, now.UnixMilli(), now.Add(linkLife).UnixMilli())
		return err
	})
	return f.Origin + linkPath + token, err
}

// linkUser finds the row that a link is for, or makes it.
func (s *Service) linkUser(tx *store.Tx, f LinkFor) (tenant.User, error) {
	u, err := tenant.FindUserIn(tx, f.Tenant, f.User)
	switch {
	case errors.Is(err, tenant.ErrNoUser) && s.d.Users != nil:
		return s.d.Users.AddUserIn(tx, f.By, f.Tenant, tenant.NewUser{Email: f.User, Roles: f.Roles})
	case err != nil:
		return tenant.User{}, err
	case len(f.Roles) > 0 && !sameRoles(f.Roles, u.Roles):
		return tenant.User{}, fault.New(fault.Conflict, "link_roles", "The user exists with other roles; change them, or make the link without roles")
	}
	return u, nil
}

func sameRoles(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// linkGood reports whether a link can be followed still.
func (s *Service) linkGood(ctx context.Context, token, site string) (bool, error) {
	if !plausible(token) || !relaxed(s.d.Env) {
		return false, nil
	}
	n, err := read(ctx, s, func(tx *store.Tx) (n int, err error) {
		err = tx.Row(`SELECT COUNT(*) FROM session_links WHERE hash = $1 AND site = $2 AND expires_at > $3`, hashOf(token), site, tx.Now().UnixMilli()).Scan(&n)
		return n, err
	})
	return n > 0, err
}

// follow spends a link for a session. Of any number who try, one gets it.
func (s *Service) follow(ctx context.Context, by By, t *Site, token, previous string) (cookie string, err error) {
	if !plausible(token) || !relaxed(s.d.Env) {
		return "", ErrNoLink
	}
	var tenantID, user string
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		var ends int64
		err := tx.Row(`DELETE FROM session_links WHERE hash = $1 AND site = $2 RETURNING tenant_id, user_id, expires_at`, hashOf(token), t.Name).Scan(&tenantID, &user, &ends)
		if errors.Is(err, store.ErrNone) || err == nil && tx.Now().UnixMilli() >= ends {
			return ErrNoLink
		}
		return err
	})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]string{"tenant_id": tenantID})
	if err != nil {
		return "", err
	}
	by.Actor.Kind, by.Actor.Provider, by.Actor.Issuer, by.Actor.ID, by.Actor.UserID = string(principal.User), identity.KindLink, identity.LinkIssuer, user, user
	return s.startSession(ctx, by, t, arrival{
		who:      &principal.Principal{Provider: identity.KindLink, Issuer: identity.LinkIssuer, Subject: user, AuthTime: s.d.Now()},
		facts:    facts{Issuer: identity.LinkIssuer, Subject: user, Claims: claims},
		standing: Standing{Tenant: tenantID, UserID: user}, previous: previous,
	})
}
