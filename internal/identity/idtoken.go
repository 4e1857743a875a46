package identity

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/principal"
)

// IDAsk is an ID token and what it has to fit.
type IDAsk struct {
	Token string
	// Nonce is the one that was sent with the request. Refreshed says that there was
	// no such request: then a token without one is taken, and one that has another
	// than Nonce is not.
	Nonce     string
	Refreshed bool
	// AccessToken came with it: at_hash, where it stands, has to be its.
	AccessToken string
	Now         time.Time
}

// IDToken is what a verified ID token said.
type IDToken struct {
	Who   *principal.Principal // as the provider's settings have it now
	SID   string               // of the provider's session; ""
	Nonce string
}

// CodeIDToken is the code of an ID token that is refused.
const CodeIDToken = "id_token_refused"

// VerifyIDToken holds an ID token to OpenID Connect Core sections 3.1.3.7 and 12.2
// and to every rule that bearer tokens are held to: the strict form, the public
// keys of the issuer, exp within bounds. It fetches the issuer's keys where it
// has to. The faults are Unauthenticated with CodeIDToken, whose cause says why
// and quotes nothing, and Unavailable where the keys are not to be had.
func (p *Provider) VerifyIDToken(ctx context.Context, a IDAsk) (*IDToken, error) {
	tok, err := jws.Parse(a.Token)
	if err != nil {
		return nil, refusedID(err.Error())
	}
	if strings.HasSuffix(principal.FoldASCII(tok.Header.Typ), "at+jwt") {
		return nil, refusedID("it is an access token")
	}
	c, why := p.signedByIssuer(ctx, tok, a.Now)
	if why != nil {
		return nil, why
	}
	if r := p.idRules(c, &a, tok.Header.Alg); r != "" {
		return nil, refusedID(r)
	}
	who, r := p.principal(c)
	if r != nil {
		return nil, refusedID(r.found)
	}
	out := &IDToken{Who: who}
	out.SID, _ = c.all["sid"].(string)
	out.Nonce, _ = c.all["nonce"].(string)
	return out, nil
}

// idRules are the rules that ID tokens alone are held to; "" where they hold.
func (p *Provider) idRules(c *claims, a *IDAsk, alg string) string {
	nonce, hasNonce := c.all["nonce"]
	text, _ := nonce.(string)
	azp, hasAZP := c.all["azp"]
	switch {
	case c.subject == "" || len(c.subject) > 255:
		return "sub is not of 1 to 255 characters"
	case !slices.Contains(c.audience, p.client.ID):
		return "aud does not name the client"
	case !p.onlyOurs(c.audience):
		return "aud names somebody else besides the client"
	case hasAZP && azp != p.client.ID:
		return "azp is not the client"
	case len(c.audience) > 1 && !hasAZP:
		return "aud has several members and azp does not say whose it is"
	case !c.issuedAt.set:
		return "no iat"
	case !hasNonce && !a.Refreshed:
		return "no nonce"
	case hasNonce && (a.Nonce == "" || subtle.ConstantTimeCompare([]byte(text), []byte(a.Nonce)) != 1):
		return "the nonce is another one"
	case c.authTime.set && c.authTime.at.After(a.Now.Add(p.leeway)):
		return "auth_time is in the future"
	}
	if sid, there := c.all["sid"]; there {
		if s, ok := sid.(string); !ok || s == "" || len(s) > 512 {
			return "sid is not a string of 1 to 512 characters"
		}
	}
	if want, there := c.all["at_hash"]; there && want != accessHash(alg, a.AccessToken) {
		return "at_hash is not that of the access token"
	}
	return ""
}

// onlyOurs reports whether all members of an audience are ours.
func (p *Provider) onlyOurs(audience []string) bool {
	for _, a := range audience {
		if a != p.client.ID && !slices.Contains(p.audience, a) {
			return false
		}
	}
	return true
}

// accessHash is the at_hash of an access token (OpenID Connect Core section
// 3.1.3.6): the left half of the hash that the algorithm uses. That of Ed25519
// is SHA-512.
func accessHash(alg, token string) string {
	var h hash.Hash
	switch {
	case strings.HasSuffix(alg, "384"):
		h = sha512.New384()
	case strings.HasSuffix(alg, "512"), alg == "EdDSA":
		h = sha512.New()
	default:
		h = sha256.New()
	}
	h.Write([]byte(token))
	sum := h.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// signedByIssuer verifies who signed a token that only a provider's own issuer
// can have made, and what every token is held to but for its audience.
func (p *Provider) signedByIssuer(ctx context.Context, tok *jws.Token, now time.Time) (*claims, *fault.Error) {
	if p.Client() == nil {
		return nil, refusedID("nobody signs in by this provider")
	}
	c, r := decode(tok.Payload)
	if r != nil {
		return nil, refusedID(r.found)
	}
	if !slices.Contains(p.Issuers(), c.issuer) {
		return nil, refusedID("iss is another issuer")
	}
	if r = p.algorithm(tok.Header.Alg); r == nil {
		r = p.times(c, now)
	}
	if r != nil {
		return nil, refusedID(r.check + ": " + clip(r.found))
	}
	keys, err := p.keysOf(ctx, c.issuer, tok)
	if err != nil {
		return nil, err
	}
	if signer(tok, keys) == nil {
		return nil, refusedID("no key of the provider made the signature")
	}
	return c, nil
}

// keysOf are the keys that may have signed a token, fetched once where the set
// has none of them. Where it could not be fetched, or was a moment ago, nothing can
// be said of the token: the issuer may have turned its keys since. To refuse it then
// would sign out everybody whose tokens are refreshed meanwhile, and any stranger's
// token of an unknown key is what was fetched for a moment ago.
func (p *Provider) keysOf(ctx context.Context, issuer string, tok *jws.Token) ([]*jws.Key, *fault.Error) {
	set := p.keysFor(issuer)
	if set == nil {
		return nil, refusedID("the provider has no keys")
	}
	keys, ready := known(set, tok)
	if len(keys) > 0 {
		return keys, nil
	}
	if err := set.Refetch(ctx); err != nil {
		if !ready {
			err = errors.New(set.Health().Err)
		}
		return nil, unavailable(fmt.Errorf("%s: no key of the token's kid: %w", p.Name, err))
	}
	if keys, ready = known(set, tok); !ready {
		return nil, unavailable(errors.New(p.Name + ": " + set.Health().Err))
	}
	if len(keys) == 0 {
		return nil, refusedID("no key of the provider has the token's kid")
	}
	return keys, nil
}

// known are the keys of a set that may have signed a token.
func known(set *keyset.Set, tok *jws.Token) (keys []*jws.Key, ready bool) {
	all, ready := set.Keys()
	if !ready {
		return nil, false
	}
	keys, _ = candidates(all, tok.Header)
	return keys, true
}

func refusedID(why string) *fault.Error {
	return fault.Wrap(fault.Unauthenticated, CodeIDToken, "", errors.New(why))
}

// LogoutToken is what a verified logout token says has ended.
type LogoutToken struct {
	Issuer, Subject, SID, ID string
	Expires                  time.Time
}

// logoutEvent is the member of events that makes a token a logout token.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutAge is how long ago a logout token may have been made.
const logoutAge = 10 * time.Minute

// VerifyLogoutToken holds a logout token to OpenID Connect Back-Channel Logout
// 1.0 section 2.6. Whether it was there before is the caller's to ask, by ID
// until Expires.
func (p *Provider) VerifyLogoutToken(ctx context.Context, token string, now time.Time) (*LogoutToken, error) {
	tok, err := jws.ParseLogout(token)
	if err != nil {
		return nil, refusedID(err.Error())
	}
	c, why := p.signedByIssuer(ctx, tok, now)
	if why != nil {
		return nil, why
	}
	out := &LogoutToken{Issuer: c.issuer, Subject: c.subject, Expires: c.expires.at.Add(p.leeway)}
	var ok1, ok2 bool
	out.ID, ok1 = c.all["jti"].(string)
	sid, hasSID := c.all["sid"]
	out.SID, ok2 = sid.(string)
	events, _ := c.all["events"].(map[string]any)
	_, isEvent := events[logoutEvent].(map[string]any)
	_, hasNonce := c.all["nonce"]
	switch {
	case !slices.Contains(c.audience, p.client.ID):
		return nil, refusedID("aud does not name the client")
	case !p.onlyOurs(c.audience):
		return nil, refusedID("aud names somebody else besides the client")
	case !c.issuedAt.set || now.Sub(c.issuedAt.at) > logoutAge+p.leeway:
		return nil, refusedID("iat is absent or too long ago")
	case !ok1 || out.ID == "" || len(out.ID) > 512:
		return nil, refusedID("jti is not a string of 1 to 512 characters")
	case !isEvent:
		return nil, refusedID("events does not say that it is about logging out")
	case hasNonce:
		return nil, refusedID("it has a nonce, as ID tokens have")
	case hasSID && (!ok2 || out.SID == "" || len(out.SID) > 512):
		return nil, refusedID("sid is not a string of 1 to 512 characters")
	case out.SID == "" && out.Subject == "":
		return nil, refusedID("it names neither sid nor sub")
	}
	return out, nil
}

// StoredClaims are the claims of an ID token that a session keeps: all but those
// that were about the one sign-in.
func StoredClaims(all map[string]any) (json.RawMessage, error) {
	kept := make(map[string]any, len(all))
	for name, v := range all {
		switch name {
		case "nonce", "at_hash", "c_hash", "s_hash", "jti", "rh", "uti":
		default:
			kept[name] = v
		}
	}
	return json.Marshal(kept)
}
