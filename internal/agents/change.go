package agents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

// Draft is what a caller says about a thing. What is not written stays as it is,
// or as a new one begins.
type Draft struct {
	Name        input.Optional[string]          `json:"name"`
	Description input.Optional[string]          `json:"description"`
	Public      input.Optional[bool]            `json:"public"`
	Settings    input.Optional[json.RawMessage] `json:"settings"`
}

// onto puts a draft onto a thing and says what is wrong with it.
func (d Draft) onto(a Agent) (Agent, error) {
	var f input.Fields
	switch name := d.Name; {
	case a.ID == "" && (!name.Set || name.Null):
		f.Add("name", "is required")
	case a.ID == "" && !named(name.Value):
		f.Add("name", "must be lower-case letters, digits and -, at most 63, and begin with a letter or digit")
	case a.ID != "" && name.Set && name.Value != a.ID:
		f.Add("name", "cannot be changed: it is the id")
	case a.ID == "":
		a.ID = name.Value
	}
	if d.Description.Set {
		if a.Description = d.Description.Value; d.Description.Null || !prose(a.Description, maxDescription) {
			f.Add("description", fmt.Sprintf("must be a text of at most %d characters", maxDescription))
		}
	}
	if d.Public.Set {
		if a.Public = d.Public.Value; d.Public.Null {
			f.Add("public", "must be true or false")
		}
	}
	if d.Settings.Set {
		raw := []byte("null")
		if !d.Settings.Null {
			raw = d.Settings.Value
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil || compact.Len() > maxSettings {
			f.Add("settings", fmt.Sprintf("must be JSON of at most %d bytes", maxSettings))
		}
		a.Settings = compact.Bytes()
	}
	return a, f.Err()
}

// Create makes a thing that belongs to whoever calls. That they may make one at
// all (agents:create) has been decided. Who could not be found again owns nothing.
func (s *Service) Create(ctx context.Context, by By, tenantID, collection string, d Draft) (a Agent, err error) {
	c, ok := by.caller(tenantID)
	if !ok {
		if err = by.refusal(); errors.Is(err, ErrDenied) {
			err = ErrNobody
		}
		return Agent{}, err
	}
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		now := tx.Now().UTC()
		a, err = d.onto(Agent{Tenant: tenantID, Collection: collection, Settings: json.RawMessage("{}"), CreatedAt: now, UpdatedAt: now})
		if err != nil {
			return err
		}
		if err := insertAgent(tx, a); err != nil {
			return err
		}
		if c, err = counted(tx, tenantID, c); err != nil {
			return err
		}
		m := c.asMember()
		m.ID, m.Role, m.CreatedAt = newMemberID(), Owner, now
		if err := insertMember(tx, a, m); err != nil {
			return err
		}
		if err := s.note(tx, tenantID, collection, a.ID, by.event(tenantID, "agent.created", slotID(collection, a.ID), facts(a))); err != nil {
			return err
		}
		// As the owner is found from now on: whoever is not makes nothing.
		a, err = s.allowed(tx, by, tenantID, collection, a.ID, Owner)
		return err
	})
	return a, err
}

// Change changes a thing, for its admins and owners.
func (s *Service) Change(ctx context.Context, by By, tenantID, collection, id string, d Draft) (a Agent, err error) {
	if _, ok := by.caller(tenantID); !ok {
		return a, by.refusal()
	}
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		was, err := s.allowed(tx, by, tenantID, collection, id, Admin)
		if err == nil {
			err = by.If.Is(ViewOf(was).tag())
		}
		if err != nil {
			return err
		}
		if a, err = d.onto(was); err != nil {
			return err
		}
		fields := differences(was, a)
		if len(fields) == 0 {
			return nil
		}
		a.UpdatedAt = tx.Now().UTC()
		if err := updateAgent(tx, a); err != nil {
			return err
		}
		detail := facts(a)
		detail["fields"] = strings.Join(fields, " ")
		return s.note(tx, tenantID, collection, id, by.event(tenantID, "agent.changed", slotID(collection, id), detail))
	})
	return a, err
}

// Delete removes a thing with its members, for its owners. Its name is not given
// again: whoever kept a link to it is not led to another's.
func (s *Service) Delete(ctx context.Context, by By, tenantID, collection, id string) error {
	if _, ok := by.caller(tenantID); !ok {
		return by.refusal()
	}
	return s.turn(ctx, tenantID, func(tx *store.Tx) error {
		a, err := s.allowed(tx, by, tenantID, collection, id, Owner)
		if err == nil {
			err = by.If.Is(ViewOf(a).tag())
		}
		if err != nil {
			return err
		}
		if err := deleteAgent(tx, a); err != nil {
			return err
		}
		return s.note(tx, tenantID, collection, id, by.event(tenantID, "agent.deleted", slotID(collection, id), facts(a)))
	})
}

// differences names the fields that a change touches.
func differences(was, a Agent) (fields []string) {
	for _, f := range []struct {
		name    string
		changed bool
	}{
		{"description", was.Description != a.Description}, {"public", was.Public != a.Public}, {"settings", !bytes.Equal(was.Settings, a.Settings)},
	} {
		if f.changed {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// facts are what the audit trail keeps of a thing. Its words and settings are not
// among them: they may hold what the trail could not forget.
func facts(a Agent) map[string]string {
	return map[string]string{"collection": a.Collection, "public": map[bool]string{true: "true", false: "false"}[a.Public]}
}
