package audit

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/principal"
)

// Event is one thing that happened.
type Event struct {
	Tenant      string // whose chain; "" is the host's own
	ID          string // of the event; made unless set: set it to NewID() where the answer names it
	Action      string // dotted: "apikey.created"
	Target      string // what it was done to: an id
	TargetEmail string // of the person it was done to, where there is one; can be erased
	Result      string // "ok" unless set
	Decision    string
	Request     string
	Actor       Actor
	Detail      map[string]string // never secrets, never addresses of persons
}

// NewID makes the id of an event.
func NewID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// What a row may hold: a stranger's words are cut, not refused.
const (
	longestText   = 512
	mostDetails   = 64
	longestDetail = 4096
)

// clean makes an event storable. An event that says too little is a mistake of
// the caller; what is too long, or no text, is repaired, since the words may be
// a stranger's, who must not be able to prevent his own event.
func (e Event) clean() (Event, error) {
	if e.Action == "" || e.Action != text(e.Action, 100) || strings.ContainsAny(e.Action, " \t\r\n") {
		return e, errors.New("audit: an event needs an action, one dotted word")
	}
	if len(e.Detail) > mostDetails {
		return e, errors.New("audit: an event has too many details")
	}
	if e.ID == "" {
		e.ID = NewID()
	}
	if e.Result == "" {
		e.Result = "ok"
	}
	if e.Actor.Kind == "" {
		e.Actor.Kind = System
	}
	for _, s := range []*string{&e.Tenant, &e.ID, &e.Target, &e.TargetEmail, &e.Result, &e.Decision, &e.Request,
		&e.Actor.Kind, &e.Actor.Provider, &e.Actor.Issuer, &e.Actor.ID, &e.Actor.UserID, &e.Actor.Email} {
		*s = text(*s, longestText)
	}
	detail := make(map[string]string, len(e.Detail))
	for k, v := range e.Detail {
		detail[text(k, 100)] = text(v, longestDetail)
	}
	e.Detail = detail
	return e, nil
}

// text is s as both engines store it: UTF-8 without NUL, of limited length.
func text(s string, most int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= most {
		return s
	}
	cut := most - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// folded is how an address is looked for, whatever it is.
func folded(email string) string {
	if f, _, ok := principal.FoldEmail(email); ok {
		return f
	}
	return principal.FoldASCII(strings.TrimSpace(email))
}
