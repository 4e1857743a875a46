package login

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

// Social sign-in: a browser goes to the provider and comes back with the provider's
// code; the tokens for it wait here, sealed, for whoever began, who shows our own code
// and the verifier of their challenge. Tokens stand in no URL.

const (
	startLife    = 10 * time.Minute
	codeLife     = time.Minute
	callbackPath = "/social/callback"
	maxState     = 1 << 10
)

// begun is what is kept of a social sign-in: sealed.
type begun struct {
	Nonce     string `json:"nonce"`
	Verifier  string `json:"verifier"`
	Redirect  string `json:"redirect"`
	Return    string `json:"return"`
	State     string `json:"state"`
	Challenge string `json:"challenge"`
}

// waiting are tokens that wait to be fetched: sealed.
type waiting struct {
	Challenge string `json:"challenge"`
	Tokens    []byte `json:"tokens"`
	Provider  string `json:"provider"` // whose they are: its baseURL
}

// redemption is a social code on its way to the tokens that wait for it.
type redemption struct{ code, verifier string }

// social is the key social; nil: there is none.
func (u *Surface) social() *SocialConfig {
	if u.login == nil || u.auth0 == nil {
		return nil
	}
	return u.login.Social
}

// beginSocial leads to the provider. Whatever is wrong is told here and not by a
// redirect: an address that is not on the list is nobody's.
func (u *Surface) beginSocial(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	b := begun{Nonce: random(), Verifier: random(), Redirect: c.View.Origin() + callbackPath}
	for name, to := range map[string]*string{"return": &b.Return, "state": &b.State, "code_challenge": &b.Challenge} {
		v, _, err := input.Query(c.View, name)
		if err != nil {
			return request.Reply{}, err
		}
		*to = v
	}
	connection, _ := c.Params.Get("connection")
	if err := u.socialFault(connection, b, c.View.QueryValues("code_challenge_method")); err != nil {
		return request.Reply{}, err
	}
	state := random()
	if err := u.keepStart(ctx, c.View.Client, digest(state), b); err != nil {
		return request.Reply{}, err
	}
	sum := sha256.Sum256([]byte(b.Verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {u.c.ClientID}, "connection": {connection}, "redirect_uri": {b.Redirect},
		"scope": {u.c.scope()}, "audience": {u.c.Audience}, "state": {state}, "nonce": {b.Nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	return see(u.c.under("/authorize") + "?" + q.Encode()), nil
}

func (u *Surface) socialFault(connection string, b begun, method []string) error {
	var f input.Fields
	if !slices.Contains(u.social().Connections, connection) {
		f.Add("connection", "is none that people can sign in by here")
	}
	if !returnable(u.social().ReturnURLs, b.Return) {
		f.Add("return", "is no address that people are sent back to")
	}
	if !plausible(b.Challenge) {
		f.Add("code_challenge", "must be an S256 challenge (RFC 7636)")
	}
	if len(method) > 1 || len(method) == 1 && method[0] != "S256" {
		f.Add("code_challenge_method", "must be S256")
	}
	if len(b.State) > maxState || strings.ContainsFunc(b.State, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		f.Add("state", "is too long, or holds control characters")
	}
	return f.Err()
}

// returnable reports whether people may be sent to an address: one that is listed as
// it stands, or any of a scheme that is listed.
func returnable(list []string, to string) bool {
	if to == "" || len(to) > 2048 || strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return false
	}
	for _, one := range list {
		if one == to {
			return true
		}
		if scheme, ok := strings.CutSuffix(one, "://"); ok && strings.HasPrefix(to, one) {
			u, err := url.Parse(to)
			return err == nil && u.Scheme == scheme && u.User == nil && u.Fragment == "" && !strings.Contains(to, "#")
		}
	}
	return false
}

// readCallback spends the state of a browser that comes back. A provider that says no
// leads back too.
func (u *Surface) readCallback(ctx context.Context, c *gateway.Call) (*attempt, error) {
	v := map[string]string{}
	for _, name := range []string{"state", "code", "error", "iss"} {
		one, _, err := input.Query(c.View, name)
		if err != nil {
			return nil, err
		}
		v[name] = one
	}
	unknown := fault.New(fault.BadRequest, "no_start", "This sign-in is not known: it took too long, or has ended")
	if !plausible(v["state"]) {
		return nil, unknown
	}
	b, err := u.spendStart(ctx, digest(v["state"]))
	switch {
	case errors.Is(err, errGone):
		return nil, unknown
	case err != nil:
		return nil, err
	}
	if iss := v["iss"]; iss != "" && strings.TrimSuffix(iss, "/") != strings.TrimSuffix(u.c.BaseURL.String(), "/") {
		return nil, fault.New(fault.BadRequest, "other_issuer", "The answer is another provider's") // RFC 9207
	}
	a := &attempt{kind: socialBack}
	a.grant = grant{kind: byCode, fields: map[string]string{"code": v["code"], "redirect_uri": b.Redirect, "code_verifier": b.Verifier}}
	a.end = func(ctx context.Context, a *attempt) (request.Reply, error) { return u.endSocial(ctx, a, b) }
	if v["code"] == "" || v["error"] != "" || len(v["code"]) > maxToken {
		a.social = &redemption{} // nothing to ask the provider for
	}
	return a, nil
}

// endSocial keeps the tokens and leads back with a code for them.
func (u *Surface) endSocial(ctx context.Context, a *attempt, b begun) (request.Reply, error) {
	back := func(name, value string) (request.Reply, error) {
		q := url.Values{name: {value}}
		if b.State != "" {
			q.Set("state", b.State)
		}
		return see(withQuery(b.Return, q)), nil
	}
	if !a.answer.granted() {
		if a.answer.status >= 500 || a.answer.status == 429 {
			return back("error", "temporarily_unavailable")
		}
		return back("error", "access_denied")
	}
	var claims struct {
		Nonce string `json:"nonce"`
	}
	if json.Unmarshal(claimsOf(a.answer), &claims) != nil || subtle.ConstantTimeCompare([]byte(claims.Nonce), []byte(b.Nonce)) != 1 {
		return u.withhold(ctx, a, fault.New(fault.BadRequest, "other_nonce", "The tokens are for another sign-in"))
	}
	code := random()
	if err := u.keepCode(ctx, digest(code), waiting{Challenge: b.Challenge, Tokens: a.answer.body, Provider: u.c.BaseURL.String()}); err != nil {
		return u.withhold(ctx, a, err)
	}
	return back("code", code)
}

var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`) // RFC 7636 section 4.1

// codeOf reads what redeems a social code.
func (u *Surface) codeOf(_ context.Context, b *body) (*attempt, error) {
	r := &redemption{code: b.must("code", maxText), verifier: b.must("code_verifier", maxText)}
	if r.verifier != "" && !verifierForm.MatchString(r.verifier) {
		b.wrong.Add("code_verifier", "must be of 43 to 128 letters, digits and -._~")
	}
	return &attempt{kind: socialCode, social: r, grant: grant{kind: byCode}}, b.wrong.Err()
}

// redeem hands out the tokens of a code, once, to whoever has its verifier. A code
// that is shown with another is spent.
func (u *Surface) redeem(ctx context.Context, a *attempt) (*answer, error) {
	if a.kind == socialBack {
		return refusedCode("access_denied", "The provider sent no code"), nil
	}
	none := refusedCode("invalid_grant", "The code is none, was used or is too old")
	if !plausible(a.social.code) {
		return none, nil
	}
	w, err := u.spendCode(ctx, digest(a.social.code))
	if errors.Is(err, errGone) {
		return none, nil
	}
	if err != nil {
		return nil, err
	}
	if w.Provider != u.c.BaseURL.String() { // the site has another by now
		return none, nil
	}
	sum := sha256.Sum256([]byte(a.social.verifier))
	if subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(w.Challenge)) != 1 {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), u.c.timeout())
		defer cancel()
		if err := u.abandon(late, w); err != nil { // whoever began the sign-in cannot redeem it any more
			u.s.d.Log.WarnContext(ctx, "login: a refresh token whose code was shown without its verifier could not be revoked", "site", u.site.Name, "err", err)
		}
		return none, nil
	}
	return newAnswer(200, request.Header{{Name: "Content-Type", Value: "application/json"}}, w.Tokens), nil
}

func refusedCode(code, description string) *answer {
	raw, err := json.Marshal(own{Error: code, Description: description})
	if err != nil {
		raw = []byte(`{"error":"invalid_grant"}`)
	}
	return newAnswer(400, request.Header{{Name: "Content-Type", Value: "application/json; charset=utf-8"}}, raw)
}

// withQuery adds parameters to an address, whatever it has already.
func withQuery(to string, q url.Values) string {
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	return to + sep + q.Encode()
}

// see leads a browser elsewhere.
func see(to string) request.Reply {
	return request.Reply{Status: 303, Header: request.Header{
		{Name: "Location", Value: to}, {Name: "Cache-Control", Value: "no-store"}, {Name: "Referrer-Policy", Value: "no-referrer"},
	}}
}

// random is 256 random bits in base64url.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// plausible reports whether a text can be 256 bits in base64url: nothing else is
// looked up.
func plausible(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(s) == 43 && len(b) == 32
}

// networkOf names a client's network without saying which it is.
func (s *Service) networkOf(ip netip.Addr) (string, error) {
	key, err := s.d.Keys.Derive("login-network", "")
	if err != nil {
		return "", err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(request.Network(ip).String()))
	return hex.EncodeToString(m.Sum(nil)[:16]), nil
}
