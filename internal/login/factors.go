package login

import (
	"context"
	"regexp"
	"slices"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

// What people do with second factors by a token of the MFA interface.

var (
	factorTypes    = []string{"oob", "otp"}
	factorChannels = []string{"sms", "voice", "email", "auth0"}
	phoneNumber    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`) // E.164
)

// enrol enrols an authenticator. A telephone number alone means a text message to it.
func (u *Surface) enrol(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	b, err := bodyOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	e := enrolment{Types: b.list("authenticator_types"), Channels: b.list("oob_channels"), Phone: b.text("phone_number", maxText)}
	if e.Phone != "" && !phoneNumber.MatchString(e.Phone) {
		b.wrong.Add("phone_number", "must be a telephone number: +, country and number, digits only")
	}
	if len(e.Types) == 0 && e.Phone != "" {
		e.Types = []string{"oob"}
		if len(e.Channels) == 0 {
			e.Channels = []string{"sms"}
		}
	}
	if len(e.Types) == 0 {
		b.wrong.Add("authenticator_types", "is required")
	}
	for _, x := range []struct {
		name       string
		list, know []string
	}{{"authenticator_types", e.Types, factorTypes}, {"oob_channels", e.Channels, factorChannels}} {
		for _, v := range x.list {
			if !slices.Contains(x.know, v) {
				b.wrong.Add(x.name, "holds what is not known")
			}
		}
	}
	token, err := u.factorToken(c, b)
	if err != nil {
		return request.Reply{}, err
	}
	return passOn(u.auth0.associate(ctx, c.View.Client, token, e))
}

// factorToken is the mfa token, by header or in the body.
func (u *Surface) factorToken(c *gateway.Call, b *body) (string, error) {
	sent := b.text("mfa_token", maxToken)
	if err := b.wrong.Err(); err != nil {
		return "", err
	}
	if token := bearer(c); token != "" {
		return token, nil
	}
	if !plainToken(sent) {
		return "", errNoBearer()
	}
	return sent, nil
}

// plainToken reports whether a text can stand in a header as a bearer token.
func plainToken(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

func (u *Surface) authenticators(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	token := bearer(c)
	if token == "" {
		return request.Reply{}, errNoBearer()
	}
	return passOn(u.auth0.authenticators(ctx, c.View.Client, token))
}

// authenticatorID is what the ids of Auth0's authenticators look like (sms|dev_…).
var authenticatorID = regexp.MustCompile(`^[A-Za-z0-9|_.-]{1,200}$`)

func (u *Surface) removeAuthenticator(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	token := bearer(c)
	if token == "" {
		return request.Reply{}, errNoBearer()
	}
	id, _ := c.Params.Get("id")
	if !authenticatorID.MatchString(id) || id == "." || id == ".." {
		return request.Reply{}, input.Invalid("id", "is none of an authenticator")
	}
	return passOn(u.auth0.removeAuthenticator(ctx, c.View.Client, token, id))
}

func (u *Surface) challenge(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	b, err := bodyOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	id, kind := b.text("authenticator_id", maxText), b.text("challenge_type", maxText)
	if id != "" && !authenticatorID.MatchString(id) {
		b.wrong.Add("authenticator_id", "is none of an authenticator")
	}
	if kind != "" && kind != "oob" && kind != "otp" && kind != "oob otp" && kind != "otp oob" {
		b.wrong.Add("challenge_type", "must be oob or otp")
	}
	token := b.text("mfa_token", maxToken)
	if token == "" {
		token = bearer(c)
	}
	if token == "" {
		b.wrong.Add("mfa_token", "is required")
	}
	if err := b.wrong.Err(); err != nil {
		return request.Reply{}, err
	}
	return passOn(u.auth0.challenge(ctx, c.View.Client, token, id, kind))
}
