package app

import "github.com/portreeve/portreeve/internal/server"

// loginHealth is what the login edges of this process came to.
func (a *App) loginHealth() (out server.LoginHealth) {
	s := a.storing.stored.Load()
	if s == nil {
		return out
	}
	for _, o := range s.Login.Outcomes() {
		out.Outcomes = append(out.Outcomes, server.LoginOutcome{Site: o.Site, Operation: o.Operation, Outcome: o.Outcome, N: o.N})
	}
	for _, f := range s.Login.Figures() {
		if c := f.Castle; c != nil {
			out.Castle = append(out.Castle, server.CastleHealth{
				Site: f.Site, Allowed: c.Allowed, Challenged: c.Challenged, Denied: c.Denied, Failing: c.Failing, Refused: c.Refused, Sent: c.Sent, Dropped: c.Dropped, Queued: c.Queued,
			})
		}
		if t := f.Tracked; t != nil {
			out.Tracked = append(out.Tracked, server.TrackedHealth{Site: f.Site, Taken: t.Taken, Sent: t.Sent, Dropped: t.Dropped, Queued: t.Queued})
		}
	}
	return out
}
