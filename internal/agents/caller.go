package agents

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/principal"
)

// By is who does something, and by what right.
type By struct {
	Actor audit.Actor
	Who   *principal.Principal // nil: nobody
	// Tenant is the caller's own. In another one (X-Tenant-ID) they have no role
	// on anything: an e-mail there may be somebody else's.
	Tenant   string
	Host     bool // who sits at the machine: everything but taking the last owner away
	Request  string
	Decision string
	// If is what a thing or member that is changed or removed is to be still; the
	// zero Match asks for nothing.
	If input.Match
}

// caller is by what a member row can be somebody's.
type caller struct {
	email, written string // folded, and as the credential has it
	service        string
	identity       Identity
}

// callerOf says by what a credential is known to members' rows. ok is false for
// those that are nobody there: the anonymous, API keys, machines, and who has
// neither a verified e-mail nor a subject that can be told from others.
func callerOf(p *principal.Principal) (c caller, ok bool) {
	if !p.Authenticated() || p.CredentialID != "" || p.ProviderKind == "apiKey" || p.ProviderKind == "machine" {
		return caller{}, false
	}
	switch p.Kind {
	case principal.Service:
		if visible(p.CommonName, maxToken) {
			c.service = p.CommonName
		}
	case principal.User:
		if p.EmailVerified && storable(p.EmailFolded, maxEmail) {
			c.email, c.written = p.EmailFolded, p.Email
		}
		c.identity = identityOf(p)
	}
	return c, c != caller{}
}

// identityOf is who a credential says that somebody is; zero where that cannot be
// told from others.
func identityOf(p *principal.Principal) Identity {
	if p.Provider == "" || p.Subject == "" || !storable(p.Subject, maxIdentity) {
		return Identity{}
	}
	i := Identity{Provider: p.Provider, Issuer: p.Authority(), Subject: p.Subject}
	if !storable(i.Issuer, maxIdentity) {
		return Identity{}
	}
	return i
}

// caller is who calls, as far as the tenant's members' rows know.
func (by By) caller(tenant string) (caller, bool) {
	if by.Host || tenant == "" || by.Tenant != tenant {
		return caller{}, false
	}
	return callerOf(by.Who)
}

// refusal is what a caller without a role is told.
func (by By) refusal() error {
	switch {
	case !by.Who.Authenticated():
		return ErrAnonymous
	case by.Tenant == "":
		return ErrNoTenant
	}
	return ErrDenied
}

// asMember is the row that makes a caller a member: its e-mail, else its service
// token, else its identity.
func (c caller) asMember() Member {
	switch {
	case c.email != "":
		if folded, _, ok := principal.FoldEmail(c.written); !ok || folded != c.email {
			return Member{Email: c.email}
		}
		return Member{Email: c.written}
	case c.service != "":
		return Member{ServiceToken: c.service}
	}
	return Member{Identity: c.identity}
}

// event begins an audit event.
func (by By) event(tenant, action, target string, detail map[string]string) audit.Event {
	return audit.Event{Tenant: tenant, Action: action, Target: target, Actor: by.Actor, Request: by.Request, Decision: by.Decision, Detail: detail}
}

const (
	maxEmail       = 254
	maxToken       = 255
	maxIdentity    = 512 // an index holds no longer ones on every engine
	maxMemberID    = 128
	maxDescription = 2000
	maxSettings    = 64 << 10
	maxMembers     = 1000
)

// named reports whether a text can be the name of a thing or collection:
// [a-z0-9][a-z0-9-]{0,62}.
func named(s string) bool {
	for i := range len(s) {
		c := s[i]
		word := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !word && (c != '-' || i == 0) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// visible reports whether s is 1 to most visible ASCII characters.
func visible(s string, most int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != "" && len(s) <= most
}

// storable reports whether both engines can hold and index a text.
func storable(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// prose reports whether s is a text for people: at most most characters, without
// controls but for line breaks and tabs.
func prose(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r'
	})
}

// newMemberID makes an id that nothing else will ever have.
func newMemberID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return "adm_" + hex.EncodeToString(b[:])
}
