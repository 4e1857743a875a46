package login

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// SignedIn is what a script may know of somebody whom the provider has let in: no
// password, token or code.
type SignedIn struct {
	// Flow is login, refresh, mfa or social.
	Flow string
	// Subject and Email are those of the ID token; Claims the whole of it.
	Subject, Email string
	Claims         json.RawMessage
	Connection     string
	ClientID       string
	// Challenge says that risk asks for a second factor.
	Challenge bool
	IP        netip.Addr
	Headers   request.Header

	attempt *attempt
}

// Tokens is the provider's answer, to be held back or changed.
func (in *SignedIn) Tokens() []byte { return in.attempt.answer.body }

// Answer puts another answer in place of the provider's: an mfa_required while its
// tokens are held, or a set of tokens with other claims. Where it is no success, what
// comes after a success waits until there is one.
func (in *SignedIn) Answer(status int, body []byte) {
	header := request.Header{{Name: "Content-Type", Value: "application/json"}}
	in.attempt.answer = newAnswer(status, header, body)
}

// Registering is what a script may know of somebody who wants an account. What it
// writes goes to the provider.
type Registering struct {
	Email, Username string
	Profile         map[string]string
	UserMetadata    json.RawMessage
	Connection      string
	ClientID        string
	IP              netip.Addr
	Headers         request.Header
}

func registering(u *Surface, a *attempt) *Registering {
	return &Registering{
		Email: a.signup.email, Username: a.signup.texts["username"], Profile: a.signup.texts, UserMetadata: a.signup.metadata,
		Connection: u.c.Connection, ClientID: u.c.ClientID, IP: a.from, Headers: a.headers,
	}
}

// scriptTime is how long the scripts of one attempt may take together.
const scriptTime = 10 * time.Second

// scripts runs the operator's.
func (u *Surface) scripts(ctx context.Context, a *attempt) error {
	if u.hooks == nil || !a.kind.signsIn {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, scriptTime)
	defer cancel()
	in := &SignedIn{
		Flow: a.kind.name, Subject: a.userID, Email: a.userMail, Claims: claimsOf(a.answer), Connection: u.c.Connection, ClientID: u.c.ClientID,
		Challenge: a.grant.challenge != nil && *a.grant.challenge, IP: a.from, Headers: a.headers, attempt: a,
	}
	return u.hooks.SignedIn(ctx, in)
}
