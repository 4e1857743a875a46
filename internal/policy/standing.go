package policy

import (
	"slices"

	"github.com/portreeve/portreeve/internal/principal"
)

// Standing is what a caller has here and now: the roles, permissions and tenant
// that Portreeve grants on top of what the credential proved. It is worked out
// anew for every decision and never remembered.
type Standing struct {
	Who           *principal.Principal
	Tenant        string    // empty: none
	TenantProblem string    // why there is none, for the trace
	UserID        string    // of the caller's users row; empty: none
	Called        string    // what people call that row; decides nothing
	Key           *KeyGrant // of keys and machine tokens, where there is a store

	book  *Book
	fixed *set   // of a key or machine: instead of roles
	power *power // of a key: what fixed came from
	known bool   // there is a store, so that roles may be assigned
	// byDefault says that the one role is the default one.
	byDefault bool
	few       [4]grant
	n         int
	more      []grant
}

// grant is a role and how much of it counts.
type grant struct {
	role *role
	set  *set
}

// Stand works out a caller's standing; k is what is stored about it, nil where
// there is no store. It allocates nothing for up to four roles. The roles are
// those that are stored, and those that the token claims, where the provider is
// trusted for roles, as far as the book knows them and never with platform; if
// that leaves none, a user has the default role. Machines, API keys and service
// tokens never have the default role, the first two no role at all.
func (b *Book) Stand(p *principal.Principal, t *Tenants, k *Known) Standing {
	s := Standing{Who: p, book: b}
	if nobody(p) {
		return s
	}
	s.tenant(t, k)
	switch {
	case p.Kind == principal.Machine || p.ProviderKind == "machine":
		s.fixed = b.machine
		return s
	case p.ProviderKind == "apiKey":
		s.fixed = b.none
		if s.Key != nil && !s.Key.Machine {
			s.power = s.Key.in(b, k.TenantRoles)
			s.fixed = s.power.set
		}
		return s
	}
	if k != nil {
		s.stored(k.Roles, k.TenantRoles)
	}
	if p.TrustRoles {
		s.claim(p.Roles)
	}
	if s.n == 0 && p.Kind == principal.User && b.defaultRole != nil {
		s.few[0] = grant{b.defaultRole, b.defaultRole.set}
		s.n, s.byDefault = 1, true
	}
	return s
}

// tenant settles whose tenant the caller is in: the store's word where there is
// one, else the credential's and the configuration's alone.
func (s *Standing) tenant(t *Tenants, k *Known) {
	if k == nil {
		s.Tenant, s.TenantProblem = t.of(s.Who)
		return
	}
	s.Tenant, s.UserID, s.Called, s.Key, s.known = k.Tenant, k.UserID, k.Called, k.Key, true
	if s.Tenant == "" {
		if s.TenantProblem = k.Why; s.TenantProblem == "" {
			_, s.TenantProblem = t.of(s.Who)
		}
	}
}

// stored adds the roles that are stored of the caller, each once, in their
// order. A row may hold more of them than fit without allocating, but only as
// many as somebody assigned.
func (s *Standing) stored(names []string, defs *StoredRoles) {
	for _, name := range names {
		r := s.book.role(defs, name)
		if r == nil || s.HasRole(name) {
			continue
		}
		if s.n < len(s.few) {
			s.few[s.n] = grant{r, r.set}
			s.n++
			continue
		}
		s.more = append(s.more, grant{r, r.set})
	}
}

// claim adds the roles of a trusted token, each once, in their order. One that
// is stored besides counts as it is stored.
func (s *Standing) claim(names []string) {
	var seen []uint64 // bit per role, only once there are more than fit
	if len(s.more) > 0 {
		seen = s.beyond()
	}
	for _, name := range names {
		r := s.book.roles[name]
		if r == nil {
			continue
		}
		if slices.ContainsFunc(s.few[:s.n], func(g grant) bool { return g.role == r }) {
			continue
		}
		g := grant{r, r.claimed}
		if s.n < len(s.few) {
			s.few[s.n] = g
			s.n++
			continue
		}
		if seen == nil {
			seen = s.beyond()
		}
		if bit := uint64(1) << (r.index % 64); seen[r.index/64]&bit == 0 {
			seen[r.index/64] |= bit
			s.more = append(s.more, g)
		}
	}
}

// beyond has a bit for each role of the book among those that did not fit.
func (s *Standing) beyond() []uint64 {
	seen := make([]uint64, len(s.book.names)/64+1)
	for _, g := range s.more {
		if s.book.roles[g.role.name] == g.role {
			seen[g.role.index/64] |= 1 << (g.role.index % 64)
		}
	}
	return seen
}

// each calls f for every role until it returns false.
func (s *Standing) each(f func(g grant) bool) {
	for i := range s.n {
		if !f(s.few[i]) {
			return
		}
	}
	for _, g := range s.more {
		if !f(g) {
			return
		}
	}
}

// Roles lists the effective roles in the order in which the token names them.
func (s *Standing) Roles() []string {
	out := make([]string, 0, s.n+len(s.more))
	s.each(func(g grant) bool { out = append(out, g.role.name); return true })
	return out
}

// Role is the first effective role, or "".
func (s *Standing) Role() string {
	if s.n == 0 {
		return ""
	}
	return s.few[0].role.name
}

// HasRole reports whether the caller has the role itself; a role that inherits
// from it is another one.
func (s *Standing) HasRole(name string) bool {
	for i := range s.n {
		if s.few[i].role.name == name {
			return true
		}
	}
	for i := range s.more {
		if s.more[i].role.name == name {
			return true
		}
	}
	return false
}

// Has reports whether the caller holds a permission, resource:action. What is
// no permission nobody holds.
func (s *Standing) Has(permission string) bool {
	p, ok := split(permission)
	return ok && s.holds(p)
}

func (s *Standing) holds(p Permission) bool {
	if s.fixed != nil {
		return s.fixed.covers(p)
	}
	for i := range s.n {
		if s.few[i].set.covers(p) {
			return true
		}
	}
	for i := range s.more {
		if s.more[i].set.covers(p) {
			return true
		}
	}
	return false
}

// HoldsAll lists which of some permissions the caller does not hold, as roles
// and scopes write them: what it may not grant. A "*" is held by whoever holds
// something as wide; the "*" alone of a key's scopes also by a key that has it.
// What is no permission is missing.
func (s *Standing) HoldsAll(permissions []string) (missing []string) {
	for _, text := range permissions {
		if text == "*" {
			if s.fixed != nil && s.fixed.scopes && s.fixed.all {
				continue
			}
			text = "*:*"
		}
		if p, err := ParsePermission(text); err != nil || !s.holds(p) {
			missing = append(missing, text)
		}
	}
	return missing
}

// Covers reports whether the caller holds all that the other one does.
func (s *Standing) Covers(other *Standing) bool { return len(s.HoldsAll(other.Permissions())) == 0 }

// Permissions lists what the caller holds, as the roles write it ("docs:*"),
// sorted, each once. Of a key it is what its scopes and whoever made it have in
// common; a "*" there covers nothing that a key has only by name.
func (s *Standing) Permissions() []string {
	out := []string{}
	if s.fixed != nil {
		out = append(out, s.fixed.list...)
	}
	s.each(func(g grant) bool { out = append(out, g.set.list...); return true })
	slices.Sort(out)
	return slices.Compact(out)
}

// Scopes lists the scopes that count towards requiredScopes: a person's and a
// service's come from the scope claim alone; a key's are its permissions; a
// machine has none.
func (s *Standing) Scopes() []string {
	switch {
	case nobody(s.Who):
		return nil
	case s.fixed == nil:
		return s.Who.Scopes
	case s.power != nil:
		return s.power.set.list
	}
	return nil
}

// HasScope reports whether the caller has a scope. A key has one that its
// permissions cover.
func (s *Standing) HasScope(scope string) bool {
	if s.power != nil {
		return s.Has(scope)
	}
	return slices.Contains(s.Scopes(), scope)
}
