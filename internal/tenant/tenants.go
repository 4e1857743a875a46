package tenant

import (
	"context"
	"errors"
	"slices"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/store"
)

// NewTenant is a tenant to be made.
type NewTenant struct {
	ID   string
	Name string // the id unless written
	Kept bool   // the id was given elsewhere, and is kept as it is
}

// Create makes a tenant, which starts empty.
func (s *Service) Create(ctx context.Context, by By, n NewTenant) (t Tenant, err error) {
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error { t, err = s.CreateIn(tx, by, n); return err })
	return t, err
}

// CreateIn is Create within a transaction, in which the tenant's turn is then
// taken.
func (s *Service) CreateIn(tx *store.Tx, by By, n NewTenant) (Tenant, error) {
	if n.Name == "" {
		n.Name = n.ID
	}
	var f input.Fields
	if !n.Kept && !madeID(n.ID) {
		f.Add("id", "must be lower-case letters, digits and -, at most 63, and begin with a letter or digit")
	} else if n.Kept && !keptID(n.ID) {
		f.Add("id", "must be 1 to 128 letters, digits and - _ . :")
	}
	if !plainText(n.Name, 200) {
		f.Add("name", "must be one line of at most 200 characters")
	}
	if err := f.Err(); err != nil {
		return Tenant{}, err
	}
	return s.insert(tx, by, Tenant{ID: n.ID, Name: n.Name})
}

func (s *Service) insert(tx *store.Tx, by By, t Tenant) (Tenant, error) {
	t.CreatedAt, t.UpdatedAt = tx.Now().UTC(), tx.Now().UTC()
	free, err := insertTenant(tx, t)
	if err == nil && !free {
		err = ErrTenantTaken
	}
	if err == nil {
		err = Turn(tx, t.ID)
	}
	if err != nil {
		return Tenant{}, err
	}
	e := by.event(t.ID, "tenant.created", t.ID)
	if t.Auto {
		e.Detail = map[string]string{"by": "claim"}
	}
	noteTenant(tx, t.ID)
	return t, s.d.Audit.Append(tx, e)
}

// Ensure makes the tenants of the configuration that are not there yet: called
// at start. A name of which a tenant existed once is an error: what names it
// would belong to another.
func (s *Service) Ensure(ctx context.Context, ids ...string) error {
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			_, err := Get(tx, id)
			if errors.Is(err, ErrNoTenant) {
				_, err = s.CreateIn(tx, Host(), NewTenant{ID: id, Kept: true})
			}
			if errors.Is(err, ErrTenantTaken) { // by one that is gone, or by another node a moment ago
				if gone, e := isGone(tx, id, ""); e == nil && !gone {
					_, err = Get(tx, id)
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Tenant reads one tenant.
func (s *Service) Tenant(ctx context.Context, id string) (t Tenant, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error { t, err = Get(tx, id); return err })
	return t, err
}

// Tenants lists all tenants, the oldest first.
func (s *Service) Tenants(ctx context.Context, p input.Page) (list []Tenant, total int, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error { list, total, err = listTenants(tx, p.Limit, p.Offset); return err })
	return list, total, err
}

// SetDisabled refuses everybody of a tenant from now on, or lets them in again.
func (s *Service) SetDisabled(ctx context.Context, by By, id string, disabled bool) error {
	return s.write(ctx, id, func(tx *store.Tx) error {
		changed, err := setTenantDisabled(tx, id, disabled)
		if err != nil || !changed {
			return err
		}
		e := by.event(id, "tenant.changed", id)
		e.Detail = map[string]string{"disabled": map[bool]string{true: "true", false: "false"}[disabled]}
		noteTenant(tx, id)
		return s.d.Audit.Append(tx, e)
	})
}

// SetRateLimit sets a tenant's own rate limit; nil removes it.
func (s *Service) SetRateLimit(ctx context.Context, by By, id string, rule *limit.RuleConfig) error {
	if err := checkRateLimit(rule); err != nil {
		return err
	}
	return s.write(ctx, id, func(tx *store.Tx) error {
		t, err := Get(tx, id)
		if err != nil {
			return err
		}
		t.Settings.RateLimit = rule
		if err := setSettings(tx, id, t.Settings); err != nil {
			return err
		}
		e := by.event(id, "tenant.changed", id)
		e.Detail = map[string]string{"fields": "rateLimit"}
		noteTenant(tx, id)
		return s.d.Audit.Append(tx, e)
	})
}

// checkRateLimit holds a tenant's limit to the bounds of the configuration's.
func checkRateLimit(rule *limit.RuleConfig) error {
	if rule == nil {
		return nil
	}
	var f input.Fields
	rule.Wrong(func(field, issue string) { f.Add("rateLimit."+field, issue) })
	if rule.By != "" && rule.By != "tenant" {
		f.Add("rateLimit.by", "must be tenant, or absent: it counts all callers of the tenant together")
	}
	return f.Err()
}

// Delete removes a tenant and everything that is its own. Its audit trail stays,
// and so does its id, which no other tenant gets.
func (s *Service) Delete(ctx context.Context, by By, id string) error {
	if s.d.Keep != nil && slices.Contains(s.d.Keep(), id) {
		return ErrTenantKept
	}
	return s.write(ctx, id, func(tx *store.Tx) error {
		if err := noteEverybody(tx, id); err != nil {
			return err
		}
		if err := deleteTenant(tx, id); err != nil {
			return err
		}
		return s.d.Audit.Append(tx, by.event(id, "tenant.deleted", id))
	})
}

// noteEverybody tells that a tenant changes and that its callers may now be
// found elsewhere.
func noteEverybody(tx *store.Tx, id string) error {
	noteTenant(tx, id)
	for offset := 0; ; offset += 1000 {
		users, total, err := listUsers(tx, id, Wanted{}, 1000, offset)
		if err != nil {
			return err
		}
		for _, u := range users {
			noteUser(tx, u)
		}
		if offset+1000 >= total {
			return nil
		}
	}
}
