package login

import (
	"context"
	"encoding/json"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/userservice"
)

// registration is who wants an account.
type registration struct {
	email, password string
	texts           map[string]string // username, given_name, … as the provider calls them
	metadata        json.RawMessage
}

// profile are the members of a sign-up that are taken besides; nothing else is.
var profile = []string{"username", "given_name", "family_name", "name", "nickname", "picture", "phone_number"}

// created tells a client that the account stands, whatever came after.
const created = "X-Portreeve-Signup"

// readSignup reads a sign-up.
func (u *Surface) readSignup(_ context.Context, c *gateway.Call) (*attempt, error) {
	b, err := bodyOf(c)
	if err != nil {
		return nil, err
	}
	r := &registration{email: b.must("email", maxLogin), password: b.must("password", maxPassword), texts: map[string]string{}}
	if _, _, ok := principal.FoldEmail(r.email); r.email != "" && !ok {
		b.wrong.Add("email", "must be an e-mail address")
	}
	for _, name := range profile {
		if s := b.text(name, maxText); s != "" {
			r.texts[name] = s
		}
	}
	r.metadata = b.object("user_metadata", maxMetadata)
	a := &attempt{kind: signUp, account: r.email, signup: r,
		grant: grant{kind: byPassword, fields: map[string]string{"username": r.email, "password": r.password}}}
	return a, b.wrong.Err()
}

// register makes the account and the user service's record. done says that there is
// an answer, and nothing to be asked for a token.
func (u *Surface) register(ctx context.Context, a *attempt) (done bool, err error) {
	if err := u.registering(ctx, a); err != nil {
		return false, err
	}
	made, err := u.auth0.signup(ctx, a.from, a.signup)
	if err != nil {
		return false, err
	}
	if !made.granted() {
		a.answer = made
		return true, nil
	}
	a.more = append(a.more, request.Field{Name: created, Value: "created"})
	if u.users == nil {
		return false, nil
	}
	err = u.users.Create(ctx, a.signup.record(made.subject()))
	if err == nil {
		return false, nil
	}
	u.s.d.Log.Error("login: the user service has no record of somebody who signed up", "site", u.site.Name, "then", u.users.OnError(), "err", err)
	if u.users.OnError() == "allow" {
		return false, nil
	}
	a.fail(fault.New(fault.Unavailable, "user_service", ""))
	return true, nil
}

// subject is the sub of an account that was made: Auth0 says the id without the
// name of the strategy.
func (a *answer) subject() string {
	id := a.text("_id")
	if id == "" {
		id = a.text("id")
	}
	if id == "" || len(id) > 200 {
		return ""
	}
	return "auth0|" + id
}

func (r *registration) record(id string) userservice.NewUser {
	return userservice.NewUser{
		ID: id, Email: r.email, Username: r.texts["username"], GivenName: r.texts["given_name"], FamilyName: r.texts["family_name"],
		Name: r.texts["name"], Nickname: r.texts["nickname"], Picture: r.texts["picture"], Phone: r.texts["phone_number"], Metadata: r.metadata,
	}
}

// fail puts a refusal of our own in the place of a provider's answer.
func (a *attempt) fail(f *fault.Error) {
	r := Shape(f, "", "")
	a.answer, a.failed = newAnswer(r.Status, r.Header, r.Body), f
}
