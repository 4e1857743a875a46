package login

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// answer is what a provider said, within bounds.
type answer struct {
	status  int
	header  request.Header
	body    []byte
	members map[string]json.RawMessage // of the body, where it is a JSON object
}

func newAnswer(status int, header request.Header, body []byte) *answer {
	a := &answer{status: status, header: header, body: body}
	if json.Unmarshal(body, &a.members) != nil {
		a.members = nil
	}
	return a
}

// granted reports whether the provider did what it was asked.
func (a *answer) granted() bool { return a.status >= 200 && a.status < 300 }

// text is a member that is a string; "" for any other.
func (a *answer) text(name string) string {
	var s string
	if json.Unmarshal(a.members[name], &s) != nil {
		return ""
	}
	return s
}

// reply is the answer as the client gets it.
func (a *answer) reply(more ...request.Field) request.Reply {
	r := request.Reply{Status: a.status, Body: a.body}
	for _, f := range a.header {
		if passes(f.Name) {
			r.Header = append(r.Header, f)
		}
	}
	r.Header = append(r.Header, request.Field{Name: "Cache-Control", Value: "no-store"}, request.Field{Name: "X-Content-Type-Options", Value: "nosniff"})
	r.Header = append(r.Header, more...)
	return r
}

// passes reports whether a header field of the provider's is the client's too.
func passes(name string) bool {
	return strings.EqualFold(name, "Content-Type") || strings.EqualFold(name, "Retry-After") ||
		len(name) >= 12 && strings.EqualFold(name[:12], "X-RateLimit-")
}

// wrongCredentials reports whether the provider said that what the person showed is
// wrong: what is counted. That a grant is not allowed, that there were too many, that
// a second factor is asked for say nothing about a password.
func (a *answer) wrongCredentials() bool {
	if a.status != 400 && a.status != 401 && a.status != 403 {
		return false
	}
	switch a.text("error") {
	case "invalid_grant", "invalid_user_password":
		return true
	}
	return false
}

// refused reports whether the provider turned the person away for good: a second
// factor that is asked for, and a bound on requests, are no refusals.
func (a *answer) refused() bool {
	return a.status >= 400 && a.status < 500 && a.status != 429 && a.text("error") != "mfa_required"
}

// secondFactor reports whether the provider took what was shown and asks for more.
func (a *answer) secondFactor() bool { return a.status == 403 && a.text("error") == "mfa_required" }

// mustBeGranted is an error where the provider did not do what it was asked.
func (a *answer) mustBeGranted() error {
	if a.granted() {
		return nil
	}
	return fmt.Errorf("the provider answered %d", a.status)
}
