package gateway

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/request"
)

// flat is the error shape of config routes, tenantApi, RBAC, mfa, escrow and
// the portal's API.
type flat struct {
	Error      string         `json:"error"`
	Message    string         `json:"message"`
	Details    []fault.Detail `json:"details,omitempty"`
	RetryAfter int64          `json:"retryAfter,omitempty"`
	RequestID  string         `json:"requestId,omitempty"`
}

// Flat renders a fault in the flat shape. decision, where it is not empty, is
// the id that finds the refusal again.
func Flat(f *fault.Error, requestID, decision string) request.Reply {
	body := flat{Error: f.Kind.Label(), Message: f.Text(), Details: f.Details, RetryAfter: seconds(f)}
	switch f.Kind {
	case fault.BadGateway, fault.GatewayTimeout, fault.Unavailable, fault.Internal:
		body.RequestID = requestID
	}
	raw, err := json.Marshal(body)
	if err != nil {
		raw = []byte(`{"error":"Internal Server Error","message":"An unexpected error occurred"}`)
	}
	return request.Reply{Status: f.Kind.Status(), Header: FaultHeaders(f, decision), Body: append(raw, '\n')}
}

// FaultHeaders are the header fields that go with a fault in every shape.
func FaultHeaders(f *fault.Error, decision string) request.Header {
	h := request.Header{
		{Name: "Content-Type", Value: "application/json; charset=utf-8"},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}
	if decision != "" {
		h = append(h, request.Field{Name: "X-Portreeve-Decision", Value: decision})
	}
	if f.Kind == fault.Unauthenticated {
		h = append(h, request.Field{Name: "WWW-Authenticate", Value: identity.Challenge(f)})
	}
	if f.Allow != nil {
		h = append(h, request.Field{Name: "Allow", Value: strings.Join(f.Allow, ", ")})
	}
	if s := seconds(f); s > 0 {
		h = append(h, request.Field{Name: "Retry-After", Value: strconv.FormatInt(s, 10)})
	}
	return h
}

func seconds(f *fault.Error) int64 {
	return int64(math.Ceil(f.RetryAfter.Seconds()))
}
