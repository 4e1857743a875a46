package sms

import (
	"context"
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

// asked is the body of a request.
type asked struct {
	To    string `json:"to"`
	Token string `json:"cf-turnstile-response"`
}

// post sends a text, or says why not.
func (u *surface) post(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	name := campaignOf(c.View.Path)
	text, known := u.c.Campaigns[name]
	label := name
	if !known {
		label = ""
	}
	word, err := u.text(ctx, c, name, text, known)
	if err != nil && word == "" {
		word = ErrSend.Code
		var f *fault.Error
		switch {
		case errors.As(err, &f) && f.Kind != fault.Internal && f.Kind != fault.Unavailable:
			word = f.Code
		case !errors.Is(err, ErrSend):
			word = "unavailable"
		}
	}
	u.s.tally.add(c.Site.Name, label, word)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(201, map[string]bool{"sent": true}), nil
}

// text does what post is asked. The word is the outcome, where the error does not
// say it.
func (u *surface) text(ctx context.Context, c *gateway.Call, campaign, text string, known bool) (word string, err error) {
	if _, ok := u.c.listed(c.View); !ok {
		return "", ErrOrigin
	}
	var body asked
	if err := input.JSON(c.Body, &body); err != nil || body.To == "" {
		return "", ErrRequest
	}
	to, err := read(body.To, u.c.Regions)
	if err != nil {
		return "", err
	}
	if !known {
		return "", ErrCampaign
	}
	// From here on a caller who goes away changes nothing: whether a text was sent
	// is found out and written down.
	ctx = context.WithoutCancel(ctx)
	if u.turnstile != nil {
		if err := u.turnstile.check(ctx, body.Token, c.View.Client); err != nil {
			return "", fault.Wrap(ErrBot.Kind, ErrBot.Code, "", err)
		}
	}
	w, err := digest(u.s.d.Keys, to, c.View.Client)
	if err != nil {
		return "", err
	}
	got, err := u.claim(ctx, c.Site.Name, campaign, w)
	switch {
	case err != nil:
		return "", err
	case got.repeated:
		return "repeated", nil
	case got.pending != "":
		return "repeated", u.await(ctx, got.pending)
	}
	return u.send(ctx, c, got, campaign, to, text)
}

// send sends what was claimed, and writes down what came of it.
func (u *surface) send(ctx context.Context, c *gateway.Call, got claim, campaign string, to number, text string) (word string, err error) {
	log := u.s.d.Log.With("site", c.Site.Name, "campaign", campaign, "number", to.shown(), "request", c.View.ID)
	was, sid, why := u.twilio.send(ctx, to, text)
	if err := u.settled(ctx, got, was); err != nil {
		// It goes on counting as a text of unknown outcome, which after a minute may
		// be sent again.
		log.Error("what came of a text could not be written down", "outcome", string(was), "error", err.Error())
	}
	if was == wasAccepted {
		log.Info("text sent", "sid", sid)
		return string(was), nil
	}
	log.Warn("text not sent", "outcome", string(was), "error", why.Error())
	return string(was), ErrSend
}

// settled writes down an outcome, and tries as long as it may: a store that is
// away for a moment must not turn a text that was sent into one that may not have
// been, and is sent again.
func (u *surface) settled(ctx context.Context, got claim, was outcome) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for pause := settlePause; ; pause = min(2*pause, time.Second) {
		err := u.settle(ctx, got, was)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
