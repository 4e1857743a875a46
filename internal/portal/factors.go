package portal

import (
	"errors"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) factors() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/factors", "your second factors", listFactors),
		s.get("/factors/again", "sign in again", func(v *visit) (request.Reply, error) { return v.signInAgain(nil) }),
		s.get("/factors/app", "set up an authenticator app", newApp),
		s.post("/factors/app", "set up an authenticator app", setUpApp),
		s.get("/factors/codes", "your backup codes", listCodes),
		s.post("/factors/codes", "make new backup codes", newCodes),
		s.get("/factors/codes/show", "your backup codes", listCodes),
		s.post("/factors/codes/show", "see your backup codes once more", showCodes),
		s.get("/factors/off", "turn your second factors off", askOff),
		s.post("/factors/off", "turn your second factors off", turnOff),
		s.get("/factors/passkey", "add a passkey", newPasskey),
		s.get("/factors/passkeys/:id", "remove a passkey", askRemovePasskey),
		s.post("/factors/passkeys/:id", "remove a passkey", removePasskey),
	}
}

// factorState is what GET /mfa says that the reader has.
type factorState struct {
	Enabled     bool
	Factors     []string
	Passkeys    []passkey
	LockedUntil *time.Time
}

type passkey struct {
	ID, Name   string
	CreatedAt  time.Time
	LastUsedAt *time.Time
}

// App reports whether an authenticator app is on.
func (s factorState) App() bool {
	for _, f := range s.Factors {
		if f == "totp" {
			return true
		}
	}
	return false
}

// codesLeft is what GET /mfa/backup-codes says.
type codesLeft struct {
	Remaining int
	Kept      bool
	Codes     []string
}

// factorPage is what the pages of second factors show.
type factorPage struct {
	factorState
	Left   codesLeft
	Locked string // for how long no code is looked at; "" for not at all
}

func (v *visit) factorPage() (p factorPage, err error) {
	if err = v.ask("GET", "/mfa", nil, &p.factorState); err != nil {
		return p, err
	}
	if p.LockedUntil != nil && p.LockedUntil.After(v.c.Now) {
		p.Locked = inWords(p.LockedUntil.Sub(v.c.Now))
	}
	if p.Enabled {
		err = v.ask("GET", "/mfa/backup-codes?codes=false", nil, &p.Left)
	}
	return p, err
}

func listFactors(v *visit) (request.Reply, error) {
	p, err := v.factorPage()
	if err != nil {
		return request.Reply{}, err
	}
	return v.withModule("passkey.js", "factors", "Second factors", p)
}

// changeFactors asks for a change of the reader's factors. again shows the form
// once more; what comes of it is the reply where done is false.
func (v *visit) changeFactors(f *form, method, target string, in, out any, again func() (request.Reply, error)) (reply request.Reply, done bool, err error) {
	err = v.ask(method, target, in, out)
	switch {
	case err == nil:
		return request.Reply{}, true, nil
	case codeOf(err) == "sign_in_again":
		reply, err = v.signInAgain(err)
	case codeOf(err) == "invalid_code":
		f.wrong("code", "This code is wrong, or was used before. Wait for the next one. If none is right, the clock of your telephone may be off")
		reply, err = again()
	case asksForCode(err):
		f.wrong("mfaCode", "Your second factor is needed for this")
		reply, err = again()
	case f.problems(err):
		reply, err = again()
	}
	return reply, false, err
}

// asksForCode reports whether an operation wants a code that nobody sent.
func asksForCode(err error) bool {
	var no *refusal
	return errors.As(err, &no) && len(no.Fault.Details) == 1 && no.Fault.Details[0].Field == "code"
}

// codeOf is the code of an operation's refusal.
func codeOf(err error) string {
	var no *refusal
	if errors.As(err, &no) {
		return no.Fault.Code
	}
	return ""
}

// signInAgain leads to a new sign-in and back: the first factor takes one of the
// last ten minutes, at which the provider asked who it was, so that a session which
// somebody left open cannot be given one.
func (v *visit) signInAgain(err error) (request.Reply, error) {
	status := 200
	var no *refusal
	if errors.As(err, &no) {
		v.c.Refused, v.c.Why, status = no.Fault, no.Steps, no.Kind().Status()
	}
	back := v.path()
	if back == "/factors/again" {
		if back = v.query("return"); !strings.HasPrefix(back, "/factors/") {
			back = "/factors"
		}
	}
	way := "token"
	switch {
	case v.session() && (v.c.Who.Via == identity.KindLink || v.c.Who.Provider == identity.KindLink):
		way = "link"
	case v.session():
		way = "session"
	case v.c.Who.ProviderKind == identity.KindAccess:
		way = "access"
	}
	return v.make(status, "factors-again", "Sign in again", struct{ Way, Back string }{way, back}, nil, "")
}

// factorForm is a page with a form that changes factors: Passkeys says that one of
// them can be shown instead of a code.
type factorForm struct {
	factorState
	Passkey *passkey // that it is about
	Left    codesLeft
}

// formPage shows a page with such a form, with what the script of passkeys does.
func (v *visit) formPage(status int, f *form, page, title string, data any) (request.Reply, error) {
	return v.make(status, page, title, data, f, "passkey.js")
}

func askOff(v *visit) (request.Reply, error) { return v.offPage(200, nil) }

func (v *visit) offPage(status int, f *form) (request.Reply, error) {
	var p factorForm
	if err := v.ask("GET", "/mfa", nil, &p.factorState); err != nil {
		return request.Reply{}, err
	}
	if !p.Enabled && f == nil {
		return v.done("/factors", "")
	}
	return v.formPage(status, f, "factors-off", "Turn second factors off", p)
}

func turnOff(v *visit, f *form) (request.Reply, error) {
	reply, done, err := v.changeFactors(f, "POST", "/mfa/disable", map[string]any{}, nil, func() (request.Reply, error) { return v.offPage(422, f) })
	if !done {
		return reply, err
	}
	return v.done("/factors", "factors-off")
}

func newPasskey(v *visit) (request.Reply, error) {
	p, err := v.factorPage()
	if err != nil {
		return request.Reply{}, err
	}
	return v.withModule("passkey.js", "factors-passkey", "Add a passkey", p)
}

func askRemovePasskey(v *visit) (request.Reply, error) { return v.removePage(200, nil) }

func (v *visit) removePage(status int, f *form) (request.Reply, error) {
	var p factorForm
	if err := v.ask("GET", "/mfa", nil, &p.factorState); err != nil {
		return request.Reply{}, err
	}
	for i := range p.Passkeys {
		if p.Passkeys[i].ID == v.param("id") {
			p.Passkey = &p.Passkeys[i]
		}
	}
	if p.Passkey == nil {
		return request.Reply{}, fault.New(fault.NotFound, "no_passkey", "")
	}
	return v.formPage(status, f, "factors-remove", "Remove a passkey", p)
}

func removePasskey(v *visit, f *form) (request.Reply, error) {
	reply, done, err := v.changeFactors(f, "DELETE", "/mfa/passkeys/"+segment(v.param("id")), map[string]any{}, nil, func() (request.Reply, error) { return v.removePage(422, f) })
	if !done {
		return reply, err
	}
	return v.done("/factors", "passkey-removed")
}
