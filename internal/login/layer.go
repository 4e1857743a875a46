package login

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// layerType is the typ of a session token: nothing else takes it for a token of its
// own, and nothing else is taken for one.
const layerType = "layer+jwt"

// layer makes session tokens of the provider's access tokens.
type layer struct {
	u        *Surface
	accept   *identity.Site
	lot      *park.Lot
	keys     ring
	lifetime time.Duration
}

// layerClaims are those of a session token.
type layerClaims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Email   string `json:"email,omitempty"`
	// Verified is what the provider says of the address. Whoever has not proved to have
	// it sees nobody's record by it.
	Verified bool   `json:"email_verified,omitempty"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"`
}

// newLayer makes the layer of a surface; nil where tokens name no audience, so that
// none can be told from another's.
func newLayer(u *Surface, c *SessionConfig) (*layer, error) {
	if u.c.Audience == "" {
		return nil, nil
	}
	l := &layer{u: u, lot: park.NewLot(park.Options{}), keys: ring{u, "layer-session"}, lifetime: standardSession}
	if c != nil {
		l.lifetime = c.Lifetime.Or(standardSession)
	}
	issuer := u.c.BaseURL
	if u.auth0 != nil { // whose issuer ends in a slash
		issuer = config.URL(u.c.under("/"))
	}
	p := identity.NewOIDC(&identity.OIDCConfig{Name: "login of " + u.site.Name, Issuer: issuer, Audience: []string{u.c.Audience}}, identity.Deps{Env: u.s.d.Env, Keys: l.issuerKeys})
	var problems []identity.Problem
	l.accept, problems = identity.NewSite([]*identity.Provider{p}, identity.SiteOptions{})
	for _, one := range problems {
		if !one.Warning {
			return nil, errors.New(one.Message)
		}
	}
	return l, nil
}

// issuerKeys are the provider's, kept fresh with those of other sites or by the
// surface.
func (l *layer) issuerKeys(c keyset.Config) *keyset.Set {
	d := l.u.s.d
	if l.u.site.Keys != nil {
		return l.u.site.Keys(c)
	}
	c.Now, c.Log = d.Now, d.Log
	set := keyset.New(c)
	l.u.background = append(l.u.background, set.Run)
	return set
}

// session makes a session token of an access token.
func (l *layer) session(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	token := bearer(c)
	if token == "" {
		return request.Reply{}, errNoBearer()
	}
	claims, err := l.who(ctx, c, token)
	if err != nil {
		return request.Reply{}, err
	}
	if claims.Email == "" && l.u.auth0 != nil { // Auth0's access tokens name no address
		claims.Email, claims.Verified = l.emailOf(ctx, c, token, claims.Subject)
	}
	now := l.u.s.d.Now()
	claims.Issuer, claims.Issued, claims.Expires, claims.ID = c.View.Origin(), now.Unix(), now.Add(l.lifetime).Unix(), random()
	signed, err := l.keys.sign(layerType, claims)
	if err != nil {
		return request.Reply{}, err
	}
	return jsonReply(200, map[string]any{"session_token": signed, "token_type": "Bearer", "expires_in": int64(l.lifetime.Seconds())}), nil
}

// who verifies the access token of a call: ours where we sign them, else the
// provider's.
func (l *layer) who(ctx context.Context, c *gateway.Call, token string) (layerClaims, error) {
	if l.u.reissues() {
		own, err := l.u.verifyOwn(token, c.View.Origin())
		if err != nil {
			return layerClaims{}, because(errUnauthorized("bad_access_token"), err)
		}
		email, _, _ := principal.FoldEmail(own.Email)
		return layerClaims{Subject: own.Subject, Email: email, Verified: own.Verified && email != ""}, nil
	}
	who, err := l.provided(ctx, c)
	if err != nil {
		return layerClaims{}, err
	}
	email, _, _ := principal.FoldEmail(who.Email)
	return layerClaims{Subject: who.Subject, Email: email, Verified: who.EmailVerified && email != ""}, nil
}

// provided verifies an access token of the provider.
func (l *layer) provided(ctx context.Context, c *gateway.Call) (*principal.Principal, error) {
	ask := identity.Ask{View: c.View, Now: l.u.s.d.Now()}
	for range 4 {
		r := l.accept.Identify(ask)
		switch {
		case r.Job != nil:
			ask.Settled = append(ask.Settled, l.lot.Do(ctx, c.View.Client, r.Job))
			continue
		case r.Fault != nil && r.Fault.Kind == fault.Unauthenticated, r.Fault == nil && r.Provider == nil:
			return nil, errUnauthorized("bad_access_token")
		case r.Fault != nil:
			return nil, r.Fault
		}
		return r.Who, nil
	}
	return nil, errUnauthorized("bad_access_token")
}

// emailOf asks the provider for the address of a token's owner; "" where it says none,
// or speaks of somebody else (OpenID Connect Core section 5.3.2).
func (l *layer) emailOf(ctx context.Context, c *gateway.Call, token, subject string) (email string, verified bool) {
	a, err := l.u.auth0.userinfo(ctx, c.View.Client, token)
	if err != nil || !a.granted() || a.text("sub") != subject {
		return "", false
	}
	email, _, ok := principal.FoldEmail(a.text("email"))
	return email, ok && string(a.members["email_verified"]) == "true"
}

// account says whose a session token is, with the user service's record.
func (l *layer) account(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	token := bearer(c)
	if token == "" {
		b, err := bodyOf(c)
		if err != nil {
			return request.Reply{}, err
		}
		if token = b.text("session_token", maxToken); token == "" {
			if err := b.wrong.Err(); err != nil {
				return request.Reply{}, err
			}
			return request.Reply{}, errNoBearer()
		}
	}
	claims, err := l.verify(token)
	if err != nil {
		return request.Reply{}, because(errUnauthorized("bad_session_token"), err)
	}
	out := struct {
		UserID  string          `json:"user_id"`
		Email   string          `json:"email"`
		Account json.RawMessage `json:"account"`
	}{claims.Subject, claims.Email, json.RawMessage("null")}
	if l.u.users != nil && claims.Email != "" {
		found, err := l.u.users.ByEmail(ctx, claims.Email)
		if err != nil {
			return request.Reply{}, fault.Wrap(fault.Unavailable, "user_service", "", err)
		}
		if found != nil && json.Valid(found.Raw) && (claims.Verified || found.ID == claims.Subject) {
			out.Account = found.Raw
		}
	}
	return jsonReply(200, out), nil
}

// verify holds a token to be one of ours, of this site, that still counts.
func (l *layer) verify(token string) (layerClaims, error) {
	var claims layerClaims
	payload, err := l.keys.verify(layerType, token)
	if err != nil {
		return claims, err
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return layerClaims{}, err
	}
	if l.u.s.d.Now().Unix() >= claims.Expires || claims.Subject == "" {
		return layerClaims{}, errors.New("it has expired")
	}
	return claims, nil
}
