package login

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// The MFA interface where the factors are Portreeve's own: the paths, bodies and
// answers of Auth0's, as far as there is something behind them. An mfa_token of a
// login that waits opens it, and that alone: nobody removes a factor by a password.

// proof is what somebody shows for tokens that wait.
type proof struct {
	token string
	Proof
}

// ownProof reads exactly one kind of proof.
func ownProof(b *body, token string) (*attempt, error) {
	if sent := b.text("mfa_token", maxToken); sent != "" || token == "" {
		token = sent
		if b.wrong.Err() == nil && token == "" {
			b.wrong.Add("mfa_token", "is required")
		}
	}
	p := proof{token: token, Proof: Proof{OTP: b.text("otp", maxText), Recovery: b.text("recovery_code", maxText), Passkey: b.object("authn_response", maxBody)}}
	kinds, kind := 0, ""
	for _, k := range []struct {
		grant string
		there bool
	}{{byOTP, p.OTP != ""}, {byRecovery, p.Recovery != ""}, {"", p.Passkey != nil}} {
		if k.there {
			kinds, kind = kinds+1, k.grant
		}
	}
	if err := b.wrong.Err(); err != nil {
		return nil, err
	}
	if kinds != 1 {
		return nil, fault.New(fault.BadRequest, "one_proof", "Send otp, recovery_code or authn_response, and one of them alone")
	}
	if want := b.text("grant_type", maxText); want != "" && (kind == "" || want != grantURN+kind) {
		return nil, fault.New(fault.BadRequest, "one_proof", "The grant_type is that of another proof")
	}
	return &attempt{kind: mfaProof, grant: grant{kind: kind}, proof: &p, guess: digest(token)}, nil
}

// prove sets tokens free that wait for a proof. Of any number of right ones that
// come at once, one has them.
func (u *Surface) prove(ctx context.Context, a *attempt) (*answer, error) {
	h, err := u.holding(ctx, a.proof.token, a.caller())
	if err != nil {
		return noHolding(err)
	}
	done, err := u.site.Factors.Prove(ctx, h.Holder, a.proof.Proof)
	switch {
	case err != nil:
		return nil, err
	case !done.OK && a.proof.OTP != "":
		return refusal(403, "invalid_grant", "Invalid otp_code."), nil
	case !done.OK:
		return refusal(403, "invalid_grant", "MFA Authorization rejected."), nil
	}
	if err := u.spendHeld(ctx, a.proof.token); err != nil {
		return noHolding(err)
	}
	a.released = &h
	members := newAnswer(200, nil, h.Tokens).members
	if members == nil {
		return nil, errGarbled
	}
	if left, ok := lifetime(members); ok { // the tokens grew older while they waited
		members["expires_in"] = number(max(left-int64(u.s.d.Now().Sub(h.Holder.Since).Seconds()), 0))
	}
	if len(done.RecoveryCodes) > 0 {
		raw, err := json.Marshal(done.RecoveryCodes)
		if err != nil {
			return nil, err
		}
		members["recovery_codes"] = raw
	}
	return ownAnswer(200, members), nil
}

// noHolding answers for an mfa_token that is none, or none any more.
func noHolding(err error) (*answer, error) {
	switch {
	case errors.Is(err, errGone):
		return refusal(403, "invalid_grant", "Malformed mfa_token"), nil
	case errors.Is(err, errLateProof):
		return refusal(401, "expired_token", "mfa_token is expired"), nil
	}
	return nil, err
}

// holder is who calls by an mfa_token; the answer stands where there is nobody.
func (u *Surface) holder(ctx context.Context, c *gateway.Call, token string) (Holder, *answer, error) {
	h, err := u.holding(ctx, token, Caller{IP: c.View.Client, Headers: c.View.Header, Host: c.View.Host, Request: c.View.ID, Decision: c.Decision})
	if err == nil {
		return h.Holder, nil, nil
	}
	a, err := noHolding(err)
	if a != nil && a.status == 403 { // so Auth0 where the token is a bearer's
		a = refusal(401, "invalid_grant", "Malformed mfa_token")
	}
	return Holder{}, a, err
}

// enrolOwn begins with an authenticator app.
func (u *Surface) enrolOwn(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	b, err := bodyOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	if kinds := b.list("authenticator_types"); b.wrong.Err() == nil && !slices.Equal(kinds, []string{"otp"}) {
		b.wrong.Add("authenticator_types", "must be otp: there are no other authenticators to enrol here")
	}
	token, err := u.factorToken(c, b)
	if err != nil {
		return request.Reply{}, err
	}
	h, a, err := u.holder(ctx, c, token)
	if a != nil || err != nil {
		return passOn(a, err)
	}
	secret, uri, err := u.site.Factors.Enrol(ctx, h)
	if err != nil {
		return request.Reply{}, err
	}
	return jsonReply(200, struct {
		Type   string `json:"authenticator_type"`
		Secret string `json:"secret"`
		URI    string `json:"barcode_uri"`
	}{"otp", secret, uri}), nil
}

// ownAuthenticator is one of a list.
type ownAuthenticator struct {
	ID     string `json:"id"`
	Type   string `json:"authenticator_type"`
	Active bool   `json:"active"`
}

func (u *Surface) listOwn(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	token := bearer(c)
	if token == "" {
		return request.Reply{}, errNoBearer()
	}
	h, a, err := u.holder(ctx, c, token)
	if a != nil || err != nil {
		return passOn(a, err)
	}
	has, err := u.site.Factors.Have(ctx, h)
	if err != nil {
		return request.Reply{}, err
	}
	list := []ownAuthenticator{}
	for _, x := range []struct {
		there bool
		kind  string
	}{{has.App, "otp"}, {has.Passkey, "passkey"}, {has.Codes > 0, "recovery-code"}} {
		if x.there {
			list = append(list, ownAuthenticator{ID: x.kind, Type: x.kind, Active: true})
		}
	}
	return jsonReply(200, list), nil
}

// challengeOwn asks for a passkey, or says that a code is wanted.
func (u *Surface) challengeOwn(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	b, err := bodyOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	id, kind := b.text("authenticator_id", maxText), b.text("challenge_type", maxText)
	for _, x := range []struct{ name, value string }{{"authenticator_id", id}, {"challenge_type", kind}} {
		if x.value != "" && x.value != "otp" && x.value != "passkey" {
			b.wrong.Add(x.name, "must be otp or passkey")
		}
	}
	if id != "" && kind != "" && id != kind {
		b.wrong.Add("challenge_type", "is not that of the authenticator")
	}
	token, err := u.factorToken(c, b)
	if err != nil {
		return request.Reply{}, err
	}
	h, a, err := u.holder(ctx, c, token)
	if a != nil || err != nil {
		return passOn(a, err)
	}
	has, err := u.site.Factors.Have(ctx, h)
	if err != nil {
		return request.Reply{}, err
	}
	if kind == "" {
		kind = id
	}
	switch {
	case has.App && kind != "passkey":
		return jsonReply(200, json.RawMessage(`{"challenge_type":"otp"}`)), nil
	case has.Passkey && kind != "otp":
		asked, err := u.site.Factors.Challenge(ctx, h)
		if err != nil {
			return request.Reply{}, err
		}
		if asked != nil {
			return jsonReply(200, struct {
				Type   string          `json:"challenge_type"`
				Public json.RawMessage `json:"authn_params_public_key"`
			}{"passkey", asked}), nil
		}
	}
	return refusal(403, "unsupported_challenge_type", "User does not have any enrolled authenticator of that type.").reply(), nil
}
