package gateway

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/policy"
)

// Outlook says what Decide would come to on a route of the site for a caller who
// has several ways to say who it is: the best of them. why says what it is by. What
// a request would be refused for whatever route it is for, such as a user who is
// disabled, is the asker's to know; what an operation asks by rules of its own is
// no part of it.
func (s *Site) Outlook(r *Route, ways []policy.Prospect) (best policy.Outlook, why []string) {
	switch {
	case r.OpenToAll || !r.Requirement.Any() && !s.Allow.Any():
		return policy.Always, []string{"open to everybody"}
	case s.NoAuth || !r.Identify:
		return policy.Never, []string{"nobody is identified here"}
	}
	why = []string{"no credential of theirs is taken on this site"}
	var by, uncounted []string
	for i := range ways {
		who := ways[i].Standing.Who
		if !r.Accept.Counts(who) {
			if !slices.Contains(uncounted, who.Provider) {
				uncounted = append(uncounted, who.Provider)
			}
			continue
		}
		o, said := s.way(r, ways[i])
		if by == nil || o > best {
			best, why, by = o, said, nil
		}
		if o == best && !slices.Contains(by, who.Provider) {
			by = append(by, who.Provider)
		}
	}
	switch {
	case by == nil && uncounted != nil:
		return policy.Never, []string{"what " + strings.Join(uncounted, ", ") + " gives out does not count here; the route takes " + strings.Join(r.Accept.Names(), ", ")}
	case best == policy.Always && len(why) == 0:
		why = []string{"signed in by " + strings.Join(by, " or ")}
	}
	return best, why
}

// way is the outlook by one credential, in the order of Decide.
func (s *Site) way(r *Route, p policy.Prospect) (policy.Outlook, []string) {
	o, why := policy.Always, []string(nil)
	for _, q := range [...]*policy.Requirement{s.Allow, r.Requirement} {
		one, said := q.Outlook(p)
		switch {
		case one < o:
			o, why = one, said
		case one == o:
			why = append(why, said...)
		}
	}
	if op, own := r.Answer.(*Operation); own && op.Tenant && p.Standing.Tenant == "" {
		return policy.Never, []string{"has no tenant"}
	}
	return o, why
}
