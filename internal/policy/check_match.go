package policy

import (
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/trace"
)

// denyCheck is deny: whoever is listed is refused, also by an e-mail address
// that nobody verified, and so is everybody while it lists addresses and the
// client's is not known.
type denyCheck struct{ *match }

// allowCheck is allow: whoever is not listed is refused.
type allowCheck struct{ *match }

func (l *loader) deny(c *MatchConfig) check {
	if c == nil {
		return nil
	}
	return denyCheck{l.match("deny", c)}
}

func (l *loader) allow(c *MatchConfig) check {
	if c == nil {
		return nil
	}
	return allowCheck{l.match("allow", c)}
}

func (c denyCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	client := in.address()
	by, hit := c.meets(in.Standing.Who, client)
	if !hit {
		by, hit = c.claims(in.Standing.Who)
	}
	unknown := !hit && !c.networks.empty() && !client.IsValid()
	if !hit && !unknown {
		if rec.On() {
			rec.Pass(stage, "deny", "not "+c.words, caller(in, "unverified"))
		}
		return nil
	}
	if rec.On() {
		found, enough := caller(in, "unverified")+"; listed by its "+by, "a caller whom deny does not list by its "+by
		if unknown {
			found, enough = "the client's address is not known", "a request whose client address is known (by the one header of trustedProxies, once, where a proxy is in front)"
		}
		rec.Fail(stage, "deny", "not "+c.words, found, enough)
	}
	return fault.New(fault.Forbidden, "denied", "")
}

func (c denyCheck) describe() string { return "not " + c.words }

func (c denyCheck) outline() string { return "not among those who are kept out" }

func (c allowCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	by, hit := c.meets(in.Standing.Who, in.address())
	if rec.On() {
		if hit {
			rec.Pass(stage, "allow", c.words, caller(in, notCounted)+"; listed by its "+by)
		} else {
			rec.Fail(stage, "allow", c.words, caller(in, notCounted), "a caller with "+c.words)
		}
	}
	if hit {
		return nil
	}
	return fault.New(fault.Forbidden, "not_allowed", "")
}

func (c allowCheck) describe() string { return c.words }

func (c allowCheck) outline() string { return "among those who are let in by name, group or address" }

const notCounted = "unverified, so it does not count"

// caller says what allow and deny look at; unverified is what is said of an
// e-mail address that is.
func caller(in Input, unverified string) string {
	who := in.Standing.Who
	var parts []string
	switch {
	case who.Email == "":
		parts = append(parts, "no e-mail")
	case who.EmailFolded == "" || !who.EmailVerified:
		parts = append(parts, "e-mail "+clip(who.Email)+" ("+unverified+")")
	default:
		parts = append(parts, "e-mail "+clip(who.EmailFolded))
	}
	if len(who.Groups) == 0 {
		parts = append(parts, "no groups")
	} else {
		parts = append(parts, plural("group", clipAll(who.Groups), allOf))
	}
	if a := in.address(); a.IsValid() {
		parts = append(parts, "client address "+a.String())
	} else {
		parts = append(parts, "client address unknown")
	}
	return strings.Join(parts, ", ")
}
