package login

import (
	"context"
	"encoding/json"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// What takes no password, refresh token or code.

// answerPace is the step in which answers come that must not tell how long they
// took: whether somebody has an account shows in whether a mail was written.
const answerPace = time.Second

// errNoBearer is a call without a token.
func errNoBearer() error { return errUnauthorized("no_bearer") }

func (u *Surface) userinfo(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	token := bearer(c)
	if token == "" {
		return request.Reply{}, errNoBearer()
	}
	return passOn(u.auth0.userinfo(ctx, c.View.Client, token))
}

// passOn is a provider's answer as it is.
func passOn(a *answer, err error) (request.Reply, error) {
	if err != nil {
		return request.Reply{}, err
	}
	return a.reply(), nil
}

// mailed is the answer to everybody who asks for a mail to change a password.
const mailed = `{"status":"accepted"}`

// changePassword has the provider write to whoever has the address. What it says of
// the address is kept back, and how long it took is rounded. Above the bound of mails
// nobody is written to, and the answer is the same.
func (u *Surface) changePassword(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	email, err := emailOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	began := time.Now()
	f := u.mayMail(ctx, "reset", email, c.View.Client)
	if f != nil && f.Kind != fault.TooManyRequests {
		return request.Reply{}, f
	}
	var a *answer
	if f == nil {
		a, err = u.auth0.changePassword(ctx, c.View.Client, email)
	}
	if err := u.wait(ctx, time.Since(began)); err != nil {
		return request.Reply{}, err
	}
	if err != nil {
		return request.Reply{}, err
	}
	if a == nil {
		return jsonReply(200, json.RawMessage(mailed)), nil
	}
	switch a.status {
	case 200, 201, 202, 204, 400, 404:
		return jsonReply(200, json.RawMessage(mailed)), nil
	}
	return a.reply(), nil
}

// wait fills up a step of pace.
func (u *Surface) wait(ctx context.Context, took time.Duration) error {
	if u.pace <= 0 {
		return nil
	}
	t := time.NewTimer(u.pace - took%u.pace)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return because(errLate, ctx.Err())
	}
}

// verifyEmail asks for a mail behind an answer that is always the same.
func (u *Surface) verifyEmail(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	email, err := emailOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	if f := u.mayMail(ctx, "mail", email, c.View.Client); f == nil {
		if err := u.mails.ask(email); err != nil {
			u.s.d.Log.Warn("login: a verification mail was not asked for", "site", u.site.Name, "err", err)
		}
	} else if f.Kind != fault.TooManyRequests {
		return request.Reply{}, f
	}
	return jsonReply(202, json.RawMessage(mailed)), nil
}

func (u *Surface) validateEmail(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	b, err := bodyOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	email := b.must("email", maxLogin)
	if err := b.wrong.Err(); err != nil {
		return request.Reply{}, err
	}
	return jsonReply(200, u.addresses.Check(ctx, email)), nil
}

func (u *Surface) track(_ context.Context, c *gateway.Call) (request.Reply, error) {
	if f := u.metrics.Track(c.Body); f != nil {
		return request.Reply{}, f
	}
	return jsonReply(202, json.RawMessage(mailed)), nil
}

// emailOf reads {email}, folded.
func emailOf(c *gateway.Call) (string, error) {
	b, err := bodyOf(c)
	if err != nil {
		return "", err
	}
	email := b.must("email", maxLogin)
	folded, _, ok := principal.FoldEmail(email)
	if email != "" && !ok {
		b.wrong.Add("email", "must be an e-mail address")
	}
	return folded, b.wrong.Err()
}

func jsonReply(status int, v any) request.Reply {
	raw, err := json.Marshal(v)
	if err != nil {
		raw, status = []byte(`{"error":"server_error"}`), 500
	}
	return request.Reply{Status: status, Body: raw, Header: request.Header{
		{Name: "Content-Type", Value: "application/json; charset=utf-8"}, {Name: "Cache-Control", Value: "no-store"}, {Name: "X-Content-Type-Options", Value: "nosniff"},
	}}
}
