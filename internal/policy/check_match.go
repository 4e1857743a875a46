package policy

import (
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/trace"
)

// denyCheck is deny: whoever is listed is refused, and so is everybody while
// it lists addresses and the client's is not known.
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
	by, hit := c.meets(in.Standing.Who, in.View.Client)
	unknown := !hit && !c.networks.empty() && !in.View.Client.IsValid()
	if !hit && !unknown {
		if rec.On() {
			rec.Pass(stage, "deny", "not "+c.words, caller(in))
		}
		return nil
	}
	if rec.On() {
		found, enough := caller(in)+"; listed by its "+by, "a caller whom deny does not list by its "+by
		if unknown {
			found, enough = "the client's address is not known", "a request whose client address is known (trustedProxies, where a proxy is in front)"
		}
		rec.Fail(stage, "deny", "not "+c.words, found, enough)
	}
	return fault.New(fault.Forbidden, "denied", "")
}

func (c denyCheck) describe() string { return "not " + c.words }

func (c allowCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	by, hit := c.meets(in.Standing.Who, in.View.Client)
	if rec.On() {
		if hit {
			rec.Pass(stage, "allow", c.words, caller(in)+"; listed by its "+by)
		} else {
			rec.Fail(stage, "allow", c.words, caller(in), "a caller with "+c.words)
		}
	}
	if hit {
		return nil
	}
	return fault.New(fault.Forbidden, "not_allowed", "")
}

func (c allowCheck) describe() string { return c.words }

// caller says what allow and deny look at.
func caller(in Input) string {
	who := in.Standing.Who
	var parts []string
	switch {
	case who.Email == "":
		parts = append(parts, "no e-mail")
	case who.EmailFolded == "" || !who.EmailVerified:
		parts = append(parts, "e-mail "+clip(who.Email)+" (unverified, so it does not count)")
	default:
		parts = append(parts, "e-mail "+clip(who.EmailFolded))
	}
	if len(who.Groups) == 0 {
		parts = append(parts, "no groups")
	} else {
		parts = append(parts, plural("group", clipAll(who.Groups), allOf))
	}
	if in.View.Client.IsValid() {
		parts = append(parts, "client address "+in.View.Client.String())
	} else {
		parts = append(parts, "client address unknown")
	}
	return strings.Join(parts, ", ")
}
