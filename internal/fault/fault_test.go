package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind           Kind
		status         int
		label, message string
	}{
		{Internal, 500, "Internal Server Error", "An unexpected error occurred"},
		{BadRequest, 400, "Bad Request", "Validation failed"},
		{Unauthenticated, 401, "Unauthorized", "Invalid or expired token"},
		{Forbidden, 403, "Forbidden", "Insufficient permissions"},
		{NotFound, 404, "Not Found", "Resource not found"},
		{MethodNotAllowed, 405, "Method Not Allowed", ""},
		{Conflict, 409, "Conflict", ""},
		{PreconditionFailed, 412, "Precondition Failed", ""},
		{TooLarge, 413, "Payload Too Large", ""},
		{Misdirected, 421, "Misdirected Request", ""},
		{TooManyRequests, 429, "Too Many Requests", "Rate limit exceeded"},
		{BadGateway, 502, "Bad Gateway", ""},
		{Unavailable, 503, "Service Unavailable", ""},
		{GatewayTimeout, 504, "Gateway Timeout", ""},
		{RequestTimeout, 408, "Request Timeout", ""},
		{HeadTooLarge, 431, "Request Header Fields Too Large", ""},
		{HTTPSRequired, 403, "Forbidden", "HTTPS is required"},
		{NotImplemented, 501, "Not Implemented", ""},
		{VersionNotSupported, 505, "HTTP Version Not Supported", ""},
		{Kind(200), 500, "Internal Server Error", "An unexpected error occurred"},
	} {
		text := New(c.kind, "", "").Text()
		if c.kind.Status() != c.status || c.kind.Label() != c.label || c.kind.String() != c.label || c.message != "" && text != c.message || text == "" {
			t.Errorf("kind %d is %d %q %q", c.kind, c.kind.Status(), c.kind.Label(), text)
		}
	}
	for k := range kinds {
		if kinds[k].status == 0 {
			t.Errorf("kind %d has no row in the table", k)
		}
	}
}

func TestWhatNobodyClassifiedIsInternalAndSaysNothing(t *testing.T) {
	t.Parallel()
	cause := errors.New("sql: no rows in users.go:12")
	f := From(fmt.Errorf("read a row: %w", cause))
	if f.Kind != Internal || f.Text() != "An unexpected error occurred" || !errors.Is(f, cause) || !strings.Contains(f.Error(), "sql:") {
		t.Errorf("%+v shows %q", f, f.Text())
	}
	if (&Error{}).Kind.Status() != 500 {
		t.Error("the zero Error is no 500")
	}
	if From(nil) != nil {
		t.Error("no error became one")
	}
}

func TestAnErrorIsFoundInAChain(t *testing.T) {
	t.Parallel()
	expired := New(Unauthenticated, "token_expired", "")
	deep := fmt.Errorf("identify: %w", Wrap(Unauthenticated, "token_expired", "shown", errors.New("for the log")))
	if f := From(deep); f.Text() != "shown" || f.Err == nil {
		t.Errorf("From = %+v", f)
	}
	if !errors.Is(deep, expired) {
		t.Error("a sentinel does not equal its wrapped copy")
	}
	if errors.Is(deep, New(Unauthenticated, "malformed_token", "")) || errors.Is(New(Internal, "", ""), New(Internal, "", "")) {
		t.Error("codes that differ, or none, count as equal")
	}
	if got, want := deep.Error(), "identify: token_expired: shown: for the log"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if got := New(NotFound, "", "").Error(); got != "Resource not found" {
		t.Errorf("Error() = %q", got)
	}
}
