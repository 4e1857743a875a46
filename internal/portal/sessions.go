package portal

import (
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) sessions() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/sessions", "where you are signed in", listOwnSessions),
		s.get("/sessions/end", "end your other sessions", askEndOwn),
		s.post("/sessions/end", "end your other sessions", endOwn),
		s.get("/sessions/:session/end", "end a session of yours", askEndOwn),
		s.post("/sessions/:session/end", "end a session of yours", endOwn),
		s.get("/users/:id/sessions/end", "end a user's sessions", askEndOfUser),
		s.post("/users/:id/sessions/end", "end a user's sessions", endOfUser),
		s.get("/users/:id/sessions/:session/end", "end a session of a user", askEndOfUser),
		s.post("/users/:id/sessions/:session/end", "end a session of a user", endOfUser),
	}
}

// liveSession is a session that has not ended.
type liveSession struct {
	ID, Site, Provider               string
	CreatedAt, LastSeenAt, ExpiresAt time.Time
	Current                          bool // the one that the page was asked for by
}

// signedIn is where somebody is signed in, and whether its reader may end it.
type signedIn struct {
	List []liveSession
	Page string // below which the pages stand that ask before one ends
	End  lock
	Here bool // the reader's own session is one of them
}

func signedInAt(list []liveSession, page string, end lock) signedIn {
	return signedIn{list, page, end, slices.ContainsFunc(list, func(s liveSession) bool { return s.Current })}
}

// Others are how many there are besides the reader's own.
func (s signedIn) Others() int {
	if s.Here {
		return len(s.List) - 1
	}
	return len(s.List)
}

const ownSessions = "/.portreeve/sessions"

func (v *visit) own() (signedIn, error) {
	var list struct{ Data []liveSession }
	err := v.ask("GET", ownSessions, nil, &list)
	return signedInAt(list.Data, "/sessions", v.may("DELETE", ownSessions+"/x")), err
}

// ofUser are the sessions of a user. There are none where the site has no such
// operation.
func (v *visit) ofUser(u user) (signedIn, error) {
	at := "/tenant/users/" + segment(u.ID) + "/sessions"
	var list struct{ Data []liveSession }
	err := v.ask("GET", at+"?limit=100", nil, &list)
	return signedInAt(list.Data, "/users/"+segment(u.ID)+"/sessions", v.may("DELETE", at)), err
}

func listOwnSessions(v *visit) (request.Reply, error) {
	p, err := v.own()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("sessions", "Where you are signed in", p)
}

// sessionEnd asks before sessions end: the one of the path, or all that may.
type sessionEnd struct {
	signedIn
	User *user // whose they are; nil: the reader's
	One  *liveSession
	Back string
}

// ending is what a page that ends sessions is about.
func (v *visit) ending(all signedIn, u *user, back string) (p sessionEnd, err error) {
	p = sessionEnd{signedIn: all, User: u, Back: back}
	id := v.param("session")
	if id == "" {
		return p, nil
	}
	i := slices.IndexFunc(all.List, func(s liveSession) bool { return s.ID == id })
	if i < 0 {
		return p, fault.New(fault.NotFound, "no_session", "")
	}
	p.One = &all.List[i]
	return p, nil
}

// Title is the question.
func (p sessionEnd) Title() string {
	whose := "your"
	if p.User != nil {
		whose = p.User.Title() + "’s"
	}
	switch {
	case p.One != nil:
		return "End this session of " + map[bool]string{true: "yours", false: whose}[p.User == nil] + "?"
	case p.Here:
		return "End " + whose + " other sessions?"
	}
	return "End " + whose + " sessions?"
}

func (v *visit) endingOwn() (sessionEnd, error) {
	all, err := v.own()
	if err != nil {
		return sessionEnd{}, err
	}
	return v.ending(all, nil, "/sessions")
}

func (v *visit) endingOfUser() (sessionEnd, error) {
	u, err := v.user()
	if err != nil {
		return sessionEnd{}, err
	}
	all, err := v.ofUser(u)
	if err != nil {
		return sessionEnd{}, err
	}
	return v.ending(all, &u, "/users/"+segment(u.ID))
}

func askEndOwn(v *visit) (request.Reply, error)    { return v.askEnd(v.endingOwn()) }
func askEndOfUser(v *visit) (request.Reply, error) { return v.askEnd(v.endingOfUser()) }

func (v *visit) askEnd(p sessionEnd, err error) (request.Reply, error) {
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("session-end", p.Title(), p)
}

func endOwn(v *visit, f *form) (request.Reply, error) {
	p, err := v.endingOwn()
	return v.end(f, p, err, ownSessions)
}

func endOfUser(v *visit, f *form) (request.Reply, error) {
	p, err := v.endingOfUser()
	return v.end(f, p, err, "/tenant/users/"+segment(v.param("id"))+"/sessions")
}

// end ends what the page was about. The reader's own session stays where all are
// meant: to end it is to sign out.
func (v *visit) end(f *form, p sessionEnd, err error, at string) (request.Reply, error) {
	if gone(err) && v.param("session") != "" { // it has ended meanwhile
		return v.done(map[bool]string{true: "/sessions", false: "/users/" + segment(v.param("id"))}[v.param("id") == ""], "session-ended")
	}
	if err != nil {
		return request.Reply{}, err
	}
	var targets []string
	switch {
	case p.One != nil:
		targets = []string{at + "/" + segment(p.One.ID)}
	case p.User != nil && !p.Here:
		targets = []string{at}
	default:
		for _, s := range p.List {
			if !s.Current {
				targets = append(targets, at+"/"+segment(s.ID))
			}
		}
	}
	for _, target := range targets {
		if err := v.ask("DELETE", target, nil, nil); err != nil && !gone(err) {
			if f.problems(err) {
				return v.again(f, "session-end", p.Title(), p)
			}
			return request.Reply{}, err
		}
	}
	return v.done(p.Back, map[bool]string{true: "session-ended", false: "sessions-ended"}[p.One != nil])
}
