package sms

import (
	"encoding/json"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// What callers are told; the code is the word.
var (
	ErrOrigin   = fault.New(fault.Forbidden, "origin_not_allowed", "")
	ErrRequest  = fault.New(fault.Forbidden, "invalid_request", "")
	ErrNumber   = fault.New(fault.Forbidden, "invalid_number", "")
	ErrRegion   = fault.New(fault.Forbidden, "region_not_allowed", "")
	ErrCampaign = fault.New(fault.Forbidden, "unknown_campaign", "")
	ErrBot      = fault.New(fault.Forbidden, "bot_check_failed", "")
	ErrLimit    = fault.New(fault.TooManyRequests, "rate_limited", "")
	ErrSend     = fault.New(fault.Internal, "send_failed", "")
	ErrMethod   = fault.New(fault.Forbidden, "method_not_allowed", "")
)

// Shape renders any fault of the site: {"error": word}, with one of the words
// above. The statuses are the older service's: 403, 429 and 500.
func Shape(f *fault.Error, _, decision string) request.Reply {
	status, word := told(f)
	body, _ := json.Marshal(map[string]string{"error": word}) // never fails
	h := gateway.FaultHeaders(&fault.Error{Kind: fault.Forbidden, RetryAfter: f.RetryAfter}, decision)
	return request.Reply{Status: status, Header: h, Body: body}
}

func told(f *fault.Error) (status int, word string) {
	switch f.Code {
	case ErrOrigin.Code, ErrRequest.Code, ErrNumber.Code, ErrRegion.Code, ErrCampaign.Code, ErrBot.Code, ErrMethod.Code:
		return 403, f.Code
	case "no_route", "bad_path": // a path without canonical form is an unknown one
		return 403, ErrCampaign.Code
	}
	switch f.Kind {
	case fault.TooManyRequests:
		return 429, ErrLimit.Code
	case fault.MethodNotAllowed:
		return 403, ErrMethod.Code
	case fault.BadRequest, fault.TooLarge, fault.RequestTimeout, fault.HeadTooLarge:
		return 403, ErrRequest.Code
	case fault.Forbidden, fault.Unauthenticated, fault.NotFound:
		return 403, ErrOrigin.Code
	case fault.Misdirected: // browsers ask again by another connection
		return f.Kind.Status(), ErrRequest.Code
	}
	return 500, ErrSend.Code
}
