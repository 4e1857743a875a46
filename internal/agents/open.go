package agents

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/portreeve/portreeve/internal/store"
)

// DefaultName is the one thing of a collection on a site without authentication.
const DefaultName = "default"

// Open reads the thing that everybody is admin of on a site without
// authentication. It is there without having been made.
func (s *Service) Open(ctx context.Context, tenantID, collection string) (a Agent, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error { a, err = selectOpen(tx, tenantID, collection); return err })
	return a, err
}

// ChangeOpen changes it. It is public whatever anybody says, so that nobody can
// hide it.
func (s *Service) ChangeOpen(ctx context.Context, by By, tenantID, collection string, d Draft) (a Agent, err error) {
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		was, err := selectOpen(tx, tenantID, collection)
		if err == nil {
			err = by.If.Is(ViewOf(was).tag())
		}
		if err != nil {
			return err
		}
		if a, err = d.onto(was); err != nil {
			return err
		}
		a.Public = true
		fields := differences(was, a)
		if len(fields) == 0 {
			return nil
		}
		a.UpdatedAt = tx.Now().UTC()
		if err := upsertOpen(tx, a); err != nil {
			return err
		}
		detail := facts(a)
		detail["fields"], detail["auth"] = strings.Join(fields, " "), "none"
		return s.note(tx, tenantID, collection, DefaultName, by.event(tenantID, "agent.changed", slotID(collection, DefaultName), detail))
	})
	return a, err
}

// ListOpen lists what everybody sees on a site without authentication: first the
// thing that they are admin of, then the public ones of the site's tenant, where
// it has one.
func (s *Service) ListOpen(ctx context.Context, tenantID, siteTenant, collection string, l Listing) (list []Agent, total int, err error) {
	first, err := s.Open(ctx, tenantID, collection)
	if err != nil {
		return nil, 0, err
	}
	if least, most := l.ranks(); !strings.Contains(soughtIn(first), strings.ToLower(l.Search)) || rank(first.Role) < least || rank(first.Role) > most {
		l.without = DefaultName
		return s.List(ctx, By{}, siteTenant, collection, l)
	}
	rest := l
	rest.without = DefaultName
	if l.Offset == 0 {
		list = append(list, first)
		rest.Limit--
	} else {
		rest.Offset--
	}
	others, n, err := s.List(ctx, By{}, siteTenant, collection, rest)
	return append(list, others...), n + 1, err
}

func selectOpen(tx *store.Tx, tenantID, collection string) (Agent, error) {
	a := Agent{Tenant: tenantID, Collection: collection, ID: DefaultName, Public: true, Role: Admin, Settings: json.RawMessage("{}")}
	var made, changed int64
	var settings string
	if err := tx.Row(`SELECT created_at FROM tenants WHERE id = $1`, tenantID).Scan(&made); err != nil && !errors.Is(err, store.ErrNone) {
		return Agent{}, err
	}
	a.CreatedAt, a.UpdatedAt = at(made), at(made)
	err := tx.Row(`SELECT description, settings, updated_at FROM agent_defaults WHERE tenant_id = $1 AND collection = $2`, tenantID, collection).
		Scan(&a.Description, &settings, &changed)
	switch {
	case errors.Is(err, store.ErrNone):
		return a, nil
	case err != nil:
		return Agent{}, err
	}
	a.Settings, a.UpdatedAt = json.RawMessage(settings), at(changed)
	return a, nil
}

func upsertOpen(tx *store.Tx, a Agent) error {
	_, err := tx.Exec(`INSERT INTO agent_defaults (tenant_id, collection, description, settings, updated_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant_id, collection) DO UPDATE SET description = excluded.description, settings = excluded.settings, updated_at = excluded.updated_at`,
		a.Tenant, a.Collection, a.Description, string(a.Settings), a.UpdatedAt.UnixMilli())
	return err
}
