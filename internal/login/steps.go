package login

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/lockout"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// Guesses at a second factor: as many for one mfa_token, and for one address, behind
// which an office may be. A client that waits for somebody to press a button asks
// again and again and guesses nothing. Anybody can make up mfa_tokens: the address
// that brings them up bounds how many are kept (lockout.Attempts).
const (
	guessesOfToken = 5
	pollsOfToken   = 300
	guessesOfIP    = 300
	guessWindow    = 15 * time.Minute
)

// deviceHeader is where an application sends Castle's device token.
const deviceHeader = "x-castle-request-token"

// counting is how long an attempt may be counted after its client has gone.
const counting = 5 * time.Second

// errUnauthorized is the one refusal that says nothing: by risk, by standing.
func errUnauthorized(code string) *fault.Error {
	return fault.New(fault.Unauthenticated, code, "unauthorized")
}

// meet notes who calls.
func (u *Surface) meet(a *attempt, c *gateway.Call) {
	a.from, a.headers, a.device = c.View.Client, c.View.Header, c.View.Header.Values(deviceHeader)
	a.host, a.origin, a.request, a.decision = c.View.Host, c.View.Origin(), c.View.ID, c.Decision
	if folded, _, ok := principal.FoldEmail(strings.TrimFunc(a.account, blank)); ok { // providers trim what was typed
		a.email = folded
	}
	if a.kind.guesses && a.signup == nil && u.qa.lists(a.email) {
		a.listed = true
		u.s.d.Log.Warn("login: a listed login skips risk and lock-out", "site", u.site.Name, "login", masked(a.email), "request", c.View.ID, "ip", a.from.String())
	}
}

// blank reports what JavaScript's trim takes away.
func blank(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' }

func (u *Surface) lockKey(a *attempt) lockout.Key {
	k := lockout.Key{Realm: u.realm(), IP: a.from}
	if a.kind.guesses {
		k.Account = a.account
	}
	return k
}

// realm is whose accounts are counted: those of one provider and connection.
func (u *Surface) realm() string {
	return strings.Join([]string{u.c.under(""), u.c.Connection}, " ")
}

// lockedOut holds a place for the attempt; forget, turnedAway and admitted say what
// came of it.
func (u *Surface) lockedOut(ctx context.Context, a *attempt) error {
	if a.listed {
		a.counted = true
		return nil
	}
	if f := u.lock.Check(ctx, u.lockKey(a)); f != nil {
		a.counted = true // no place was held
		return f
	}
	if a.guess == "" {
		return nil
	}
	kind, most := "mfa", guessesOfToken
	if a.grant.kind == byOOB && a.grant.fields["binding_code"] == "" {
		kind, most = "mfa_poll", pollsOfToken
	} else if f := u.lock.Attempts(ctx, kind, "", a.from, guessesOfIP, guessWindow); f != nil {
		return f
	}
	if f := u.lock.Attempts(ctx, kind, a.guess, a.from, most, guessWindow); f != nil {
		return f
	}
	return nil
}

// filter asks for the risk of an attempt. A deny that does not block is recorded by
// who said it and counts as an allow.
func (u *Surface) filter(ctx context.Context, a *attempt) error {
	if u.risk == nil || a.kind.event == "" {
		return nil
	}
	challenge := false
	if a.grant.kind == byPassword || a.grant.kind == byRefresh {
		a.grant.challenge = &challenge
	}
	if a.listed {
		return nil
	}
	e := a.scored(a.kind.before)
	e.Took = &a.scoring
	v, err := u.risk.Filter(ctx, e)
	switch {
	case err != nil:
		return err
	case v.Action == castle.Allow:
	case v.Action == castle.Challenge:
		challenge = true
	case u.risk.Blocking(): // a deny, or no word that is known
		return errUnauthorized("risk_" + v.Reason)
	}
	return nil
}

// scored is the attempt as an event.
func (a *attempt) scored(status string) castle.Event {
	e := castle.Event{Type: a.kind.event, Status: status, Name: a.kind.label, Token: a.device, IP: a.from, Headers: a.headers, Email: a.email, UserID: a.userID}
	if e.Name != "" {
		e.Status = "" // a custom event has none
	}
	return e
}

// standing asks the user service about the address that was written.
func (u *Surface) standing(ctx context.Context, a *attempt) error {
	if a.signup != nil {
		return nil // nobody yet
	}
	return u.lookUp(ctx, a, a.email)
}

// named asks about the address of whom the provider let in, where that is another
// one: a user name was written, or nothing.
func (u *Surface) named(ctx context.Context, a *attempt) error {
	if !a.kind.signsIn || a.signup != nil || !a.answer.granted() { // scripts hold the tokens
		return nil
	}
	if a.nameless && u.users != nil {
		return u.unasked(errors.New("the provider's success names nobody who could be asked about"))
	}
	return u.lookUp(ctx, a, a.userMail)
}

func (u *Surface) lookUp(ctx context.Context, a *attempt, email string) error {
	if u.users == nil || email == "" || email == a.looked {
		return nil
	}
	a.looked = email
	who, err := u.users.ByEmail(ctx, email)
	if err == nil && who != nil {
		if u.users.Blocked(who) {
			return errUnauthorized("user_blocked")
		}
		if u.users.Paused(who) {
			err = u.users.Unblock(ctx, who)
		}
	}
	if err == nil {
		return nil
	}
	return u.unasked(err)
}

// codeUsers is the code of a refusal because the user service could not be asked.
const codeUsers = "user_service"

// unasked is what counts where the user service could not be asked.
func (u *Surface) unasked(err error) error {
	u.s.d.Log.Warn("login: the user service does not answer", "site", u.site.Name, "then", u.users.OnError(), "err", err)
	if u.users.OnError() == "allow" {
		return nil
	}
	return errUnauthorized(codeUsers)
}

// turnedAway ends an attempt that the provider refused.
func (u *Surface) turnedAway(ctx context.Context, a *attempt) (request.Reply, error) {
	if !a.counted && a.kind.guesses {
		count := u.lock.Dropped
		switch {
		case a.answer.wrongCredentials():
			count = u.lock.Failed
		case a.answer.secondFactor(): // the password was right
			count = u.lock.Succeeded
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), counting)
		defer cancel()
		if err := count(late, u.lockKey(a)); err != nil {
			return request.Reply{}, err // a guess that is not counted gets no answer
		}
		a.counted = true
	}
	if u.risk != nil && !a.listed && a.kind.label == "" && a.kind.event != "" && a.answer.refused() {
		u.risk.Queue(a.scored("$failed"))
	}
	return u.reply(ctx, a)
}

// score asks for the risk of a success.
func (u *Surface) score(ctx context.Context, a *attempt) error {
	if u.risk == nil || !a.kind.signsIn || a.listed || !a.answer.granted() {
		return nil
	}
	e := a.scored("$succeeded")
	if e.Email == "" {
		e.Email = a.userMail
	}
	if !u.risk.Wait() && a.userID != "" {
		u.risk.Queue(e)
		return nil
	}
	v := castle.Verdict{Action: u.onError, Reason: castle.OnError}
	if left := u.risk.Timeout() - a.scoring; a.userID != "" && left > 0 {
		ctx, cancel := context.WithTimeout(ctx, left)
		defer cancel()
		var err error
		if v, err = u.risk.Risk(ctx, e); err != nil {
			return err
		}
	}
	if v.Action == castle.Allow || v.Action == castle.Challenge || !u.risk.Blocking() {
		return nil
	}
	return errUnauthorized("risk_" + v.Reason)
}

// admitted counts a success.
func (u *Surface) admitted(ctx context.Context, a *attempt) error {
	if a.counted || !a.kind.guesses {
		return nil
	}
	if err := u.lock.Succeeded(ctx, u.lockKey(a)); err != nil {
		return err
	}
	a.counted = true
	return nil
}

// withhold keeps back what the provider granted, and ends it there.
func (u *Surface) withhold(ctx context.Context, a *attempt, why error) (reply request.Reply, err error) {
	if len(a.more) > 0 { // an account stands already, and its owner is told so
		defer func() {
			a.fail(fault.From(why))
			reply, err = a.answer.reply(a.more...), nil
		}()
	}
	token := a.answer.text("refresh_token")
	if token == "" && final(why) { // the provider does not turn them: what was shown goes on counting
		token = a.grant.fields["refresh_token"]
	}
	if token == "" {
		return request.Reply{}, why
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), u.c.timeout())
	defer cancel()
	if err := u.provider.revoke(late, a.from, token); err != nil {
		u.s.d.Log.Error("login: a refresh token that was withheld could not be revoked", "site", u.site.Name, "err", err)
	}
	return request.Reply{}, why
}

// final reports whether a refusal is about the person, and not that somebody could not
// be asked about them.
func final(why error) bool {
	f := fault.From(why)
	return (f.Kind == fault.Unauthenticated || f.Kind == fault.Forbidden) && f.Code != codeUsers && f.Code != "risk_"+castle.OnError
}

// forget gives back the place of an attempt that came to nothing.
func (u *Surface) forget(ctx context.Context, a *attempt) {
	if a.counted {
		return
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), counting)
	defer cancel()
	if err := u.lock.Dropped(late, u.lockKey(a)); err != nil {
		u.s.d.Log.Warn("login: an attempt that came to nothing is still counted", "site", u.site.Name, "err", err)
	}
}

// reply is what the client gets: the answer, or what is made of it.
func (u *Surface) reply(ctx context.Context, a *attempt) (request.Reply, error) {
	if a.end != nil {
		return a.end(ctx, a)
	}
	return a.answer.reply(a.more...), nil
}
