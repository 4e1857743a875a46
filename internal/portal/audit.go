package portal

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) audit() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/audit", "the audit trail", listAudit),
		s.get("/audit/export", "the audit trail as a file", exportAudit),
		s.post("/audit/verify", "verify the audit trail", verifyAudit),
	}
}

// auditFilters are what the trail is filtered by: the operation's own names.
var auditFilters = []string{"actor", "action", "target", "outcome", "from", "to"}

// event is an entry of the trail.
type event struct {
	N                                    int64
	Time, Action, Target, TargetEmail    string
	Result, Decision, Request, Hash, Key string
	Erased                               bool
	Actor                                struct{ Kind, Provider, ID, UserID, Email, IP string }
	Detail                               map[string]any
}

// By is who did it. It is for templates.
func (e event) By() string {
	switch {
	case e.Actor.Email != "":
		return e.Actor.Email
	case e.Actor.ID != "":
		return e.Actor.ID
	}
	return e.Actor.Kind
}

// User is the id of the user who did it; "" for others.
func (e event) User() string { return e.Actor.UserID }

// On is what it was done to.
func (e event) On() string {
	if e.TargetEmail != "" {
		return e.TargetEmail
	}
	return e.Target
}

// More are the event's details, in the order of their names.
func (e event) More() (out []string) {
	for name, v := range e.Detail {
		out = append(out, name+": "+short(plain(v), 24))
	}
	slices.Sort(out)
	return out
}

// Badge says how it went.
func (e event) Badge() badgePart {
	if e.Result == "ok" {
		return badgePart{"ok", "done"}
	}
	return badgePart{"stop", e.Result}
}

// auditPage is the page.
type auditPage struct {
	Events   []event
	Pager    pager
	Filters  map[string]string
	Export   string
	Verified *verified
	Users    bool // the reader may open users
}

// verified is what came of a look at the chain.
type verified struct {
	OK                          bool
	Events, Erased, Checkpoints int64
	Problem                     string
	Problems                    []struct {
		N    int64
		What string
	}
	More int64
}

func listAudit(v *visit) (request.Reply, error) {
	p, err := v.trail()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("audit", "Audit", p)
}

// trail reads the part of the trail that the page's address asks for.
func (v *visit) trail() (auditPage, error) {
	q := v.kept(append([]string{"before"}, auditFilters...))
	q.Set("limit", strconv.Itoa(rows))
	var list struct {
		Data []event
		Next string
	}
	p := auditPage{Filters: map[string]string{}}
	if err := v.ask("GET", "/.portreeve/insight/audit?"+q.Encode(), nil, &list); err != nil {
		return p, err
	}
	for _, name := range auditFilters {
		p.Filters[name] = v.query(name)
	}
	p.Events, p.Pager = list.Data, v.further(list.Next, len(list.Data), auditFilters...)
	if p.Users = v.may("GET", "/tenant/users/x").OK; p.Users {
		v.nameActors(p.Events)
	}
	p.Export = address("/audit/export", v.kept(auditFilters))
	return p, nil
}

// nameActors puts names to users who stand there by their id alone, as in events of
// their sessions.
func (v *visit) nameActors(events []event) {
	names := map[string]string{}
	for i := range events {
		a := &events[i].Actor
		if a.Email != "" || a.UserID == "" {
			continue
		}
		if _, known := names[a.UserID]; !known {
			names[a.UserID] = v.called(a.UserID)
		}
		a.Email = names[a.UserID]
	}
}

func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// verifyAudit works out the whole chain anew. It changes nothing, but costs: so it
// is a form, which no link leads to.
func verifyAudit(v *visit, _ *form) (request.Reply, error) {
	p, err := v.trail()
	if err != nil {
		return request.Reply{}, err
	}
	p.Verified = &verified{}
	if err := v.ask("GET", "/.portreeve/insight/audit/verify", nil, p.Verified); err != nil {
		return request.Reply{}, err
	}
	return v.show("audit", "Audit", p)
}

// exportAudit hands out the operation's own file. What does not fit into one is in
// the next, after the last event of this one.
func exportAudit(v *visit) (request.Reply, error) {
	reply, err := v.raw("GET", address("/.portreeve/insight/audit/export", v.kept(append([]string{"after"}, auditFilters...))))
	if err != nil {
		return request.Reply{}, err
	}
	for i, f := range reply.Header {
		if f.Name == "Link" { // relative to the operation's path
			reply.Header[i].Value = strings.Replace(f.Value, "<?", "</audit/export?", 1)
		}
	}
	return reply, nil
}
