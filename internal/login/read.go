package login

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
)

// The grants as clients write them.
const (
	grantURN = "http://auth0.com/oauth/grant-type/"
	realmURN = grantURN + "password-realm"
)

// readBackoffice reads {username, password}, always as JSON.
func (u *Surface) readBackoffice(_ context.Context, c *gateway.Call) (*attempt, error) {
	b, err := jsonOf(c.Body)
	if err != nil {
		return nil, err
	}
	return passwordOf(b, b.must("username", maxLogin), signIn)
}

// readToken reads POST /oauth/token by its grant_type.
func (u *Surface) readToken(ctx context.Context, c *gateway.Call) (*attempt, error) {
	b, err := bodyOf(c)
	if err != nil {
		return nil, err
	}
	switch b.text("grant_type", maxText) {
	case "", "password", realmURN:
		return passwordOf(b, b.account(), signIn)
	case "refresh_token":
		return refreshOf(b)
	case grantURN + byOOB, grantURN + byOTP, grantURN + byRecovery:
		if u.auth0 != nil {
			return proofOf(b, bearer(c))
		}
		if u.site.Factors != nil {
			return ownProof(b, bearer(c))
		}
	case "authorization_code":
		if u.social() != nil {
			return u.codeOf(ctx, b)
		}
	}
	if err := b.wrong.Err(); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.BadRequest, codeGrant, "The grant_type is none that is taken here")
}

func passwordOf(b *body, account string, k kind) (*attempt, error) {
	password := b.must("password", maxPassword)
	a := &attempt{kind: k, account: account, grant: grant{kind: byPassword, fields: map[string]string{"username": account, "password": password}}}
	return a, b.wrong.Err()
}

// readRefresh reads {refresh_token}.
func (u *Surface) readRefresh(_ context.Context, c *gateway.Call) (*attempt, error) {
	b, err := bodyOf(c)
	if err != nil {
		return nil, err
	}
	return refreshOf(b)
}

func refreshOf(b *body) (*attempt, error) {
	a := &attempt{kind: refresh, grant: grant{kind: byRefresh, fields: map[string]string{"refresh_token": b.must("refresh_token", maxToken)}}}
	return a, b.wrong.Err()
}

// readMFAToken reads a password that asks for a token of the MFA interface.
func (u *Surface) readMFAToken(_ context.Context, c *gateway.Call) (*attempt, error) {
	b, err := bodyOf(c)
	if err != nil {
		return nil, err
	}
	a, err := passwordOf(b, b.account(), mfaToken)
	if a != nil {
		a.grant.mfa = true
	}
	return a, err
}

// readProof reads what proves a second factor.
func (u *Surface) readProof(_ context.Context, c *gateway.Call) (*attempt, error) {
	b, err := bodyOf(c)
	if err != nil {
		return nil, err
	}
	if u.auth0 == nil {
		return ownProof(b, bearer(c))
	}
	return proofOf(b, bearer(c))
}

// proofOf takes exactly one kind of proof: of two a provider would choose one, and
// the other would be guessed for nothing.
func proofOf(b *body, token string) (*attempt, error) {
	a := &attempt{kind: mfaProof, grant: grant{fields: map[string]string{}}}
	if sent := b.text("mfa_token", maxToken); sent != "" || token == "" {
		token = sent
		if b.wrong.Err() == nil && token == "" {
			b.wrong.Add("mfa_token", "is required")
		}
	}
	a.grant.fields["mfa_token"] = token
	kinds := 0
	for _, k := range []struct{ grant, field string }{{byOOB, "oob_code"}, {byOTP, "otp"}, {byRecovery, "recovery_code"}} {
		if v := b.text(k.field, maxToken); v != "" {
			kinds++
			a.grant.kind, a.grant.fields[k.field] = k.grant, v
		}
	}
	if code := b.text("binding_code", maxText); code != "" {
		if a.grant.kind == byOOB {
			a.grant.fields["binding_code"] = code
		} else {
			kinds = 0
		}
	}
	if err := b.wrong.Err(); err != nil {
		return nil, err
	}
	if kinds != 1 {
		return nil, fault.New(fault.BadRequest, "one_proof", "Send oob_code (with binding_code), otp or recovery_code, and one of them alone")
	}
	if want := b.text("grant_type", maxText); want != "" && want != grantURN+a.grant.kind {
		return nil, fault.New(fault.BadRequest, "one_proof", "The grant_type is that of another proof")
	}
	a.guess = digest(token)
	return a, nil
}

// digest stands for a token where the token must not stand.
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
