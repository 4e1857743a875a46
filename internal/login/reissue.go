package login

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// Tokens of our own in place of the provider's (reissue): so that a script can put
// claims into them. Access tokens are RFC 9068's; the ID token is the provider's with
// our issuer and signature. The refresh token stays the provider's.

const (
	accessType      = "at+jwt"
	longestReissued = keyTurn // a key is published for as long after its turn
	mostClaims      = 8 << 10 // that scripts put into one token, as JSON: it has to fit into a header
	jwksPath        = "/.well-known/jwks.json"
	discoveryPath   = "/.well-known/openid-configuration"
)

func (u *Surface) reissues() bool { return u.login != nil && u.login.Reissue }

func (u *Surface) accessKeys() ring { return ring{u, "access-token"} }

// signAnew replaces the tokens of a success. What scripts want to be in them and
// cannot be, because nothing is signed here, refuses.
func (u *Surface) signAnew(a *attempt, forID, forAccess map[string]json.RawMessage) error {
	if !u.reissues() {
		if len(forID)+len(forAccess) > 0 {
			return errScript("a script sets claims of tokens, which are not signed here (reissue)")
		}
		return nil
	}
	if size(forID) > mostClaims || size(forAccess) > mostClaims {
		return errScript("a script sets more claims than a token can have")
	}
	var id map[string]json.RawMessage
	if json.Unmarshal(claimsOf(a.answer), &id) != nil || a.userID == "" {
		return because(errGarbled, errors.New("a success without an ID token that names somebody"))
	}
	members := a.answer.members
	seconds, ok := lifetime(members)
	if !ok || seconds <= 0 {
		return because(errGarbled, errors.New("a success whose token says no lifetime"))
	}
	seconds = min(seconds, int64(longestReissued.Seconds()))
	access, err := u.accessKeys().sign(accessType, u.accessClaims(a, id, forAccess, time.Duration(seconds)*time.Second))
	if err != nil {
		return err
	}
	signed, err := u.accessKeys().sign("JWT", idClaims(a.origin, id, forID))
	if err != nil {
		return err
	}
	out := make(map[string]json.RawMessage, len(members))
	for name, v := range members {
		out[name] = v
	}
	out["access_token"], out["id_token"], out["expires_in"] = quoted(access), quoted(signed), number(seconds)
	out["token_type"] = quoted("Bearer")
	again := ownAnswer(200, out)
	again.status = a.answer.status
	again.header = append(slices.DeleteFunc(slices.Clone(a.answer.header), func(f request.Field) bool { return f.Name == "Content-Type" }), again.header...)
	a.answer = again
	return nil
}

// accessClaims are those of RFC 9068 section 2.2, over what scripts set.
func (u *Surface) accessClaims(a *attempt, id, set map[string]json.RawMessage, life time.Duration) map[string]any {
	now := u.s.d.Now()
	out := map[string]any{}
	for name, v := range set {
		out[name] = v
	}
	scope := a.answer.text("scope")
	if scope == "" {
		scope = u.c.scope()
	}
	if v, there := id["email"]; there { // what a script says of it is not said of this one
		out["email"], out["email_verified"] = v, string(id["email_verified"]) == "true"
	}
	out["iss"], out["sub"], out["aud"], out["client_id"], out["scope"] = a.origin, a.userID, u.c.Audience, u.c.ClientID, scope
	out["iat"], out["exp"], out["jti"] = now.Unix(), now.Add(life).Unix(), random()
	return out
}

// idClaims are the provider's, in our name. A script adds to them and replaces none:
// what the provider says of somebody stays its word.
func idClaims(issuer string, was, set map[string]json.RawMessage) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for name, v := range set {
		out[name] = v
	}
	for name, v := range was {
		out[name] = v
	}
	delete(out, "at_hash") // of the provider's access token
	delete(out, "c_hash")
	out["iss"] = quoted(issuer)
	return out
}

// ownClaims are those of an access token of ours that are looked at.
type ownClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
	Expires  int64  `json:"exp"`
}

// verifyOwn holds a token to be an access token of this site that still counts.
func (u *Surface) verifyOwn(token, origin string) (c ownClaims, err error) {
	payload, err := u.accessKeys().verify(accessType, token)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return ownClaims{}, err
	}
	if c.Issuer != origin || c.Audience != u.c.Audience || c.Subject == "" || u.s.d.Now().Unix() >= c.Expires {
		return ownClaims{}, errors.New("it is another site's, for somebody else, or has expired")
	}
	return c, nil
}

// discovery says where the keys are (OpenID Connect Discovery section 3), so that the
// site can be configured as an issuer.
func (u *Surface) discovery(_ context.Context, c *gateway.Call) (request.Reply, error) {
	origin := c.View.Origin()
	return public(jsonReply(200, map[string]any{
		"issuer": origin, "jwks_uri": origin + jwksPath, "token_endpoint": origin + "/oauth/token",
		"grant_types_supported": []string{"password", "refresh_token"}, "response_types_supported": []string{},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"EdDSA"},
		"token_endpoint_auth_methods_supported": []string{"none"},
	})), nil
}

func (u *Surface) accessJWKS(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	return u.accessKeys().jwks(ctx, c)
}

func (u *Surface) layerKeys(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	return u.layer.keys.jwks(ctx, c)
}

// lifetime is expires_in; some providers write it as text.
func lifetime(members map[string]json.RawMessage) (seconds int64, ok bool) {
	var n json.Number
	if json.Unmarshal(members["expires_in"], &n) != nil {
		return 0, false
	}
	seconds, err := n.Int64()
	return seconds, err == nil
}

func size(claims map[string]json.RawMessage) (n int) {
	for name, v := range claims {
		n += len(name) + len(v) + 4
	}
	return n
}

func number(n int64) json.RawMessage { return json.RawMessage(strconv.FormatInt(n, 10)) }

func quoted(s string) json.RawMessage {
	raw, err := json.Marshal(s)
	if err != nil {
		return json.RawMessage(`""`)
	}
	return raw
}
