package gateway

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// surfaces adds the operations of Portreeve's own surfaces. A path pattern is
// one surface's or the file's: it is chosen first and alone, so that two who
// shared one would each hide half of the other.
func (b *builder) surfaces() {
	b.factorFor = make([]bool, len(b.RequireMFA))
	for i := range b.Surfaces {
		b.surface(b.Surfaces[i])
	}
	b.checkFactors()
	if p, err := ParsePattern(mfaPath); err == nil {
		if e := b.site.Table.at(p); e != nil {
			b.site.mfaPage = e.Route("GET") != nil
		}
	}
}

func (b *builder) surface(s SurfaceRoute) {
	op := s.Op // a site's own copy
	pattern, err := ParsePattern(s.Path)
	if err != nil {
		b.At.Errorf("", "%s: %s: %v", op.Surface, s.Path, err)
		return
	}
	r := &Route{Key: op.Surface, Pattern: pattern, Methods: []string{methodOf(s.Method)}, Description: op.Name, Tags: []string{op.Surface},
		Identify: !b.NoAuth && !s.Anonymous, OpenToAll: s.Anonymous, otherSites: s.OtherSites, Answer: &op}
	need := s.Require
	if yes := true; !s.Public && !s.Anonymous && need.RequireAuth == nil {
		need.RequireAuth = &yes
	}
	if need.RequireMFA == nil && b.asksFactor(need.RequiredPermissions) {
		need.RequireMFA = &policy.MFAConfig{}
		if s.Factor != nil {
			r.factorLate = true
			op.Run = afterFactor(s.Factor, op.Run)
		}
	}
	r.Requirement = policy.Compile(need, policy.Deps{Book: b.Book, Params: pattern.names, Surface: true}, b.At.At(""))
	if r.Identify {
		r.Accept = b.Identity.AcceptKnown(b.whoCounts(pattern, need))
	}
	if e := b.site.Table.at(pattern); e != nil {
		for _, other := range e.Routes {
			if of, ok := other.Answer.(*Operation); !ok || of.Surface != op.Surface {
				b.twoClaims(r, other)
				return
			}
		}
	}
	if err := b.site.Table.Add(r); err != nil {
		b.At.Errorf("", "%s: %v", r.Where(), err)
		return
	}
	if op.SecretPath {
		b.site.secretPaths = append(b.site.secretPaths, pattern)
	}
	b.endpointLimit(r)
	b.standardLimit(r, cmp.Or(s.LimitOf, op.Surface), s.Limit)
}

// afterFactor runs an operation for whoever has shown a second factor.
func afterFactor(shown func(context.Context, *Call) error, run func(context.Context, *Call) (request.Reply, error)) func(context.Context, *Call) (request.Reply, error) {
	return func(ctx context.Context, c *Call) (request.Reply, error) {
		if err := shown(ctx, c); err != nil {
			return request.Reply{}, err
		}
		return run(ctx, c)
	}
}

// whoCounts are the providers that an operation takes: of Portreeve's own paths
// those of the site, since they are about whoever is signed in, by whatever it is.
func (b *builder) whoCounts(p *Pattern, need policy.Requirements) []string {
	if len(need.AuthProvider) > 0 || firstLiteral(p) != ownSegment {
		return need.AuthProvider
	}
	var all []string
	for _, p := range b.Identity.Providers() {
		all = append(all, p.Name)
	}
	return all
}

// asksFactor reports whether the site asks for a second factor for one of these
// permissions.
func (b *builder) asksFactor(permissions []string) (asks bool) {
	for _, p := range permissions {
		for i, pattern := range b.RequireMFA {
			if policy.Covers(pattern, p) {
				b.factorFor[i], asks = true, true
			}
		}
	}
	return asks
}

// checkFactors reports what requireMfa of the site names and nothing asks for.
func (b *builder) checkFactors() {
	if len(b.RequireMFA) == 0 {
		return
	}
	at := b.Inherited("requireMfa")
	for i, p := range b.RequireMFA {
		key := "requireMfa" + config.Index(i)
		if _, err := policy.ParsePermission(p); err != nil {
			at.Errorf(key, "%v", err)
		} else if !b.factorFor[i] {
			at.Warnf(key, "no operation that stands here asks for this permission")
		}
	}
}

// twoClaims reports a path that a surface and somebody else claim, where the
// other one stands in the file.
func (b *builder) twoClaims(r, other *Route) {
	key := ""
	if _, index, ofFile := strings.Cut(other.Key, "routes["); ofFile {
		key = "routes[" + index + ".path"
	}
	b.At.Errorf(key, "%s %s and %s claim one path pattern: a pattern is one's alone, whatever the methods; give the route another path, or turn %s off here",
		r.Methods[0], r.Where(), other.Where(), r.Key)
}

// at is the entry of a pattern, whatever its parameters are called; nil: none.
func (t *Table) at(p *Pattern) *Entry {
	n := &t.root
	for _, piece := range p.pieces {
		switch piece.kind {
		case literal:
			n = n.literals[t.folded(piece.value)]
		case param:
			n = n.param
		case rest:
			return n.rest
		}
		if n == nil {
			return nil
		}
	}
	return n.entry
}

// Surfaces lists the names of the surfaces that stand on the site, sorted.
func (s *Site) Surfaces() []string {
	var out []string
	for _, r := range s.Table.routes() {
		if op, ok := r.Answer.(*Operation); ok {
			out = append(out, op.Surface)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
