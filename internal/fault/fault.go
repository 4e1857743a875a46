// Package fault is the vocabulary of what can go wrong on a request.
//
// An Error carries a Kind (what sort of failure), a Code (a stable word for
// programs), a Message (safe to show to the caller) and Err (for the log
// alone). The zero Kind is Internal, so that what nobody classified becomes a
// 500 with a fixed text.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind sorts failures. Each has one HTTP status and one label.
type Kind uint8

// The kinds, in the order of the table below.
const (
	Internal Kind = iota
	BadRequest
	Unauthenticated
	Forbidden
	NotFound
	MethodNotAllowed
	Conflict
	PreconditionFailed
	TooLarge
	Misdirected
	TooManyRequests
	BadGateway
	Unavailable
	GatewayTimeout
	RequestTimeout
	HeadTooLarge
	HTTPSRequired
	NotImplemented
	VersionNotSupported
)

type kindFacts struct {
	status         int
	label, message string
}

// kinds is the one table from Kind to the wire: status, label and the text
// that is shown when an Error has no Message of its own.
var kinds = [...]kindFacts{
	Internal:            {500, "Internal Server Error", "An unexpected error occurred"},
	BadRequest:          {400, "Bad Request", "Validation failed"},
	Unauthenticated:     {401, "Unauthorized", "Invalid or expired token"},
	Forbidden:           {403, "Forbidden", "Insufficient permissions"},
	NotFound:            {404, "Not Found", "Resource not found"},
	MethodNotAllowed:    {405, "Method Not Allowed", "Method not allowed"},
	Conflict:            {409, "Conflict", "Resource already exists"},
	PreconditionFailed:  {412, "Precondition Failed", "It was changed since it was read"},
	TooLarge:            {413, "Payload Too Large", "Request body is too large"},
	Misdirected:         {421, "Misdirected Request", "No site answers for this host"},
	TooManyRequests:     {429, "Too Many Requests", "Rate limit exceeded"},
	BadGateway:          {502, "Bad Gateway", "The upstream could not be reached or broke off"},
	Unavailable:         {503, "Service Unavailable", "Not available right now"},
	GatewayTimeout:      {504, "Gateway Timeout", "The upstream did not answer in time"},
	RequestTimeout:      {408, "Request Timeout", "The request did not arrive in time"},
	HeadTooLarge:        {431, "Request Header Fields Too Large", "The request head is too large"},
	HTTPSRequired:       {403, "Forbidden", "HTTPS is required"},
	NotImplemented:      {501, "Not Implemented", "Not implemented"},
	VersionNotSupported: {505, "HTTP Version Not Supported", "HTTP/1.1 is spoken here"},
}

func (k Kind) facts() kindFacts {
	if int(k) >= len(kinds) {
		return kinds[Internal]
	}
	return kinds[k]
}

// Status is the HTTP status code of the kind.
func (k Kind) Status() int { return k.facts().status }

// Label is the short name of the kind, the `error` member of the flat shape.
func (k Kind) Label() string { return k.facts().label }

func (k Kind) String() string { return k.Label() }

// Detail says which field of the input is at fault, and why.
type Detail struct {
	Field string `json:"field"`
	Issue string `json:"issue"`
}

// Error is a failure on its way to the caller.
type Error struct {
	Kind       Kind
	Code       string        // stable word: "token_expired", "cross_site", "rate_limited"
	Message    string        // safe to show; empty means the kind's own text
	Details    []Detail      // which fields, for BadRequest
	RetryAfter time.Duration // for TooManyRequests and Unavailable; 0 means unsaid
	Allow      []string      // for MethodNotAllowed: what the path does answer
	Err        error         // cause, for the log alone
}

// New makes an Error without a cause.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Wrap makes an Error with a cause that only the log sees.
func Wrap(kind Kind, code, message string, err error) *Error {
	return &Error{Kind: kind, Code: code, Message: message, Err: err}
}

// Text is what the caller may read.
func (e *Error) Text() string {
	if e.Message != "" {
		return e.Message
	}
	return e.Kind.facts().message
}

func (e *Error) Error() string {
	s := e.Text()
	if e.Code != "" {
		s = e.Code + ": " + s
	}
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", s, e.Err)
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an *Error with the same non-empty code, so that
// a sentinel compares equal to its wrapped copies.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code != "" && t.Code == e.Code
}

// From classifies any error: an *Error anywhere in the chain is returned as it
// is, everything else is Internal with the error as its cause.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Code: "internal", Err: err}
}
