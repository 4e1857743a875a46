package session

import (
	"context"
	"errors"
	"net/http"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

// What can be wrong with an answer of a provider.
var (
	errIssuer = errors.New("session: the answer's iss is not the provider's")
	errNoCode = errors.New("session: the answer has neither a code nor an error")
	errDenied = errors.New("session: the provider let nobody through")
	// errNotAnew: auth_time is of a sign-in before the one that was asked for.
	errNotAnew = errors.New("session: the provider was asked for a new sign-in and answered with an earlier one")
	errSaid    = errors.New("session: the provider could not do it")
)

// providerSaid sorts the errors of RFC 6749 section 4.1.2.1 and OpenID Connect
// Core section 3.1.2.6. What it says in words is a stranger's text and goes
// nowhere.
func providerSaid(code string) error {
	switch code {
	case "access_denied", "consent_required", "account_selection_required", "unauthorized_client":
		return errDenied
	case "server_error", "temporarily_unavailable":
		return down(errors.New("the provider says " + code))
	}
	return errSaid
}

// words are what a browser is told.
type words struct {
	status        int
	code          string
	heading, text string
}

// wordsFor finds the words for whatever went wrong with a sign-in.
func wordsFor(err error) words {
	f := fault.From(err)
	switch {
	case errors.Is(err, errNoStart):
		return words{http.StatusBadRequest, "no_sign_in", "This sign-in is over", "It took too long, was finished already, or began in another browser. Nothing is wrong with your account; please begin again."}
	case errors.Is(err, errTwice), errors.Is(err, errNoCode), errors.Is(err, errSaid):
		return words{http.StatusBadRequest, "bad_answer", "The sign-in did not work", "The sign-in provider sent an answer that cannot be used. Please begin again."}
	case errors.Is(err, errIssuer):
		return words{http.StatusBadRequest, "wrong_issuer", "The sign-in did not work", "The answer came from another provider than the one that was asked, and was refused. Please begin again."}
	case errors.Is(err, errSpent):
		return words{http.StatusBadRequest, "code_spent", "This sign-in is over", "The sign-in provider does not take the code any more. Please begin again."}
	case errors.Is(err, errDenied):
		return words{http.StatusForbidden, "provider_denied", "You are not signed in", "The sign-in was cancelled, or the sign-in provider refused it."}
	case errors.Is(err, errNotAnew):
		return words{http.StatusForbidden, "not_anew", "You were not asked to sign in", "A new sign-in was needed, and the sign-in provider let you through by an earlier one. Sign out there, then begin again."}
	case f.Code == identity.CodeIDToken:
		return words{http.StatusUnauthorized, f.Code, "The sign-in was refused", "What the sign-in provider said of you could not be believed, and was refused."}
	case f.Kind == fault.Forbidden, f.Kind == fault.Unauthenticated:
		return words{http.StatusForbidden, f.Code, "Not for this account", "You are signed in at the provider, but this account may not come in here."}
	case f.Kind == fault.Unavailable:
		return words{http.StatusServiceUnavailable, f.Code, "Not right now", "The sign-in provider, or something that is needed to sign in, cannot be reached. Please try again in a moment."}
	}
	return words{http.StatusInternalServerError, "internal", "Something went wrong", "That is not your fault. Please try again in a moment."}
}

// kindOf is the kind of fault whose status the page has.
func kindOf(status int) fault.Kind {
	switch status {
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusServiceUnavailable:
		return fault.Unavailable
	}
	return fault.BadRequest
}

// sorry is the page for a sign-in that came to nothing. Whoever runs the site
// finds the reason by the decision id, which is kept like any refusal's; of what the provider sent,
// neither a code nor a state nor a token is in either.
func (h *handlers) sorry(ctx context.Context, c *gateway.Call, provider, back string, err error) (request.Reply, error) {
	w := wordsFor(err)
	if w.status == http.StatusInternalServerError {
		return request.Reply{}, err
	}
	if w.status != http.StatusServiceUnavailable {
		h.s.d.Audit.Refused("", "session.refused "+w.code, "", c.View.Client)
	}
	c.Refused = fault.Wrap(kindOf(w.status), w.code, w.text, err)
	again := "Sign in again"
	if w.status == http.StatusServiceUnavailable {
		again = "Try again"
	}
	to := loginPath + "?return=" + escape(back)
	if errors.Is(err, errNotAnew) {
		to += "&again=true"
	}
	reply := h.s.d.Pages.Refusal(pages.Refusal{
		Host: c.View.Host, Status: w.status, Heading: w.heading, Text: w.text, Decision: c.Decision, Request: c.View.ID,
		Again: &pages.Link{Label: again, Href: to},
	})
	if w.status == http.StatusServiceUnavailable {
		reply.Header = append(reply.Header, request.Field{Name: "Retry-After", Value: "15"})
	}
	return reply, nil
}
