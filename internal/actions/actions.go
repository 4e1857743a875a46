package actions

import (
	"encoding/json"
	"fmt"
	"time"
)

// Trigger is when a script runs.
type Trigger string

// The triggers.
const (
	PostLogin           Trigger = "post-login"
	PreUserRegistration Trigger = "pre-user-registration"
)

// Handler is the name under which a script exports its function; "" for what is
// no trigger.
func (t Trigger) Handler() string {
	switch t {
	case PostLogin:
		return "onExecutePostLogin"
	case PreUserRegistration:
		return "onExecutePreUserRegistration"
	}
	return ""
}

// Script is one Action with its settings.
type Script struct {
	// Name is what reports and positions call it: mfa_action.js.
	Name string
	// Site is whose script it is. api.cache is shared by those of one site, as Auth0's is
	// by those of one tenant: what one keeps there may open another's doors.
	Site string
	// Source is JavaScript as it deploys to Auth0.
	Source string
	// Secrets and Configuration are event.secrets and event.configuration.
	Secrets, Configuration map[string]string
	// Egress lists what fetch may reach: a host, a host:port or an origin.
	Egress []string
	// Timeout is the wall limit; 0: the engine's.
	Timeout time.Duration
}

// Outcome is what the scripts of a trigger asked for.
type Outcome struct {
	// Denied: the login or registration is refused, and no later script ran.
	Denied bool
	// Code is access_denied where Denied.
	Code string
	// Reason is what the script gave for it. After a login it is meant for the
	// application, before a registration for our log: UserMessage is shown.
	Reason      string
	UserMessage string
	// MFA is the provider of api.multifactor.enable, mostly "any"; "" none.
	MFA string
	// What scripts set, later ones over earlier; null means: remove.
	AppMetadata, UserMetadata, IDToken, AccessToken map[string]json.RawMessage
	// Calls are all calls of api in their order, those that were left out too.
	Calls []CallReport
	// Logs are the lines of console, with the values of secrets taken out. They
	// may hold anything else of the event: not for our log.
	Logs []string
}

// CallReport is one call of api.
type CallReport struct {
	Script string            `json:"script"`
	Method string            `json:"method"` // "api.access.deny"
	Args   []json.RawMessage `json:"args"`
	// Ignored says why the call had no effect; "" it had.
	Ignored string `json:"ignored,omitempty"`
}

// Failure is a script that came to no end that counts. Its text holds nothing
// that the script could have put there but the name of an error and a position:
// it may be logged. Detail may not.
type Failure struct {
	Script string
	// Why: "throws", "never settles", "late", "asks for too much", …
	Why string
	// Class and Where are of what was thrown: "TypeError", "mfa_action.js:12:3".
	Class, Where string
	// Detail is the message of what was thrown.
	Detail string
}

func (f *Failure) Error() string {
	s := f.Script + ": " + f.Why
	if f.Class != "" {
		s += " " + f.Class
	}
	if f.Where != "" {
		s += fmt.Sprintf(" at %s", f.Where)
	}
	return s
}
