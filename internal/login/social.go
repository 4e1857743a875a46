package login

import (
	"context"

	"github.com/portreeve/portreeve/internal/fault"
)

// redemption is a social code on its way to the tokens that wait for it.
type redemption struct{ hash, verifier string }

// social is the key social; nil: there is none.
func (u *Surface) social() *SocialConfig {
	if u.login == nil || u.auth0 == nil {
		return nil
	}
	return u.login.Social
}

// codeOf reads what redeems a social code.
func (u *Surface) codeOf(context.Context, *body) (*attempt, error) {
	return nil, fault.New(fault.BadRequest, codeGrant, "The grant_type is none that is taken here")
}

func (u *Surface) redeem(context.Context, *attempt) (*answer, error) {
	return nil, errNoProvider
}
