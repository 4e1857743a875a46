package login

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// Hooks are an operator's scripts.
type Hooks interface {
	// SignedIn runs once the provider has let somebody in, and before anybody learns
	// of it. It says what is to become of the tokens by what it writes into in. An
	// error refuses, and the tokens are revoked.
	SignedIn(ctx context.Context, in *SignedIn) error
	// Released runs when somebody whose tokens were held has shown a second factor;
	// later is what SignedIn left for then. An error refuses.
	Released(ctx context.Context, h Holder, later json.RawMessage) error
	// Registering runs before an account is made. An error refuses.
	Registering(ctx context.Context, in *Registering) error
}

// Caller is where a request comes from, as scripts and the audit trail see it.
type Caller struct {
	IP                netip.Addr
	Headers           request.Header
	Host              string
	Request, Decision string // ids
}

// SignedIn is what a script may know of somebody whom the provider has let in: no
// password, token or code.
type SignedIn struct {
	Caller
	// Flow is login, signup, refresh, mfa or social.
	Flow string
	// Account is the login as it was written; "" where none was.
	Account string
	// Subject and Email are those of the ID token; Claims the whole of it.
	Subject, Email string
	Claims         json.RawMessage
	// What the provider was asked.
	Connection, ClientID, Audience, Scope string
	// Challenge says that risk asks for a second factor; nil: risk was not asked.
	Challenge *bool
	// Registered is the registration that this very attempt began with.
	Registered *Registering

	// Hold keeps the tokens until a second factor is shown. Later is handed to
	// Released then.
	Hold   bool
	Holder Holder // whose factor it has to be
	Later  json.RawMessage
	// IDClaims and AccessClaims are added to the tokens, which Portreeve signs itself
	// then (reissue).
	IDClaims, AccessClaims map[string]json.RawMessage
}

// Registering is what a script may know of somebody who wants an account. What it
// writes into Profile and UserMetadata goes to the provider.
type Registering struct {
	Caller
	Email, Username      string
	Profile              map[string]string
	UserMetadata         json.RawMessage
	Connection, ClientID string
	// Outcome is for SignedIn of the same attempt.
	Outcome any
}

func (a *attempt) caller() Caller {
	return Caller{IP: a.from, Headers: a.headers, Host: a.host, Request: a.request, Decision: a.decision}
}

// registering runs the operator's scripts before an account is made.
func (u *Surface) registering(ctx context.Context, a *attempt) error {
	if u.hooks == nil {
		return nil
	}
	in := &Registering{
		Caller: a.caller(), Email: a.signup.email, Username: a.signup.texts["username"], Profile: a.signup.texts, UserMetadata: a.signup.metadata,
		Connection: u.c.Connection, ClientID: u.c.ClientID,
	}
	if err := u.hooks.Registering(ctx, in); err != nil {
		return err
	}
	a.signup.metadata, a.registered = in.UserMetadata, in
	return nil
}

// scriptTime is how long the scripts of one attempt may take together.
const scriptTime = 10 * time.Second

// scripts runs the operator's, and does with the tokens what they say.
func (u *Surface) scripts(ctx context.Context, a *attempt) error {
	if !a.kind.signsIn {
		return nil
	}
	if u.hooks == nil {
		return u.signAnew(a, nil, nil)
	}
	ctx, cancel := context.WithTimeout(ctx, scriptTime)
	defer cancel()
	if a.released != nil { // they ran before the tokens were held
		return u.hooks.Released(ctx, a.released.Holder, a.released.Later)
	}
	in := &SignedIn{
		Caller: a.caller(), Flow: a.kind.name, Account: a.account, Subject: a.userID, Email: a.userMail, Claims: claimsOf(a.answer),
		Connection: u.c.Connection, ClientID: u.c.ClientID, Audience: u.c.Audience, Scope: u.c.scope(), Challenge: a.grant.challenge, Registered: a.registered,
	}
	if err := u.hooks.SignedIn(ctx, in); err != nil {
		return err
	}
	if err := u.signAnew(a, in.IDClaims, in.AccessClaims); err != nil {
		return err
	}
	if in.Hold {
		return u.hold(ctx, a, in)
	}
	return nil
}

// errScript is what a script asked for and cannot have here: to go on without it
// would be to let in whom it meant to keep out.
func errScript(why string) error {
	return fault.Wrap(fault.Unavailable, "action_failed", "", errText(why))
}

type errText string

func (e errText) Error() string { return string(e) }
