package sms

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

// sendTime is for one call of Twilio, settleTime for writing down what came of it,
// with settlePause and more after each time that it could not be.
const (
	sendTime    = 10 * time.Second
	settleTime  = 8 * time.Second
	settlePause = 50 * time.Millisecond
)

// twilio is the account that sends.
type twilio struct {
	client *outbound.Client
	c      *TwilioConfig
}

// message is the request that creates a message, byte for byte as Twilio's own
// Node SDK makes it (a test compares them).
func (t *twilio) message(to, text string) outbound.Request {
	form := []string{"To=" + request.EscapeQuery(to), "MessagingServiceSid=" + request.EscapeQuery(t.c.MessagingServiceSid), "Body=" + request.EscapeQuery(text)}
	return outbound.Request{
		Method: "POST",
		Path:   "/2010-04-01/Accounts/" + t.c.AccountSid + "/Messages.json",
		Header: request.Header{
			{Name: "Content-Type", Value: "application/x-www-form-urlencoded"},
			{Name: "Accept", Value: "application/json"},
			{Name: "Accept-Charset", Value: "utf-8"},
			{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(t.c.AccountSid+":"+t.c.AuthToken.Reveal()))},
		},
		Body: []byte(strings.Join(form, "&")),
	}
}

// send has Twilio send a text. err says why it was not, for the log: it holds no
// number and no text.
func (t *twilio) send(ctx context.Context, to number, text string) (was outcome, sid string, err error) {
	answer, err := t.client.Do(ctx, t.message(to.e164, text))
	if err != nil {
		if notSent(err) {
			return wasRefused, "", err
		}
		return wasUnknown, "", err
	}
	var body struct {
		SID    string `json:"sid"`
		Status string `json:"status"`
		Code   int    `json:"code"` // of an error
	}
	readable := json.Unmarshal(answer.Body, &body) == nil
	switch {
	case answer.Status == 201 && readable && plainSID(body.SID):
		if body.Status == "failed" || body.Status == "undelivered" || body.Status == "canceled" {
			return wasRefused, body.SID, fmt.Errorf("twilio created the message as %s", body.Status)
		}
		return wasAccepted, body.SID, nil
	case answer.Status >= 400 && answer.Status < 500 && answer.Status != 408:
		return wasRefused, "", fmt.Errorf("twilio refused: status %d, code %d", answer.Status, body.Code)
	}
	// 5xx is as good as no answer: the message may be on its way. So is a 2xx
	// that names no message, and a redirect, which nobody follows.
	return wasUnknown, "", fmt.Errorf("twilio answered status %d, code %d", answer.Status, body.Code)
}

// plainSID reports whether a text can be a message's id, which goes to the log.
func plainSID(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return !plainLetter(r) })
}

// notSent reports whether a call failed before any of it was sent.
func notSent(err error) bool {
	var e *outbound.Error
	if errors.As(err, &e) && e.Why == outbound.Refused {
		return true
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
