package portal

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) refusals() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/refusals", "refusals", listRefusals),
		s.get("/refusals/:id", "a refusal", showRefusal),
	}
}

const refusalsAt = "/.portreeve/insight/refusals"

// refusedRequest is a refusal as /.portreeve/insight/refusals shows it.
type refusedRequest struct {
	ID, Site, Route, Method, Path string
	Status                        int
	Reason, Client, Principal     string
	Tenant, UserID, KeyID         string
	RequestID                     string
	Time                          time.Time
}

// Why is its reason in words.
func (r refusedRequest) Why() string { return reasonWords(r.Reason) }

// Answer is what the caller was told, as a badge.
func (r refusedRequest) Answer() badgePart {
	kind := "stop"
	switch {
	case r.Status >= 500:
		kind = "warn"
	case r.Status == 404 || r.Status == 405 || r.Status == 429:
		kind = "off"
	}
	return badgePart{kind, strconv.Itoa(r.Status)}
}

// refusalList is the list of refusals.
type refusalList struct {
	Refusals           []refusedRequest
	Pager              pager
	Find, Problem      string // an id that is looked for, and what is wrong with it
	Reason, Route, Who string
	Reasons            []string
	All                bool // of all tenants
}

// ReasonText is a reason in words. It is for templates.
func (refusalList) ReasonText(code string) string { return reasonWords(code) }

func listRefusals(v *visit) (request.Reply, error) {
	out := refusalList{Find: strings.TrimSpace(v.query("id")), Reason: v.query("reason"), Route: v.query("route"), Who: v.query("who"), Reasons: offeredReasons(),
		All: v.c.Standing.Has("platform:*")}
	if out.Find != "" {
		if !decisionID(out.Find) {
			out.Problem = "This is no decision id: one has 32 digits and letters from a to f"
		} else if err := v.ask("GET", refusalsAt+"/"+out.Find, nil, nil); is(err, fault.NotFound) {
			out.Problem = "No refusal with this id is kept: the request was let through, newer refusals pushed it out, or the process was started again since"
		} else {
			return v.done("/refusals/"+out.Find, "") // which says what else is wrong
		}
	}
	if out.Reason != "" && !slices.Contains(out.Reasons, out.Reason) {
		out.Reasons = append(out.Reasons, out.Reason)
	}
	var list struct {
		Data []refusedRequest
		Next string
	}
	keep := []string{"reason", "route", "who"}
	if err := v.ask("GET", v.target(refusalsAt, append(keep, "before")...), nil, &list); err != nil {
		return request.Reply{}, err
	}
	out.Refusals, out.Pager = list.Data, v.further(list.Next, len(list.Data), keep...)
	return v.show("refusals", "Refusals", out)
}

// decisionID reports whether a text can be the id of a decision.
func decisionID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// traceStep is one check of a decision.
type traceStep struct {
	Stage, Check, Wanted, Found, Enough string
	OK                                  bool
}

// Title says what was looked at.
func (s traceStep) Title() string {
	if words := checks[s.Stage+" "+s.Check]; words != "" {
		return words
	}
	if words := checks[s.Stage]; words != "" {
		return words
	}
	return upper(s.Stage)
}

// Held says in a few words what it came to.
func (s traceStep) Held() string {
	switch {
	case s.Wanted == "":
		return s.Found
	case s.Found == "" || s.Found == s.Wanted:
		return s.Wanted
	}
	return s.Wanted + ": " + s.Found
}

// refusalPage is one refusal.
type refusalPage struct {
	refusedRequest
	Steps []traceStep
	Links struct {
		Route *struct{ Site, Pattern, Key string }
		Roles []string
	}

	Caller                       string // what a user of this tenant is called
	Roles, Users, Access, Config bool   // whether the reader may open those pages
}

// Enough lists what would have been enough, in sentences.
func (p refusalPage) Enough() (out []string) {
	for _, s := range p.Steps {
		if text := sentence(upper(s.Enough)); !s.OK && text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// Before are the checks of the page that was opened, where what it asked was
// refused: they held. none: the request itself was refused.
func (p refusalPage) Before() []traceStep {
	begins := 0
	for i, s := range p.Steps {
		if s.Stage == "path" && s.OK {
			begins = i
		}
	}
	if begins < 3 || slices.ContainsFunc(p.Steps[:begins], func(s traceStep) bool { return !s.OK }) {
		return nil
	}
	return p.Steps[:begins]
}

// Then are the checks that decided.
func (p refusalPage) Then() []traceStep { return p.Steps[len(p.Before()):] }

// Failed counts the checks that did not hold.
func (p refusalPage) Failed() (n int) {
	for _, s := range p.Steps {
		if !s.OK {
			n++
		}
	}
	return n
}

func showRefusal(v *visit) (request.Reply, error) {
	var p refusalPage
	if err := v.ask("GET", refusalsAt+"/"+segment(v.param("id")), nil, &p); err != nil {
		return request.Reply{}, err
	}
	if p.Tenant != v.c.Tenant { // whose people and keys do not stand here
		p.UserID, p.KeyID = "", ""
	}
	if p.Users = v.may("GET", "/tenant/users/x").OK; p.Users {
		p.Caller = v.called(p.UserID)
	}
	p.Roles = v.may("GET", "/rbac/roles").OK
	p.Access = v.may("GET", accessAt+"?user=x").OK
	p.Config = v.may("GET", "/.portreeve/insight/configuration").OK
	return v.show("refusal", "A refusal", p)
}
