package castle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

const mostAnswer = 256 << 10

const unreadable = "castle answers what cannot be read; sign-in is refused"

// errFailing is Castle's failing, for which there is onError.
var errFailing = errors.New("castle: it is failing")

// ask makes one call. The error is errFailing, or one without which there is no
// verdict.
func (c *Client) ask(ctx context.Context, by *outbound.Client, path string, body []byte) (Verdict, error) {
	a, err := by.Do(ctx, outbound.Request{Method: http.MethodPost, Path: path, Body: body, Header: request.Header{
		{Name: "Authorization", Value: c.auth}, {Name: "Content-Type", Value: "application/json"}, {Name: "Accept", Value: "application/json"}}})
	if err != nil {
		return Verdict{}, c.unanswered(ctx, err)
	}
	switch s := a.Status; {
	case s >= 200 && s <= 299:
		return c.read(ctx, a)
	case s == 429 || s >= 500:
		c.failing(ctx, fmt.Sprintf("status %d", s))
		return Verdict{}, errFailing
	case s == 422 && kind(a.Body) == "invalid_request_token":
		return Verdict{Deny, InvalidToken}, nil
	case s == 400 || s == 413 || s == 419 || s == 422:
		return Verdict{Deny, Rejected}, nil
	case s == 401 || s == 403:
		c.alert(ctx, "castle refuses our API secret; sign-in is refused", s)
		return Verdict{}, fmt.Errorf("castle refuses our API secret: status %d", s)
	default:
		c.alert(ctx, "castle does not answer at its baseURL; sign-in is refused", s)
		return Verdict{}, fmt.Errorf("castle does not answer at its baseURL: status %d", s)
	}
}

// unanswered sorts a call without an answer.
func (c *Client) unanswered(ctx context.Context, err error) error {
	var o *outbound.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err() // the client's doing, and no way around Castle
	case outbound.Unreadable(err):
		c.alert(ctx, unreadable, 0)
		return err
	case errors.As(err, &o) && o.Why != outbound.Refused:
		c.failing(ctx, string(o.Why))
		return errFailing
	}
	c.alert(ctx, "castle is not called: its address is one that is not called from here; sign-in is refused", 0)
	return err
}

// read takes the verdict out of an answer. onError is not for one that cannot be
// read: whoever answers is not the Castle that is known here, or not Castle at all.
func (c *Client) read(ctx context.Context, answer *outbound.Answer) (Verdict, error) {
	var a struct {
		Policy struct {
			Action string `json:"action"`
		} `json:"policy"`
	}
	if json.Unmarshal(answer.Body, &a) == nil {
		switch a.Policy.Action {
		case Allow, Challenge, Deny:
			return Verdict{a.Policy.Action, ByCastle}, nil
		}
	}
	c.alert(ctx, unreadable, answer.Status)
	return Verdict{}, fmt.Errorf("castle answers what cannot be read: status %d", answer.Status)
}

// kind is the type of an error of Castle's.
func kind(body []byte) string {
	var e struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	return e.Type
}
