package portal

import (
	"slices"
	"strings"
)

// choice is one permission that a form offers.
type choice struct {
	Name, Means string
	On          bool
}

// choices are the permissions that the reader holds and so can pass on, those
// that are chosen among them, and what is chosen besides.
type choices struct {
	All  []choice
	More string // a line each
}

// alwaysThere are the permissions of the built-in surfaces, offered also to whoever
// may not read what roles hold.
func alwaysThere() []string {
	return []string{"agents:create", "apikeys:read", "apikeys:write", "audit:read", "escrow:admin", "escrow:read", "escrow:reveal", "machine:ingest", "machines:read", "machines:write",
		"rbac:read", "rbac:write", "secrets:read", "secrets:write", "usage:read", "users:read", "users:write"}
}

const mostChoices = 120

// choices offers what the reader holds. It only saves typing: what the form sends
// is the operation's to judge. everything is the word for all that need not be
// named, and what it means; "" offers none.
func (v *visit) choices(chosen []string, everything, means string) choices {
	offer := alwaysThere()
	var known struct{ Data []struct{ Permission string } }
	if v.ask("GET", "/rbac/permissions", nil, &known) == nil {
		for _, p := range known.Data {
			offer = append(offer, p.Permission)
		}
	}
	slices.Sort(offer)
	offer = slices.Compact(offer)
	var out choices
	if everything != "" && v.c.Standing.Has("*:*") {
		out.All = append(out.All, choice{everything, means, slices.Contains(chosen, everything)})
	}
	for _, p := range offer {
		resource, _, _ := strings.Cut(p, ":")
		if resource != "*" && resource != "platform" && resource != "machine" && v.c.Standing.Has(p) && len(out.All) < mostChoices {
			out.All = append(out.All, choice{p, "", slices.Contains(chosen, p)})
		}
	}
	var more []string
	for _, p := range chosen {
		if !slices.ContainsFunc(out.All, func(c choice) bool { return c.Name == p }) {
			more = append(more, p)
		}
	}
	out.More = strings.Join(more, "\n")
	return out
}

// chosen are the permissions that a form names: those ticked under name, and the
// lines of more.
func (f *form) chosen(name, more string) []string {
	return append(f.all(name), f.lines(more)...)
}
