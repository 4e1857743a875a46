package agents

import (
	"context"
	"errors"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// ErrTooMany is that of a thing that has as many members as it can have.
var ErrTooMany = fault.New(fault.Conflict, "too_many_members", "An agent has at most 1000 members")

// roleRule is what a role must be.
const roleRule = "must be owner, admin or viewer"

// checkMember says what is wrong with a new member.
func checkMember(m Member) error {
	var f input.Fields
	switch {
	case m.Email != "" && m.ServiceToken != "":
		f.Add("serviceToken", "stands instead of an e-mail, not beside it")
	case m.Email == "" && m.ServiceToken == "" && m.Identity.IsZero():
		f.Add("email", "is required, or a serviceToken instead")
	}
	if m.Email != "" {
		if _, _, ok := principal.FoldEmail(m.Email); !ok || !prose(m.Email, maxEmail) {
			f.Add("email", "must be an e-mail address")
		}
	}
	if m.ServiceToken != "" && !visible(m.ServiceToken, maxToken) {
		f.Add("serviceToken", "must be 1 to 255 visible characters: the client id of an Access service token")
	}
	if rank(m.Role) == 0 {
		f.Add("role", roleRule)
	}
	return f.Err()
}

// AddMember gives somebody a role on a thing, for its owners.
func (s *Service) AddMember(ctx context.Context, by By, tenantID, collection, id string, m Member) (Member, error) {
	err := s.owning(ctx, by, tenantID, collection, id, func(tx *store.Tx, a Agent) (err error) {
		if err := checkMember(m); err != nil {
			return err
		}
		m, err = s.add(tx, by, a, m)
		return err
	})
	return m, err
}

// Member reads a member, for the thing's admins and owners.
func (s *Service) Member(ctx context.Context, by By, tenantID, collection, id, member string) (m Member, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		a, err := s.allowed(tx, by, tenantID, collection, id, Admin)
		if err != nil {
			return err
		}
		m, err = memberOf(tx, a, member)
		return err
	})
	return m, err
}

// ChangeMember gives a member another role, for the thing's owners.
func (s *Service) ChangeMember(ctx context.Context, by By, tenantID, collection, id, member, role string) (m Member, err error) {
	err = s.owning(ctx, by, tenantID, collection, id, func(tx *store.Tx, a Agent) error {
		if m, err = memberOf(tx, a, member); err != nil {
			return err
		}
		if rank(role) == 0 {
			return input.Invalid("role", roleRule)
		}
		if err := by.If.Is(MemberViewOf(m).tag()); err != nil {
			return err
		}
		m, err = s.setRole(tx, by, a, m, role)
		return err
	})
	return m, err
}

// RemoveMember takes a member's role away, for the thing's owners.
func (s *Service) RemoveMember(ctx context.Context, by By, tenantID, collection, id, member string) error {
	return s.owning(ctx, by, tenantID, collection, id, func(tx *store.Tx, a Agent) error {
		m, err := memberOf(tx, a, member)
		if err == nil {
			err = by.If.Is(MemberViewOf(m).tag())
		}
		if err != nil {
			return err
		}
		if err := keepOwner(tx, a, m, ""); err != nil {
			return err
		}
		if err := deleteMember(tx, a, m); err != nil {
			return err
		}
		return s.noteMember(tx, by, a, m, "agent.member_removed", m.Role)
	})
}

// Appoint gives somebody a role on a thing that exists, for who sits at the
// machine: another than they have, where they have one.
func (s *Service) Appoint(ctx context.Context, by audit.Actor, tenantID, collection, id, email, role string) (m Member, err error) {
	host := By{Actor: by, Host: true}
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		a, err := selectAgent(tx, tenantID, collection, id, caller{})
		if err != nil {
			return err
		}
		m = Member{Email: email, Role: role}
		if err := checkMember(m); err != nil {
			return err
		}
		was, err := sameMember(tx, a, m)
		if errors.Is(err, ErrNoMember) {
			m, err = s.add(tx, host, a, m)
			return err
		}
		if err == nil {
			m, err = s.setRole(tx, host, a, was, role)
		}
		return err
	})
	return m, err
}

// owning runs a rule in the tenant's turn for an owner of a thing.
func (s *Service) owning(ctx context.Context, by By, tenantID, collection, id string, rule func(tx *store.Tx, a Agent) error) error {
	if _, ok := by.caller(tenantID); !ok {
		return by.refusal()
	}
	return s.turn(ctx, tenantID, func(tx *store.Tx) error {
		a, err := s.allowed(tx, by, tenantID, collection, id, Owner)
		if err != nil {
			return err
		}
		return rule(tx, a)
	})
}

// memberOf reads a member by an id that a caller made up.
func memberOf(tx *store.Tx, a Agent, id string) (Member, error) {
	if !visible(id, maxMemberID) {
		return Member{}, ErrNoMember
	}
	return selectMember(tx, a, id)
}

// add makes a member.
func (s *Service) add(tx *store.Tx, by By, a Agent, m Member) (Member, error) {
	if _, err := sameMember(tx, a, m); !errors.Is(err, ErrNoMember) {
		if err == nil {
			err = ErrMemberTaken
		}
		return Member{}, err
	}
	switch n, _, err := counts(tx, a); {
	case err != nil:
		return Member{}, err
	case n >= maxMembers:
		return Member{}, ErrTooMany
	}
	if m.ID == "" {
		m.ID = newMemberID()
	}
	if m.CreatedAt.IsZero() {
		m.CreatedAt = tx.Now()
	}
	m.CreatedAt = m.CreatedAt.UTC()
	if err := insertMember(tx, a, m); err != nil {
		return Member{}, err
	}
	return m, s.noteMember(tx, by, a, m, "agent.member_added", "")
}

// setRole gives a member another role.
func (s *Service) setRole(tx *store.Tx, by By, a Agent, m Member, role string) (Member, error) {
	was := m.Role
	if was == role {
		return m, nil
	}
	if err := keepOwner(tx, a, m, role); err != nil {
		return Member{}, err
	}
	m.Role = role
	if err := updateMember(tx, a, m); err != nil {
		return Member{}, err
	}
	return m, s.noteMember(tx, by, a, m, "agent.member_changed", was)
}

// keepOwner refuses a change after which nobody would own the thing.
func keepOwner(tx *store.Tx, a Agent, m Member, role string) error {
	if m.Role != Owner || role == Owner {
		return nil
	}
	_, owners, err := counts(tx, a)
	if err == nil && owners < 2 {
		err = ErrLastOwner
	}
	return err
}

// noteMember tells of a change of a thing's members. Addresses stay where they can
// be erased.
func (s *Service) noteMember(tx *store.Tx, by By, a Agent, m Member, action, was string) error {
	detail := map[string]string{"agent": slotID(a.Collection, a.ID), "role": m.Role}
	if was != "" && was != m.Role {
		detail["was"] = was
	}
	if m.ServiceToken != "" {
		detail["serviceToken"] = m.ServiceToken
	}
	if !m.Identity.IsZero() {
		detail["provider"] = m.Identity.Provider
	}
	e := by.event(a.Tenant, action, m.ID, detail)
	e.TargetEmail = m.Email
	return s.note(tx, a.Tenant, a.Collection, a.ID, e)
}
