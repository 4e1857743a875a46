package rbac

import (
	"context"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Where a role is defined.
const (
	ofFile   = "file"
	builtIn  = "builtin"
	ofTenant = "tenant"
)

// Shown is a role as callers see it.
type Shown struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"` // its own
	Effective   []string `json:"effective"`   // with all it inherits, sorted
	ParentRole  *string  `json:"parentRole"`
	Source      string   `json:"source"`   // file | builtin | tenant
	Assigned    int      `json:"assigned"` // users of the tenant who have it
	// Hides says that the tenant has a role of this name too, which counts for
	// nothing while the file has one.
	Hides     bool       `json:"hidesTenantRole,omitempty"`
	CreatedAt *time.Time `json:"createdAt,omitempty"`
	UpdatedAt *time.Time `json:"updatedAt,omitempty"`
}

// tag is of what is said about the role itself: who has it, and what it inherits, is
// not its own.
func (r Shown) tag() string {
	r.Assigned, r.Effective = 0, nil
	return input.Tag(r)
}

// List lists the roles of a tenant by name: the file's, the built-in ones and its
// own.
func (s *Service) List(ctx context.Context, tenantID string, p input.Page) (page []Shown, total int, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		w, have, err := s.seen(tx, tenantID)
		if err != nil {
			return err
		}
		names := w.names()
		total = len(names)
		page = nil
		for _, name := range names[min(p.Offset, total):min(p.Offset+p.Limit, total)] {
			page = append(page, w.show(name, have))
		}
		return nil
	})
	return page, total, err
}

// Role reads one role that a tenant can assign.
func (s *Service) Role(ctx context.Context, tenantID, name string) (out Shown, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		w, have, err := s.seen(tx, tenantID)
		if err != nil {
			return err
		}
		if !w.tree.has(name) {
			return ErrNoRole
		}
		out = w.show(name, have)
		return nil
	})
	return out, err
}

func (s *Service) seen(tx *store.Tx, tenantID string) (*world, map[string]int, error) {
	if _, err := tenant.Get(tx, tenantID); err != nil {
		return nil, nil, err
	}
	w, err := s.world(tx, tenantID)
	if err != nil {
		return nil, nil, err
	}
	have, err := assigned(tx, tenantID)
	return w, have, err
}

func (s *Service) shown(tx *store.Tx, tenantID string, w *world, name string) (Shown, error) {
	have, err := assigned(tx, tenantID)
	return w.show(name, have), err
}

// names lists every role of the world, sorted.
func (w *world) names() []string {
	out := w.book.Roles()
	for _, r := range w.roles {
		out = append(out, r.Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (w *world) show(name string, assigned map[string]int) Shown {
	own, stored := w.tree.own[name]
	if r, ok := w.book.Look(name); ok {
		out := Shown{
			Name: name, Description: r.Description, Permissions: list(r.Own), Effective: list(r.Effective), ParentRole: some(r.Parent),
			Source: ofFile, Assigned: assigned[name], Hides: stored,
		}
		if r.BuiltIn {
			out.Source = builtIn
		}
		return out
	}
	return Shown{
		Name: name, Description: own.Description, Permissions: list(own.Permissions), Effective: list(w.holds([]string{name})),
		ParentRole: some(own.Parent), Source: ofTenant, Assigned: assigned[name], CreatedAt: &own.CreatedAt, UpdatedAt: &own.UpdatedAt,
	}
}

func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
