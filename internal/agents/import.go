package agents

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// Row is a thing as an older system kept it.
type Row struct {
	ID          string // kept: its name here
	Description string
	Public      bool
	Settings    string    // JSON; "" for none
	CreatedAt   time.Time // zero: now
}

// MemberRow is a member as an older system kept it.
type MemberRow struct {
	Agent        string
	ID           string // kept; "" where the rows had none: then it is made from who it is
	Email        string
	ServiceToken string
	Role         string
	CreatedAt    time.Time // zero: now
}

// ImportIn takes a thing over within a transaction of the caller, who has taken
// the tenant's turn. taken is false where one of this name is there already,
// whatever became of it since; ErrTaken where it was deleted here.
func (s *Service) ImportIn(tx *store.Tx, by By, tenantID, collection string, r Row) (taken bool, err error) {
	d := Draft{Name: some(r.ID), Description: some(r.Description), Public: some(r.Public)}
	if r.Settings != "" {
		d.Settings = some(json.RawMessage(r.Settings))
	}
	now := tx.Now().UTC()
	if r.CreatedAt.IsZero() {
		r.CreatedAt = now
	}
	a, err := d.onto(Agent{Tenant: tenantID, Collection: collection, Settings: json.RawMessage("{}"), CreatedAt: r.CreatedAt.UTC(), UpdatedAt: now})
	if err != nil {
		return false, err
	}
	switch _, err := selectAgent(tx, tenantID, collection, a.ID, caller{}); {
	case err == nil:
		return false, nil
	case !errors.Is(err, ErrNoAgent):
		return false, err
	}
	if err := insertAgent(tx, a); err != nil {
		return false, err
	}
	detail := facts(a)
	detail["imported"] = "true"
	return true, s.note(tx, tenantID, collection, a.ID, by.event(tenantID, "agent.created", slotID(collection, a.ID), detail))
}

// ImportMemberIn takes a member over likewise. Whoever is a member already keeps
// the role that they have here, and who was removed here does not come back.
func (s *Service) ImportMemberIn(tx *store.Tx, by By, tenantID, collection string, r MemberRow) (taken bool, err error) {
	m := Member{ID: r.ID, Email: r.Email, ServiceToken: r.ServiceToken, Role: r.Role, CreatedAt: r.CreatedAt}
	if err := checkMember(m); err != nil {
		return false, err
	}
	if m.ID == "" {
		m.ID = importedID(m)
	}
	if !visible(m.ID, maxMemberID) {
		return false, input.Invalid("id", "must be 1 to 128 visible characters")
	}
	if !named(r.Agent) {
		return false, ErrNoAgent
	}
	a, err := selectAgent(tx, tenantID, collection, r.Agent, caller{})
	if err != nil {
		return false, err
	}
	switch _, err := sameMember(tx, a, m); {
	case err == nil:
		return false, nil
	case !errors.Is(err, ErrNoMember):
		return false, err
	}
	_, err = selectMember(tx, a, m.ID)
	gone, errGone := isGone(tx, tenantID, collection, a.ID, m.ID)
	switch {
	case err == nil || gone:
		return false, ErrMemberIDGone
	case !errors.Is(err, ErrNoMember) || errGone != nil:
		return false, errors.Join(err, errGone)
	}
	_, err = s.add(tx, by, a, m)
	return err == nil, err
}

// Ownerless reports whether nobody owns a thing: what an older system's rows may
// come to, and nothing else.
func Ownerless(tx *store.Tx, tenantID, collection, id string) (bool, error) {
	_, owners, err := counts(tx, Agent{Tenant: tenantID, Collection: collection, ID: id})
	return owners == 0, err
}

// importedID is the same at every import.
func importedID(m Member) string {
	who := "service\x00" + m.ServiceToken
	if folded, _, ok := principal.FoldEmail(m.Email); ok {
		who = "email\x00" + folded
	}
	sum := sha256.Sum256([]byte(who))
	return "adm_" + hex.EncodeToString(sum[:16])
}

func some[T any](v T) input.Optional[T] { return input.Optional[T]{Set: true, Value: v} }
