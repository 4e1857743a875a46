package login

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/principal"
)

// ask is the one place from which a grant is sent.
func (u *Surface) ask(ctx context.Context, a *attempt) (err error) {
	if a.signup != nil {
		if done, err := u.register(ctx, a); err != nil || done {
			return err
		}
	}
	switch {
	case a.proof != nil:
		a.answer, err = u.prove(ctx, a)
	case a.social != nil:
		a.answer, err = u.redeem(ctx, a)
	default:
		a.answer, err = u.provider.token(ctx, a.from, a.grant)
	}
	if err != nil && len(a.more) > 0 { // an account stands already, and its owner is told so
		a.fail(fault.From(err))
		err = nil
	}
	if err != nil {
		return err
	}
	if a.answer.granted() {
		a.userID, a.userMail, a.nameless = subject(a.answer)
	}
	return nil
}

// subject is whom an ID token that has come straight from the provider names. Its
// signature is not looked at: TLS to the token endpoint says who sent it (OpenID
// Connect Core section 3.1.3.7, rule 6). nameless says that there is none, or an address
// that is none; somebody without an address is not.
func subject(a *answer) (id, email string, nameless bool) {
	var claims struct {
		Sub   string `json:"sub"`
		Email string `json:"email"`
	}
	if json.Unmarshal(claimsOf(a), &claims) != nil || claims.Sub == "" || len(claims.Sub) > 255 {
		return "", "", true
	}
	email, _, ok := principal.FoldEmail(claims.Email)
	return claims.Sub, email, !ok && claims.Email != ""
}

// claimsOf are the claims of the ID token of an answer, as they stand; nil: none.
func claimsOf(a *answer) json.RawMessage {
	_, rest, _ := strings.Cut(a.text("id_token"), ".")
	payload, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || !json.Valid(raw) {
		return nil
	}
	return raw
}
