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
	Tenant        string // empty: none
	TenantProblem string // why there is none, for the trace

	book  *Book
	fixed *set // of a machine: instead of roles
	few   [4]grant
	n     int
	more  []grant
}

// grant is a role and how much of it counts.
type grant struct {
	role *role
	set  *set
}

// Stand works out a caller's standing. It allocates nothing for up to four
// roles. The roles are those that the token claims, where the provider is
// trusted for roles, as far as the book knows them and never with platform;
// if that leaves none, a user has the default role. Machines, API keys and
// service tokens never have the default role.
func (b *Book) Stand(p *principal.Principal, t *Tenants) Standing {
	s := Standing{Who: p, book: b}
	if nobody(p) {
		return s
	}
	s.Tenant, s.TenantProblem = t.of(p)
	switch {
	case p.Kind == principal.Machine || p.ProviderKind == "machine":
		s.fixed = b.machine
		return s
	case p.ProviderKind == "apiKey":
		// Its scopes count only as far as its creator still holds them, which
		// this release cannot look up.
		s.fixed = b.none
		return s
	}
	if p.TrustRoles {
		s.claim(p.Roles)
	}
	if s.n == 0 && p.Kind == principal.User && b.defaultRole != nil {
		s.few[0] = grant{b.defaultRole, b.defaultRole.set}
		s.n = 1
	}
	return s
}

// claim adds the roles of a trusted token, each once, in their order.
func (s *Standing) claim(names []string) {
	var seen []uint64 // bit per role, only once there are more than fit
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
			seen = make([]uint64, len(s.book.names)/64+1)
		}
		if bit := uint64(1) << (r.index % 64); seen[r.index/64]&bit == 0 {
			seen[r.index/64] |= bit
			s.more = append(s.more, g)
		}
	}
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

// Permissions lists what the caller holds, as the roles write it ("docs:*"),
// sorted, each once.
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
// service's come from the scope claim alone; a machine has none.
func (s *Standing) Scopes() []string {
	if s.fixed != nil || nobody(s.Who) {
		return nil
	}
	return s.Who.Scopes
}

// HasScope reports whether the caller has a scope.
func (s *Standing) HasScope(scope string) bool { return slices.Contains(s.Scopes(), scope) }
