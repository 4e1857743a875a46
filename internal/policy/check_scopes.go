package policy

import (
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/trace"
)

// scopesCheck is requiredScopes: all of them.
type scopesCheck struct{ want []string }

func (l *loader) scopes(names []string) check {
	list := l.list("requiredScopes", names)
	if names == nil {
		return nil
	}
	for i, n := range names {
		if strings.ContainsAny(n, " \t\r\n") {
			l.errorf("requiredScopes"+config.Index(i), "one scope has no blanks; write several as a list")
		}
	}
	return scopesCheck{list}
}

func (c scopesCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	met := true
	for _, n := range c.want {
		met = met && in.Standing.HasScope(n)
	}
	if rec.On() {
		c.explain(in.Standing, rec, met)
	}
	if !met {
		return fault.New(fault.Forbidden, "missing_scope", "")
	}
	return nil
}

func (c scopesCheck) explain(s *Standing, rec *trace.Recorder, met bool) {
	if s.power != nil {
		c.explainKey(s, rec, met)
		return
	}
	found := "the token has " + plural("scope", clipAll(s.Scopes()), allOf)
	if len(s.Scopes()) == 0 {
		found = "the token has no scope claim"
	}
	if met {
		rec.Pass(stage, "requiredScopes", allOf(c.want), found)
		return
	}
	var missing []string
	for _, n := range c.want {
		if !s.HasScope(n) {
			missing = append(missing, n)
		}
	}
	rec.Fail(stage, "requiredScopes", allOf(c.want), found+"; missing: "+allOf(missing),
		"a token whose scope claim also holds "+allOf(missing)+" (roles do not bring scopes)")
}

// explainKey is explain for a key, whose scopes are its permissions.
func (c scopesCheck) explainKey(s *Standing, rec *trace.Recorder, met bool) {
	if met {
		rec.Pass(stage, "requiredScopes", allOf(c.want), s.power.held())
		return
	}
	var missing []Permission
	for _, n := range c.want {
		if p, ok := split(n); !s.HasScope(n) {
			if !ok { // no key has it
				p = Permission{text: n}
			}
			missing = append(missing, p)
		}
	}
	rec.Fail(stage, "requiredScopes", allOf(c.want), s.power.held()+"; missing: "+allOf(textsOf(missing)), s.power.enough(missing))
}

func (c scopesCheck) describe() string { return plural("scope", c.want, allOf) }
