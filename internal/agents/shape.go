package agents

import (
	"encoding/json"
	"math"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// failure is the error shape of these collections.
type failure struct {
	Error struct {
		Code       string        `json:"code"`
		Message    string        `json:"message"`
		Details    *fault.Detail `json:"details,omitempty"`
		RetryAfter int64         `json:"retryAfter,omitempty"` // whole seconds
	} `json:"error"`
}

// Shape renders a fault as these collections show it: {"error": {"code",
// "message", "details"?}}. details is the first field that is wrong.
func Shape(f *fault.Error, _, decision string) request.Reply {
	var body failure
	e := &body.Error
	e.Code, e.Message = words(f)
	e.RetryAfter = int64(math.Ceil(f.RetryAfter.Seconds()))
	switch {
	case len(f.Details) > 0:
		e.Details = &f.Details[0]
	case f.Kind == fault.BadRequest && f.Code == "bad_body", f.Kind == fault.TooLarge:
		e.Details = &fault.Detail{Field: "body", Issue: f.Text()}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		raw = []byte(`{"error":{"code":"INTERNAL_ERROR","message":"An unexpected error occurred"}}`)
	}
	return request.Reply{Status: f.Kind.Status(), Header: gateway.FaultHeaders(f, decision), Body: append(raw, '\n')}
}

// words are the code and message of a fault. Whoever is refused learns that and
// no more.
func words(f *fault.Error) (code, message string) {
	switch f.Kind { //nolint:exhaustive // the others are ours
	case fault.Unauthenticated:
		if f.Code == "token_expired" || f.Code == "key_expired" {
			return "UNAUTHORIZED", "Token expired"
		}
		return "UNAUTHORIZED", "Authentication required"
	case fault.Forbidden:
		return "FORBIDDEN", "Access denied to this agent"
	case fault.HTTPSRequired:
		return "FORBIDDEN", f.Text()
	case fault.NotFound:
		return "NOT_FOUND", f.Text()
	case fault.BadRequest, fault.TooLarge:
		return "VALIDATION_ERROR", f.Text()
	case fault.Conflict:
		return "CONFLICT", f.Text()
	case fault.PreconditionFailed:
		return "PRECONDITION_FAILED", f.Text()
	case fault.TooManyRequests:
		return "RATE_LIMITED", f.Text()
	case fault.MethodNotAllowed:
		return "METHOD_NOT_ALLOWED", f.Text()
	}
	return "INTERNAL_ERROR", f.Text()
}
