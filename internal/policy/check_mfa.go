package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/trace"
)

// CodeMFA is the code of the fault of a caller who has to show a second factor.
const CodeMFA = "mfa_required"

// mfaCheck is requireMfa: the caller has shown a second factor.
type mfaCheck struct {
	maxAge  time.Duration // 0: as long as the step-up lasts
	factors []string      // none: any, the provider's word too
}

// ahead is how far a step-up may lie in the future: clocks differ, and more than
// that makes its age unknown.
const ahead = time.Minute

func (l *loader) mfa(c *MFAConfig) *mfaCheck {
	if c == nil || c.Off {
		return nil
	}
	if c.MaxAge.Std() < 0 {
		l.errorf("requireMfa.maxAge", "must be longer than nothing")
	}
	for i, f := range c.Factors {
		if f != "" && f != FactorTOTP && f != FactorPasskey {
			l.errorf("requireMfa.factors"+config.Index(i), "is no factor: totp or passkey")
		}
	}
	return &mfaCheck{maxAge: c.MaxAge.Std(), factors: l.list("requireMfa.factors", c.Factors)}
}

func (c *mfaCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	who := in.Standing.Who
	if !Person(who) {
		if rec.On() {
			rec.Fail(stage, "requireMfa", c.describe(), "a caller that is no person ("+string(who.Kind)+")",
				"a person who shows a second factor: keys, machines and services never do")
		}
		return needsFactor()
	}
	if in.StepUpLater {
		if rec.On() {
			rec.Pass(stage, "requireMfa", c.describe(), "the operation looks for it: a step-up may stand in the body")
		}
		return nil
	}
	claimed := Claimed(who)
	if in.StepUp != nil && c.meets(*in.StepUp, in.Now) || c.meets(claimed, in.Now) {
		if rec.On() {
			met := claimed
			if in.StepUp != nil && c.meets(*in.StepUp, in.Now) {
				met = *in.StepUp
			}
			rec.Pass(stage, "requireMfa", c.describe(), shown(met, in.Now))
		}
		return nil
	}
	if rec.On() {
		rec.Fail(stage, "requireMfa", c.describe(), c.found(in, claimed), c.enough())
	}
	return needsFactor()
}

func needsFactor() *fault.Error {
	return fault.New(fault.Forbidden, CodeMFA, "Second factor required")
}

// meets reports whether a step-up is one that counts.
func (c *mfaCheck) meets(s StepUp, now time.Time) bool {
	switch age := now.Sub(s.At); {
	case s.At.IsZero() || s.Factor == "":
		return false
	case age < -ahead, c.maxAge > 0 && (age > c.maxAge || s.Undated):
		return false
	}
	return len(c.factors) == 0 || slices.Contains(c.factors, s.Factor)
}

// found says what there was instead.
func (c *mfaCheck) found(in Input, claimed StepUp) string {
	var parts []string
	if in.StepUp != nil && !in.StepUp.At.IsZero() {
		parts = append(parts, shown(*in.StepUp, in.Now))
	} else {
		parts = append(parts, "no step-up of this caller that is still good")
	}
	switch who := in.Standing.Who; {
	case !claimed.At.IsZero():
		parts = append(parts, shown(claimed, in.Now))
	case who.SecondFactor:
		parts = append(parts, "the token's amr tells of a second factor, but neither auth_time nor iat of when")
	case who.Claims["amr"] != nil:
		parts = append(parts, "what the token's amr says does not count ("+clip(who.Provider)+" has no such value in trustAmr)")
	}
	return strings.Join(parts, "; ")
}

// shown is a step-up in words.
func shown(s StepUp, now time.Time) string {
	how := s.Factor
	switch s.Factor {
	case FactorAMR:
		how = "the provider's word (amr)"
	case FactorBackup:
		how = "a backup code"
	}
	if s.Undated {
		return how + ", of which nobody says when it was"
	}
	return how + ", " + now.Sub(s.At).Round(time.Second).String() + " ago"
}

func (c *mfaCheck) enough() string {
	out := "a step-up token in X-Portreeve-MFA, or a session's step-up"
	if len(c.factors) > 0 {
		out += ", by " + oneOf(c.factors)
	}
	if c.maxAge > 0 {
		out += ", not older than " + c.maxAge.String()
	}
	if len(c.factors) == 0 {
		out += "; or a token whose amr its provider is trusted for (trustAmr)"
	}
	return out
}

func (c *mfaCheck) describe() string {
	out := "a second factor"
	if len(c.factors) > 0 {
		out += " (" + oneOf(c.factors) + ")"
	}
	if c.maxAge > 0 {
		out += " shown at most " + c.maxAge.String() + " ago"
	}
	return out
}
