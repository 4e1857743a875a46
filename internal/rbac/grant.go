package rbac

import (
	"slices"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Right is by what right somebody grants. The zero Right grants nothing.
type Right struct {
	host bool
	by   *policy.Standing
}

// OfHost is the right of who sits at the machine: everything.
func OfHost() Right { return Right{host: true} }

// Of is the right of a caller: what it holds, and no more.
func Of(by *policy.Standing) Right { return Right{by: by} }

// over reports whether it is the right of who answers for all tenants, here in one
// that is not its own: nobody else acts in another.
func (r Right) over(tenantID string) bool {
	return r.host || r.by != nil && r.by.Tenant != tenantID
}

// anew works out what a caller holds as the store stands in the transaction: the
// standing that the request was let through by may be older than what the
// transaction reads. Of an API key it is its scopes as far as its creator holds
// them now.
func (s *Service) anew(tx *store.Tx, by *policy.Standing) (policy.Standing, error) {
	known, err := s.d.Known(tx, by.Who, by.Tenant)
	if err != nil {
		return policy.Standing{}, err
	}
	own, err := s.Roles(tx, known.Tenant)
	if err != nil {
		return policy.Standing{}, err
	}
	now := *known
	now.TenantRoles = policy.NewStoredRoles(own)
	return by.Again(&now), nil
}

// MayGrant says whether somebody may bring it about that the scopes of a key grow
// from before to after: each that is gained it must hold itself. before is empty
// for a new key, and wherever somebody gets to know a secret of it (rotation): all
// it can do is then gained. It is asked in the transaction
// that writes, after the tenant's Turn, so that what it compares still stands
// when the rows are written. A caller who acts in another tenant (platform:*)
// grants there what it holds in its own.
//
// The error is ErrGrants (403), with what is missing as its details.
func (s *Service) MayGrant(tx *store.Tx, by *policy.Standing, tenantID string, before, after []string) error {
	return s.may(tx, Of(by), policy.GainedScopes(before, after))
}

// Lacks lists which of its scopes a key does not hold, by what whoever made it
// has: what the same key would be refused for when it is used.
func (s *Service) Lacks(tx *store.Tx, tenantID string, g *policy.KeyGrant) ([]string, error) {
	own, err := s.Roles(tx, tenantID)
	if err != nil {
		return nil, err
	}
	who := &principal.Principal{Kind: principal.Service, Provider: "apiKey", ProviderKind: "apiKey", Tenant: tenantID}
	now := s.d.Book().Stand(who, nil, &policy.Known{Tenant: tenantID, TenantRoles: policy.NewStoredRoles(own), Key: g})
	return policy.GainedScopes(now.Permissions(), g.Scopes), nil
}

// may says whether a right covers what is gained.
func (s *Service) may(tx *store.Tx, right Right, gained []string) error {
	if len(gained) == 0 || right.host {
		return nil
	}
	missing := gained
	if right.by != nil {
		now, err := s.anew(tx, right.by)
		if err != nil {
			return err
		}
		missing = now.HoldsAll(gained)
	}
	if len(missing) == 0 {
		return nil
	}
	f := *ErrGrants
	slices.Sort(missing)
	missing = slices.Compact(missing)
	for i, p := range missing {
		if i == mostMissing {
			break
		}
		f.Details = append(f.Details, fault.Detail{Field: "permissions", Issue: "you do not hold " + p})
	}
	return &f
}

// mostMissing bounds how many missing permissions an answer names.
const mostMissing = 8

// Grants is the rule for roles that are given to users, for tenant.By.
func (s *Service) Grants(right Right) tenant.Grants { return grants{s, right} }

type grants struct {
	s     *Service
	right Right
}

// Grant implements tenant.Grants.
func (g grants) Grant(tx *store.Tx, tenantID string, before, after []string) error {
	w, err := g.s.world(tx, tenantID)
	if err != nil {
		return err
	}
	for _, name := range after {
		if !slices.Contains(before, name) && !w.tree.has(name) {
			return ErrNoRole
		}
	}
	return g.s.may(tx, g.right, policy.Gained(w.holds(before), w.holdsAtMost(after)))
}

// world is what role names of a tenant mean at one moment.
type world struct {
	book     *policy.Book
	roles    []Role
	defs     *policy.StoredRoles
	tree     tree
	defaults []string // of users who have no role
}

func (s *Service) world(tx *store.Tx, tenantID string) (*world, error) {
	roles, err := granting().roles(tx, tenantID)
	if err != nil {
		return nil, err
	}
	w := worldOf(s.d.Book(), roles)
	if d := w.book.DefaultRole(); d != "" {
		w.defaults = []string{d}
	}
	if s.d.Defaults != nil {
		w.defaults = append(w.defaults, s.d.Defaults()...)
	}
	return w, nil
}

func worldOf(book *policy.Book, roles []Role) *world {
	return &world{book: book, roles: roles, defs: policy.NewStoredRoles(defs(roles)), tree: newTree(roles, book.Parent)}
}

// with is the world once a role is what it is given as, in place of one of its
// name or as a new one.
func (w *world) with(r Role) *world {
	roles := slices.Clone(w.roles)
	if i := slices.IndexFunc(roles, func(o Role) bool { return o.Name == r.Name }); i >= 0 {
		roles[i] = r
	} else {
		roles = append(roles, r)
	}
	return worldOf(w.book, roles)
}

// holds lists what somebody holds who has these stored roles.
func (w *world) holds(names []string) []string { return w.book.Effective(w.defs, names) }

// holdsAtMost is holds, with what somebody without any role has by default: a
// user whose last role is taken away gains that.
func (w *world) holdsAtMost(names []string) []string {
	if len(names) > 0 {
		return w.holds(names)
	}
	return w.holds(w.defaults)
}

// heirs lists a role and every one that inherits from it.
func (w *world) heirs(name string) []string {
	out := []string{name}
	for _, r := range w.roles {
		if r.Name != name && w.tree.distance(r.Name, name) > 0 {
			out = append(out, r.Name)
		}
	}
	return out
}

// heaviest counts the permissions of the role or heir that holds most.
func (w *world) heaviest(name string) int {
	most := 0
	for _, heir := range w.heirs(name) {
		most = max(most, len(w.holds([]string{heir})))
	}
	return most
}

// gained lists what anybody who has the role, or one that inherits from it,
// would gain by the step from one world to the next. Whether anybody has it is
// not asked: a role that nobody has yet is made to be given.
func (w *world) gained(next *world, name string) []string {
	var out []string
	for _, heir := range next.heirs(name) {
		one := []string{heir}
		out = append(out, policy.Gained(w.holds(one), next.holds(one))...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
