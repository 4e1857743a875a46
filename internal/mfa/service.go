package mfa

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/internal/vault"
)

// Deps is what a Service works with.
type Deps struct {
	DB    *store.DB
	Audit *audit.Log
	Feed  *change.Feed // nil: Find is not used
	Keys  *seal.Keys   // nil: nothing can be sealed or opened
	Pages *pages.Pages // nil: there are no pages
	Now   func() time.Time
	Log   *slog.Logger
	// SteppedUp is told, in the same transaction, that a session's caller has shown
	// a second factor: sessions change their ids then. cookie is the session's new
	// one, which the answer carries; "" where there is none to carry. nil: nobody is
	// told.
	SteppedUp func(tx *store.Tx, p Person) (cookie string, err error)
}

// Service is the rules of second factors. Its methods trust the Person: whoever
// calls has identified it.
type Service struct {
	d    Deps
	held *table
}

// New makes a Service.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{d: d, held: newTable(0)}
}

// now is in whole milliseconds, as the store keeps it.
func (s *Service) now() time.Time { return s.d.Now().Truncate(time.Millisecond) }

// Sealed lists the columns that hold sealed values, for the checks of master
// keys and for resealing.
func Sealed() []vault.Column {
	purpose := func(string) string { return sealPurpose }
	return []vault.Column{
		{Table: "mfa_people", Column: "code_key", Tenant: "tenant_id", Row: []string{"person"}, Purpose: purpose},
		{Table: "mfa_people", Column: "codes", Tenant: "tenant_id", Row: []string{"person"}, Purpose: purpose},
		{Table: "mfa_totp", Column: "secret", Tenant: "tenant_id", Row: []string{"person"}, Purpose: purpose},
	}
}

const sealPurpose = "mfa"

func placeOf(p Person, table, column string) seal.Place {
	return seal.Place{Purpose: sealPurpose, Table: table, Column: column, Tenant: p.Tenant, Row: p.ID}
}

func (s *Service) seal(p Person, table, column string, plain []byte) ([]byte, error) {
	b, err := s.d.Keys.Seal(placeOf(p, table, column), plain)
	return b, closed(err)
}

func (s *Service) open(p Person, table, column string, sealed []byte) ([]byte, error) {
	b, err := s.d.Keys.Open(placeOf(p, table, column), sealed)
	return b, closed(err)
}

// closed is the fault of a value that cannot be sealed or opened: what is wrong
// is the keys' or the store's. The cause is for the log.
func closed(err error) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(fault.Unavailable, "mfa_unavailable", "Second factors are not available right now", err)
}

// told leaves the event of a change, and its note.
func (s *Service) told(tx *store.Tx, by tenant.By, p Person, action string, detail map[string]string) error {
	change.Note(tx, p.Tenant, change.Factor, p.ID)
	return s.event(tx, by, p, action, detail)
}

func (s *Service) event(tx *store.Tx, by tenant.By, p Person, action string, detail map[string]string) error {
	target := p.UserID
	if target == "" {
		target = "person:" + p.ID
	}
	return s.d.Audit.Append(tx, audit.Event{Tenant: p.Tenant, Action: action, Target: target, Actor: by.Actor,
		Request: by.Request, Decision: by.Decision, Detail: detail})
}

// newID makes an id that nothing else will ever have.
func newID(prefix string) string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + hex.EncodeToString(b[:])
}

// random is 256 random bits as text of 43 characters.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
