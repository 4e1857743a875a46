package login

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// own is a refusal of Portreeve's own (RFC 6749 section 5.2).
type own struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// Shape tells faults as clients of login know them.
func Shape(f *fault.Error, _, _ string) request.Reply {
	switch {
	case f.Kind == fault.NotFound:
		return say(f, 403, own{Error: "forbidden"})
	case f.Kind == fault.MethodNotAllowed:
		return say(f, 405, own{Error: "method_not_allowed"})
	}
	return say(words(f))
}

// BackofficeShape tells faults as clients of backoffice know them: whatever is not
// its one operation is not found.
func BackofficeShape(f *fault.Error, _, _ string) request.Reply {
	if f.Kind == fault.NotFound || f.Kind == fault.MethodNotAllowed {
		return request.Reply{Status: 404, Header: request.Header{
			{Name: "Content-Type", Value: "text/plain; charset=utf-8"}, {Name: "Cache-Control", Value: "no-store"}, {Name: "X-Content-Type-Options", Value: "nosniff"},
		}, Body: []byte("Not Found")}
	}
	return say(words(f))
}

// words are those that both surfaces have for a fault.
func words(f *fault.Error) (*fault.Error, int, own) {
	status := f.Kind.Status()
	switch f.Kind {
	case fault.BadRequest, fault.TooLarge:
		o := own{Error: "invalid_request", Description: describe(f)}
		if f.Code == codeGrant {
			o = own{Error: codeGrant, Description: f.Text()}
		}
		return f, 400, o
	case fault.Unauthenticated:
		return f, status, own{Error: "unauthorized"}
	case fault.Forbidden:
		if f.Code == CodeDenied {
			return f, status, own{Error: f.Code, Description: f.Text()}
		}
		return f, status, own{Error: "forbidden"}
	case fault.TooManyRequests:
		if f.Code == "too_many_attempts" {
			return f, status, own{Error: f.Code, Description: "Too many attempts; try again later"}
		}
		return f, status, own{Error: "too_many_requests", Description: f.Text()}
	case fault.BadGateway, fault.GatewayTimeout, fault.Unavailable:
		if f.Code == "operation_time" {
			status = fault.GatewayTimeout.Status()
		}
		return f, status, own{Error: "temporarily_unavailable", Description: unavailable(status)}
	case fault.Internal:
		return f, status, own{Error: "server_error", Description: f.Text()}
	}
	return f, status, own{Error: "invalid_request", Description: f.Text()}
}

// CodeDenied is the code of a refusal by a script (RFC 6749 section 4.1.2.1), as Auth0
// answers it: 403, with the script's reason.
const CodeDenied = "access_denied"

// codeGrant is the code of a grant that is none of ours.
const codeGrant = "unsupported_grant_type"

// describe says what is wrong with a request: which fields, never what stood in
// them.
func describe(f *fault.Error) string {
	if len(f.Details) == 0 {
		return f.Text()
	}
	list := make([]string, len(f.Details))
	for i, d := range f.Details {
		list[i] = d.Field + " " + d.Issue
	}
	return strings.Join(list, "; ")
}

func unavailable(status int) string {
	switch status {
	case 502:
		return "The identity provider could not be reached, or gave no usable answer"
	case 504:
		return "The identity provider did not answer in time"
	}
	return "Sign-in is not available right now"
}

func say(f *fault.Error, status int, o own) request.Reply {
	raw, err := json.Marshal(o)
	if err != nil {
		raw = []byte(`{"error":"server_error"}`)
	}
	h := request.Header{
		{Name: "Content-Type", Value: "application/json; charset=utf-8"}, {Name: "Cache-Control", Value: "no-store"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}
	if f.Kind == fault.MethodNotAllowed && f.Allow != nil {
		h = append(h, request.Field{Name: "Allow", Value: strings.Join(f.Allow, ", ")})
	}
	if s := int64(math.Ceil(f.RetryAfter.Seconds())); s > 0 {
		h = append(h, request.Field{Name: "Retry-After", Value: strconv.FormatInt(s, 10)})
	}
	return request.Reply{Status: status, Header: h, Body: raw}
}
