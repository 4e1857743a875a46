package login

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// layerType is the typ of a session token: nothing else takes it for a token of its
// own, and nothing else is taken for one.
const layerType = "layer+jwt"

// layerTurn is how long one key signs. Keys are made of the master key, the site and
// the turn, so that every node has the same and nothing is stored; the one to come
// is published a whole turn before it signs.
const layerTurn = 24 * time.Hour

// layer makes session tokens of the provider's access tokens.
type layer struct {
	u        *Surface
	accept   *identity.Site
	lot      *park.Lot
	lifetime time.Duration
}

// layerClaims are those of a session token.
type layerClaims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Email   string `json:"email,omitempty"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
	ID      string `json:"jti"`
}

// newLayer makes the layer of a surface; nil where tokens name no audience, so that
// none can be told from another's.
func newLayer(u *Surface, c *SessionConfig) (*layer, error) {
	if u.c.Audience == "" {
		return nil, nil
	}
	l := &layer{u: u, lot: park.NewLot(park.Options{}), lifetime: standardSession}
	if c != nil {
		l.lifetime = c.Lifetime.Or(standardSession)
	}
	issuer := u.c.BaseURL
	if u.auth0 != nil { // whose issuer ends in a slash
		issuer = config.URL(u.c.under("/"))
	}
	p := identity.NewOIDC(&identity.OIDCConfig{Name: "login", Issuer: issuer, Audience: []string{u.c.Audience}}, identity.Deps{Env: u.s.d.Env, Keys: l.keys})
	var problems []identity.Problem
	l.accept, problems = identity.NewSite([]*identity.Provider{p}, identity.SiteOptions{})
	for _, one := range problems {
		if !one.Warning {
			return nil, errors.New(one.Message)
		}
	}
	return l, nil
}

// keys are the provider's, kept fresh with those of other sites or by the surface.
func (l *layer) keys(c keyset.Config) *keyset.Set {
	d := l.u.s.d
	if d.IssuerKeys != nil {
		return d.IssuerKeys(c)
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
	who, err := l.who(ctx, c)
	if err != nil {
		return request.Reply{}, err
	}
	email, _, ok := principal.FoldEmail(who.Email)
	if !ok && l.u.auth0 != nil { // Auth0's access tokens name no address
		email = l.emailOf(ctx, c, token)
	}
	now := l.u.s.d.Now()
	signer, err := l.signer(l.u.s.d.Keys.First(), l.turn(now))
	if err != nil {
		return request.Reply{}, err
	}
	signed, err := signer.Sign(layerType, layerClaims{
		Issuer: c.View.Origin(), Subject: who.Subject, Email: email, Issued: now.Unix(), Expires: now.Add(l.lifetime).Unix(), ID: random(),
	})
	if err != nil {
		return request.Reply{}, err
	}
	return jsonReply(200, map[string]any{"session_token": signed, "token_type": "Bearer", "expires_in": int64(l.lifetime.Seconds())}), nil
}

// who verifies the access token of a call.
func (l *layer) who(ctx context.Context, c *gateway.Call) (*principal.Principal, error) {
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

// emailOf asks the provider for the address of a token's owner; "" where it says none.
func (l *layer) emailOf(ctx context.Context, c *gateway.Call, token string) string {
	a, err := l.u.auth0.userinfo(ctx, c.View.Client, token)
	if err != nil || !a.granted() {
		return ""
	}
	email, _, _ := principal.FoldEmail(a.text("email"))
	return email
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
		if found != nil && json.Valid(found.Raw) {
			out.Account = found.Raw
		}
	}
	return jsonReply(200, out), nil
}

// verify holds a token to be one of ours, of this site, that still counts.
func (l *layer) verify(token string) (layerClaims, error) {
	var claims layerClaims
	tok, err := jws.ParseAs(token, layerType)
	if err != nil {
		return claims, err
	}
	now := l.u.s.d.Now()
	signers, err := l.signers(now)
	if err != nil {
		return claims, err
	}
	for _, s := range signers {
		if tok.Header.Kid != s.Public().ID || tok.Verify(s.Public()) != nil {
			continue
		}
		if err := json.Unmarshal(tok.Payload, &claims); err != nil {
			return layerClaims{}, err
		}
		if now.Unix() >= claims.Expires || claims.Subject == "" {
			return layerClaims{}, errors.New("it has expired")
		}
		return claims, nil
	}
	return claims, errors.New("no key of ours made the signature")
}

// jwks publishes the keys: of this turn, the one before and the one to come.
func (l *layer) jwks(context.Context, *gateway.Call) (request.Reply, error) {
	signers, err := l.signers(l.u.s.d.Now())
	if err != nil {
		return request.Reply{}, err
	}
	var list []json.RawMessage
	for _, s := range signers {
		list = append(list, s.JWK())
	}
	r := jsonReply(200, map[string]any{"keys": list})
	for i := range r.Header {
		if r.Header[i].Name == "Cache-Control" {
			r.Header[i].Value = "public, max-age=300"
		}
	}
	return r, nil
}

func (l *layer) turn(now time.Time) int64 { return now.Unix() / int64(layerTurn.Seconds()) }

// signers are the keys that count. A master key that seals no more has signed what is
// still in use.
func (l *layer) signers(now time.Time) (out []*jws.Signer, err error) {
	for _, id := range l.u.s.d.Keys.IDs() {
		for _, turn := range []int64{l.turn(now), l.turn(now) - 1, l.turn(now) + 1} {
			s, err := l.signer(id, turn)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// signer makes a key of a master key, for a turn.
func (l *layer) signer(master string, turn int64) (*jws.Signer, error) {
	seed, err := l.u.s.d.Keys.Derive("layer-session:"+l.u.site.Name+":"+strconv.FormatInt(turn, 10), master)
	if err != nil {
		return nil, err
	}
	private := ed25519.NewKeyFromSeed(seed)
	x := base64.RawURLEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`)) // RFC 7638
	return jws.NewSigner("EdDSA", base64.RawURLEncoding.EncodeToString(sum[:]), private)
}
