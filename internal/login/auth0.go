package login

import (
	"context"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/secret"
)

// auth0 talks to Auth0's Authentication API.
type auth0 struct {
	c    *ProviderConfig
	mfa  mfaClient
	call *outbound.Client
}

// mfaClient is Portreeve as the client of the MFA API.
type mfaClient struct {
	audience, id string
	secret       secret.Value
}

// mfaScope is what a token of the MFA API is asked for.
const mfaScope = "enroll read:authenticators remove:authenticators"

func newAuth0(c *ProviderConfig, m *MFAConfig, call *outbound.Client) *auth0 {
	p := &auth0{c: c, call: call, mfa: mfaClient{audience: c.under("/mfa/"), id: c.ClientID, secret: c.ClientSecret}}
	if m != nil && m.Audience != "" {
		p.mfa.audience = m.Audience
	}
	if m != nil && m.ClientID != "" {
		p.mfa.id, p.mfa.secret = m.ClientID, m.ClientSecret
	}
	return p
}

// under is a URL below the provider's.
func (c *ProviderConfig) under(path string) string {
	return strings.TrimSuffix(c.BaseURL.String(), "/") + path
}

// token sends a grant as JSON. The parameters are all named here: none is the
// client's choice.
func (p *auth0) token(ctx context.Context, from netip.Addr, g grant) (*answer, error) {
	params := map[string]any{"client_id": p.c.ClientID, "client_secret": p.c.ClientSecret.Reveal()}
	for name, v := range g.fields {
		params[name] = v
	}
	switch g.kind {
	case byPassword:
		params["grant_type"], params["realm"] = realmURN, p.c.Connection
		params["audience"], params["scope"] = p.c.Audience, p.c.scope()
	case byRefresh, byCode:
		params["grant_type"] = g.kind
	default:
		params["grant_type"] = grantURN + g.kind
	}
	if g.mfa {
		params["audience"], params["scope"] = p.mfa.audience, mfaScope
		params["client_id"], params["client_secret"] = p.mfa.id, p.mfa.secret.Reveal()
	}
	if token := g.fields["mfa_token"]; token != "" {
		params["client_id"], params["client_secret"] = p.clientOf(token)
	}
	if g.challenge != nil {
		params["challengeRequired"] = *g.challenge
	}
	return p.post(ctx, from, "/oauth/token", params, object)
}

// clientOf is which of Portreeve's two clients an mfa_token was given to: one of
// /mfa/token says so itself, one of an mfa_required is opaque. The token is not
// verified: all that hangs on it is which of our own credentials Auth0 compares.
func (p *auth0) clientOf(token string) (id, secret string) {
	if p.mfa.id != p.c.ClientID {
		raw, err := json.Marshal(map[string]string{"id_token": token})
		var claims struct {
			Client string `json:"azp"`
		}
		if err == nil && json.Unmarshal(claimsOf(newAnswer(200, nil, raw)), &claims) == nil && claims.Client == p.mfa.id {
			return p.mfa.id, p.mfa.secret.Reveal()
		}
	}
	return p.c.ClientID, p.c.ClientSecret.Reveal()
}

// revoke ends a refresh token and those that it was rotated into.
func (p *auth0) revoke(ctx context.Context, from netip.Addr, refresh string) error {
	a, err := p.post(ctx, from, "/oauth/revoke", map[string]any{
		"client_id": p.c.ClientID, "client_secret": p.c.ClientSecret.Reveal(), "token": refresh,
	}, anything)
	if err != nil {
		return err
	}
	return a.mustBeGranted()
}

// signup makes an account.
func (p *auth0) signup(ctx context.Context, from netip.Addr, r *registration) (*answer, error) {
	params := map[string]any{"client_id": p.c.ClientID, "connection": p.c.Connection, "email": r.email, "password": r.password}
	for name, v := range r.texts {
		params[name] = v
	}
	if r.metadata != nil {
		params["user_metadata"] = r.metadata
	}
	return p.post(ctx, from, "/dbconnections/signup", params, object)
}

// changePassword has Auth0 send a mail to whoever has the address.
func (p *auth0) changePassword(ctx context.Context, from netip.Addr, email string) (*answer, error) {
	return p.post(ctx, from, "/dbconnections/change_password", map[string]any{"client_id": p.c.ClientID, "connection": p.c.Connection, "email": email}, anything)
}

func (p *auth0) userinfo(ctx context.Context, from netip.Addr, token string) (*answer, error) {
	return p.as(ctx, from, "GET", "/userinfo", token, nil, object)
}

// enrolment is what a person chose for a second factor.
type enrolment struct {
	Types    []string `json:"authenticator_types"`
	Channels []string `json:"oob_channels,omitempty"`
	Phone    string   `json:"phone_number,omitempty"`
}

func (p *auth0) associate(ctx context.Context, from netip.Addr, token string, e enrolment) (*answer, error) {
	return p.as(ctx, from, "POST", "/mfa/associate", token, e, object)
}

func (p *auth0) authenticators(ctx context.Context, from netip.Addr, token string) (*answer, error) {
	return p.as(ctx, from, "GET", "/mfa/authenticators", token, nil, anyJSON)
}

func (p *auth0) removeAuthenticator(ctx context.Context, from netip.Addr, token, id string) (*answer, error) {
	return p.as(ctx, from, "DELETE", "/mfa/authenticators/"+url.PathEscape(id), token, nil, anyJSON)
}

func (p *auth0) challenge(ctx context.Context, from netip.Addr, token, authenticator, kind string) (*answer, error) {
	params := map[string]any{"mfa_token": token}
	params["client_id"], params["client_secret"] = p.clientOf(token)
	if authenticator != "" {
		params["authenticator_id"] = authenticator
	}
	if kind != "" {
		params["challenge_type"] = kind
	}
	return p.post(ctx, from, "/mfa/challenge", params, object)
}

func (p *auth0) post(ctx context.Context, from netip.Addr, path string, params map[string]any, want expect) (*answer, error) {
	r, err := jsonCall("POST", path, params)
	if err != nil {
		return nil, err
	}
	return send(ctx, p.call, from, r, want)
}

// as calls with somebody's token.
func (p *auth0) as(ctx context.Context, from netip.Addr, method, path, token string, params any, want expect) (*answer, error) {
	r, err := jsonCall(method, path, params, authorized(token))
	if err != nil {
		return nil, err
	}
	return send(ctx, p.call, from, r, want)
}
