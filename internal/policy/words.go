package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/trace"
)

// stage is what the steps of this package are filed under.
const stage = "decide"

// most bounds how many names a sentence lists.
const most = 6

// oneOf is "a", "a or b", "a, b or c".
func oneOf(names []string) string { return series(names, "or") }

// allOf is "a", "a and b", "a, b and c".
func allOf(names []string) string { return series(names, "and") }

func series(names []string, last string) string {
	if len(names) > most {
		return fmt.Sprintf("%s, … (%d in all)", strings.Join(names[:most], ", "), len(names))
	}
	switch n := len(names); n {
	case 0:
		return "none"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " " + last + " " + names[n-1]
	}
}

// plural writes names with a word before the first: "role a", "roles a and b".
func plural(word string, names []string, join func([]string) string) string {
	if len(names) != 1 {
		word += "s"
	}
	return word + " " + join(names)
}

// name is a caller in a sentence.
func name(p *principal.Principal) string {
	if p.ID() == "" {
		return "a caller without a name"
	}
	return clip(p.ID())
}

// clip cuts what a caller sent down to what a line can take, and makes its
// controls visible.
func clip(s string) string {
	const longest = 80
	out := fmt.Sprintf("%+q", s[:min(len(s), longest)])
	out = out[1 : len(out)-1]
	if len(s) > longest {
		out += "…"
	}
	return out
}

func clipAll(list []string) []string {
	out := make([]string, 0, min(len(list), most+1))
	for _, s := range list {
		out = append(out, clip(s))
	}
	return out
}

// held says which roles a caller has, or why it has none.
func held(s *Standing) string {
	switch roles := s.Roles(); {
	case s.power != nil:
		return s.power.held()
	case s.fixed != nil && len(s.fixed.list) > 0:
		return "a machine, which holds " + allOf(s.fixed.list) + " and no role"
	case s.fixed != nil:
		return "an API key of which nothing is stored, which holds nothing"
	case len(roles) > 0:
		return "the caller has " + plural("role", roles, allOf) + whyNot(s)
	}
	return "the caller has no role" + whyNot(s)
}

// held says what a key holds and why it is not more.
func (p *power) held() string {
	out := "an API key with " + plural("scope", p.scopes.list, allOf)
	switch {
	case len(p.set.list) == 0:
		return out + ", none of which counts: whoever made it holds none of them now"
	case !slices.Equal(p.set.list, p.scopes.list):
		return out + ", of which " + allOf(p.set.list) + " counts: whoever made it holds no more now"
	}
	return out
}

// enough says what a key would need for what it lacks.
func (p *power) enough(missing []Permission) string {
	var scopes, creator []Permission
	for _, m := range missing {
		if m.resource != "" && p.scopes.covers(m) {
			creator = append(creator, m)
		} else {
			scopes = append(scopes, m)
		}
	}
	var parts []string
	if len(scopes) > 0 {
		parts = append(parts, "a key with "+plural("scope", textsOf(scopes), allOf)+", made by somebody who holds it")
	}
	if len(creator) > 0 {
		parts = append(parts, "whoever made the key holding "+allOf(textsOf(creator))+" again, or a key of somebody who does")
	}
	return strings.Join(parts, "; and ")
}

// whyNot names the roles that the token claims and that do not count.
func whyNot(s *Standing) string {
	if len(s.Who.Roles) == 0 {
		return ""
	}
	if !s.Who.TrustRoles {
		return fmt.Sprintf("; the token claims %s, but %s is not trusted for roles (trustRoles)",
			allOf(clipAll(s.Who.Roles)), s.Who.Provider)
	}
	var unknown []string
	for _, r := range s.Who.Roles {
		if s.book.roles[r] == nil && len(unknown) < 2*most {
			unknown = append(unknown, clip(r))
		}
	}
	if len(unknown) == 0 {
		return ""
	}
	return "; the token also claims " + allOf(unknown) + ", which no role of the file is called"
}

// source says where a caller's roles would have to come from.
func source(s *Standing) string {
	switch {
	case s.fixed != nil:
		return " (held by a user: machines and keys have no roles)"
	case s.Who.TrustRoles && s.known:
		return " (assigned to the caller, or in the token's role or roles claim)"
	case s.known:
		return " (assigned to the caller)"
	case s.Who.TrustRoles:
		return " (in the token's role or roles claim)"
	}
	return " (" + s.Who.Provider + " is not trusted for roles: set trustRoles on it, or use a provider that is)"
}

func (q *Requirement) explainAnonymous(rec *trace.Recorder) {
	if !rec.On() {
		return
	}
	enough := "a valid credential of " + q.providerHint()
	if len(q.checks) > 0 {
		var rest []string
		for _, c := range q.checks {
			rest = append(rest, c.describe())
		}
		enough += "; then also: " + strings.Join(rest, "; ")
	}
	rec.Fail(stage, q.providerKey(), q.wantedProvider(), "nobody: no credential that counts here", enough)
}

func (q *Requirement) providerKey() string {
	if len(q.providers) > 0 {
		return "authProvider"
	}
	return "requireAuth"
}

func (q *Requirement) wantedProvider() string {
	if len(q.providers) > 0 {
		return "a caller signed in by " + oneOf(q.providers)
	}
	return "a signed-in caller"
}

func (q *Requirement) providerHint() string {
	if len(q.providers) > 0 {
		return oneOf(q.providers)
	}
	return "a provider that counts on this route"
}
