package tenant

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// Export is everything that is stored about a tenant and may leave the store:
// no secrets, no hashes.
type Export struct {
	Tenant     Tenant         `json:"tenant"`
	ExportedAt time.Time      `json:"exportedAt"`
	Users      []UserView     `json:"users"`
	Parts      map[string]any `json:"parts,omitempty"` // of the other features, by their names
}

// Part is a feature that has something stored about tenants.
type Part interface {
	// Export returns what is stored, to be written as JSON, and its name.
	Export(tx *store.Tx, tenant string) (name string, value any, err error)
}

// Export reads a tenant whole, in one snapshot, and leaves an audit event.
func (s *Service) Export(ctx context.Context, by By, id string, parts ...Part) (out Export, err error) {
	err = s.write(ctx, id, func(tx *store.Tx) error {
		out = Export{ExportedAt: tx.Now().UTC(), Users: []UserView{}}
		if out.Tenant, err = Get(tx, id); err != nil {
			return err
		}
		for total := 1; len(out.Users) < total; {
			var page []User
			if page, total, err = listUsers(tx, id, Wanted{}, 1000, len(out.Users)); err != nil {
				return err
			}
			for _, u := range page {
				out.Users = append(out.Users, View(u))
			}
		}
		for _, p := range parts {
			name, value, err := p.Export(tx, id)
			if err != nil {
				return err
			}
			if out.Parts == nil {
				out.Parts = map[string]any{}
			}
			out.Parts[name] = value
		}
		return s.d.Audit.Append(tx, by.event(id, "tenant.exported", id))
	})
	return out, err
}
