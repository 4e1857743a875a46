package rbac

import (
	"context"
	"slices"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
)

// Asked is a permission that routes ask for.
type Asked struct {
	Permission string
	Routes     []string // "GET /admin/users"
}

// Permission is one that roles hold or routes ask for.
type Permission struct {
	Permission string   `json:"permission"`
	Roles      []string `json:"roles"`  // that hold it, those that hold everything too
	Routes     []string `json:"routes"` // of the file, that ask for it
}

// Permissions lists what roles of a tenant name and routes ask for, sorted.
func (s *Service) Permissions(ctx context.Context, tenantID string, p input.Page) (out []Permission, total int, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		w, _, err := s.seen(tx, tenantID)
		if err != nil {
			return err
		}
		var asked []Asked
		if s.d.Asked != nil {
			asked = s.d.Asked()
		}
		out, total = w.permissions(asked, p)
		return nil
	})
	return out, total, err
}

func (w *world) permissions(asked []Asked, p input.Page) ([]Permission, int) {
	routes := map[string][]string{}
	for _, a := range asked {
		routes[a.Permission] = append(routes[a.Permission], a.Routes...)
	}
	names := w.names()
	for _, name := range names {
		own := w.tree.own[name].Permissions
		if r, ok := w.book.Look(name); ok {
			own = r.Own
		}
		for _, permission := range own {
			if _, ok := routes[permission]; !ok {
				routes[permission] = nil
			}
		}
	}
	all := make([]string, 0, len(routes))
	for permission := range routes {
		all = append(all, permission)
	}
	slices.Sort(all)
	page := all[min(p.Offset, len(all)):min(p.Offset+p.Limit, len(all))]
	out := make([]Permission, len(page))
	for i, permission := range page {
		at := each(routes[permission])
		slices.Sort(at)
		out[i] = Permission{Permission: permission, Roles: []string{}, Routes: at}
	}
	for _, name := range names {
		lacks := policy.Gained(w.holds([]string{name}), page) // in the order of page
		for i := range out {
			if len(lacks) > 0 && lacks[0] == out[i].Permission {
				lacks = lacks[1:]
				continue
			}
			out[i].Roles = append(out[i].Roles, name)
		}
	}
	return out, len(all)
}
