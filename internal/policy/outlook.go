package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// Outlook is what a requirement would come to for a caller of whom only that is
// known which is stored. The zero value says that it would be refused.
type Outlook uint8

// The outlooks.
const (
	Never   Outlook = iota
	Depends         // on the request, or on what the credential says
	Always
)

// Prospect is a caller before it has sent anything.
type Prospect struct {
	Standing *Standing
	// Token says that it would show a token, whose groups, scopes and, where its
	// provider is trusted for them, roles are not known. Its e-mail is the
	// Principal's; "" is not known.
	Token bool
	Now   time.Time
}

// Outlook says what Check would come to, by the same checks: those that no request
// can change are run, and the others say what they would look at. why are those
// that refuse, else those that depend, else those that were met; in plain words,
// without the people, addresses and values that the file names.
func (q *Requirement) Outlook(p Prospect) (o Outlook, why []string) {
	if !q.Any() {
		return Always, nil
	}
	if q.broken || p.Standing == nil {
		return Never, []string{"the requirement did not load"}
	}
	in := Input{View: &request.View{ClientUnsure: true}, Standing: p.Standing, Now: p.Now}
	rec := &trace.Recorder{}
	if f := q.signedIn(in, rec); f != nil {
		return Never, []string{last(rec)}
	}
	said := map[Outlook][]string{}
	o = Always
	for _, c := range q.checks {
		one, text := p.foresee(c, in)
		o = min(o, one)
		if text != "" {
			said[one] = append(said[one], text)
		}
	}
	return o, said[o]
}

// last is what a recorder met last, with what was wanted.
func last(rec *trace.Recorder) string {
	s := rec.Steps[len(rec.Steps)-1]
	return "wants " + s.Wanted + "; found " + s.Found
}

// foresee is the outlook of one check. One that is not named here depends, which
// promises nothing.
func (p *Prospect) foresee(c check, in Input) (Outlook, string) {
	s := in.Standing
	switch c := c.(type) {
	case denyCheck:
		switch {
		case denyCheck{c.people()}.check(in, nil) != nil:
			return Never, "is among those who are kept out"
		case p.open(c.match):
			return Depends, "is kept out by " + c.looksAt(p)
		}
		return Always, ""
	case allowCheck:
		switch {
		case c.check(in, nil) == nil:
			return Always, "is among those who are let in"
		case p.open(c.match):
			return Depends, "is let in by " + c.looksAt(p)
		}
		return Never, "is not among those who are let in"
	case rolesCheck:
		return p.granted(c, in, c.names)
	case permissionsCheck:
		var missing []Permission
		for _, want := range c.want {
			if !s.holds(want) {
				missing = append(missing, want)
			}
		}
		return p.granted(c, in, s.book.bringing(missing))
	case scopesCheck:
		if p.Token {
			return Depends, "the token has to have " + plural("scope", c.want, allOf)
		}
		return p.run(c, in)
	case tenantCheck:
		if _, fixed := c.want.Literal(); fixed {
			if c.check(in, nil) != nil {
				return Never, "is not " + c.outline()
			}
			return Always, "is " + c.outline()
		}
		if s.Tenant == "" {
			return Never, "has no tenant"
		}
		return Depends, "the request has to be about tenant " + clip(s.Tenant) + " (" + c.outline() + ")"
	case *resourceCheck:
		if s.Tenant == "" {
			return Never, "has no tenant"
		}
		return Depends, "has to be " + c.outline()
	case *mfaCheck:
		if !Person(s.Who) {
			return Never, "shows no second factor: keys, machines and services never do"
		}
		return Depends, "has to show " + c.describe()
	case whenCheck:
		return Depends, c.outline()
	}
	return Depends, "has to meet: " + c.describe()
}

// run is the outlook of a check that no request changes.
func (p *Prospect) run(c check, in Input) (Outlook, string) {
	rec := &trace.Recorder{}
	f := c.check(in, rec)
	text := c.describe()
	if n := len(rec.Steps); n > 0 {
		text += ": " + rec.Steps[n-1].Found
	}
	if f != nil {
		return Never, text
	}
	return Always, text
}

// granted is run for what roles bring: those that a token may claim are not known,
// and with one of them the default role is not given.
func (p *Prospect) granted(c check, in Input, bring []string) (Outlook, string) {
	o, text := p.run(c, in)
	if !p.Token || !in.Standing.Who.TrustRoles {
		return o, text
	}
	switch {
	case o == Never && slices.ContainsFunc(bring, func(role string) bool { return in.Standing.book.roles[role] != nil }):
		return Depends, text + "; its token may claim " + oneOf(bring)
	case o == Always && in.Standing.byDefault:
		return Depends, text + ", by default: unless its token claims another"
	}
	return o, text
}

// open reports whether what a match looks at is not known before a request.
func (p *Prospect) open(m *match) bool {
	return !m.networks.empty() || p.Token && (len(m.groups) > 0 || p.Standing.Who.Email == "" && len(m.emails)+len(m.domains) > 0)
}

// looksAt says in a few words what of a match is not known before a request.
func (m *match) looksAt(p *Prospect) string {
	var parts []string
	if p.Token && p.Standing.Who.Email == "" && len(m.emails)+len(m.domains) > 0 {
		parts = append(parts, "the e-mail")
	}
	if p.Token && len(m.groups) > 0 {
		parts = append(parts, "the groups")
	}
	if !m.networks.empty() {
		parts = append(parts, "the client's address")
	}
	return strings.Join(parts, " or ")
}

// people is the match without its networks.
func (m *match) people() *match {
	out := *m
	out.networks = networks{}
	return &out
}

// Enough lists the roles of which each alone brings the roles and permissions that
// are asked for, those that hold everything last; nil where none are asked for.
func (q *Requirement) Enough(b *Book, defs *StoredRoles) []string {
	if !q.Any() {
		return nil
	}
	var named []string
	var want []Permission
	for _, c := range q.checks {
		switch c := c.(type) {
		case rolesCheck:
			named = c.names
		case permissionsCheck:
			want = c.want
		}
	}
	if named == nil && want == nil {
		return nil
	}
	names := b.Roles()
	for _, d := range defs.Defs() {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	var narrow, wide []string
	for _, name := range slices.Compact(names) {
		r := b.role(defs, name)
		if r == nil || named != nil && !slices.Contains(named, name) ||
			slices.ContainsFunc(want, func(w Permission) bool { return !r.set.covers(w) }) {
			continue
		}
		if r.set.all {
			wide = append(wide, name)
		} else {
			narrow = append(narrow, name)
		}
	}
	return append(narrow, wide...)
}

// RolesAsked lists the roles of which one is asked for; nil: none.
func (q *Requirement) RolesAsked() []string {
	if q == nil {
		return nil
	}
	for _, c := range q.checks {
		if r, ok := c.(rolesCheck); ok {
			return slices.Clone(r.names)
		}
	}
	return nil
}

// Source is a permission and where a caller has it from: "role admin", "scope
// docs:*".
type Source struct {
	Permission string   `json:"permission"`
	From       []string `json:"from"`
}

// Sources lists what Permissions does, with where each comes from.
func (s *Standing) Sources() []Source {
	out := []Source{}
	for _, text := range s.Permissions() {
		one := Source{Permission: text, From: []string{}}
		switch {
		case s.power != nil:
			for _, scope := range s.power.scopes.list {
				if len(GainedScopes([]string{scope}, []string{text})) == 0 {
					one.From = append(one.From, "scope "+scope)
				}
			}
		case s.fixed != nil:
			one.From = append(one.From, "a machine token")
		}
		s.each(func(g grant) bool {
			if slices.Contains(g.set.list, text) {
				from := "role " + g.role.name
				if s.byDefault {
					from += ", by default"
				}
				one.From = append(one.From, from)
			}
			return true
		})
		out = append(out, one)
	}
	return out
}
