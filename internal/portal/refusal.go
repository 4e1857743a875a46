package portal

import (
	"errors"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// refusedPage says why a page does not open.
type refusedPage struct {
	Heading, Text string
	Lacks         []string
	Roles         []string
	Status        int
	Decision      string // "" where none was kept
	Request       string
	Factor        bool // a second factor would be enough
	Here          bool // and can be shown at Return
	Return        string
	Back          string
}

// refused makes a page of what went wrong. What a sign-in or a second factor
// would mend goes back to the engine, which leads there.
func (v *visit) refused(err error) (request.Reply, error) {
	f := fault.From(err)
	var no *refusal
	errors.As(err, &no)
	get := v.c.View.Method == "GET"
	if f.Kind == fault.Unauthenticated || no != nil && no.Factor && v.session() && get {
		return request.Reply{}, f
	}
	status := f.Kind.Status()
	if status >= 500 { // the engine keeps what it answers itself; this page is ours
		v.s.d.Log.LogAttrs(v.ctx, slog.LevelError, "a page failed", slog.String("code", f.Code), slog.String("request", v.c.View.ID), slog.Any("error", f.Err))
	}
	d := refusedPage{Status: status, Request: v.c.View.ID, Roles: v.c.Standing.Roles(), Back: v.path()}
	d.Heading, d.Text = words(f)
	if no != nil {
		d.Lacks, d.Factor, d.Here, d.Return = no.Lacks, no.Factor, v.session(), v.path()
		if no.Unknown {
			d.Heading, d.Text = "This is turned off here", "The site's configuration has no such surface. Whoever runs it can turn it on."
			status, d.Status = 404, 404
		}
	}
	if f.Kind == fault.Forbidden && status != 404 {
		v.c.Refused, d.Decision = f, v.c.Decision
		if no != nil {
			v.c.Why = no.Steps
		}
	}
	if d.Factor {
		d.Heading, d.Text = "A second factor is needed", "Show yours, then send the form again."
	}
	reply, renderErr := v.make(status, "refused", d.Heading, d, nil, "")
	if renderErr != nil {
		return request.Reply{}, f
	}
	if f.RetryAfter > 0 {
		reply.Header = append(reply.Header, retryAfter(f)...)
	}
	return reply, nil
}

func retryAfter(f *fault.Error) (h request.Header) {
	for _, field := range gateway.FaultHeaders(f, "") {
		if strings.EqualFold(field.Name, "Retry-After") {
			h = append(h, field)
		}
	}
	return h
}

// inWords is a time as people say it, rounded up.
func inWords(d time.Duration) string {
	if minutes := int(math.Ceil(d.Minutes())); minutes <= 90 {
		return count(max(minutes, 1), "minute")
	}
	return count(int(math.Ceil(d.Hours())), "hour")
}

// words says to people what kind of thing went wrong.
func words(f *fault.Error) (heading, text string) {
	switch f.Kind {
	case fault.Forbidden:
		return "You may not do this", sentence(f.Text())
	case fault.NotFound:
		return "There is nothing here", "It may have been removed, or it is not yours to see."
	case fault.Conflict:
		return "That does not go together", sentence(f.Text())
	case fault.TooManyRequests:
		if f.Code == "mfa_locked" {
			return "Codes are not looked at now", "There were too many wrong ones. Try again in " + inWords(f.RetryAfter) + "."
		}
		return "Too many at once", "Please wait a moment, then try again."
	case fault.Internal:
		return "Something went wrong", "That is not your fault. Nothing was half done; please try again in a moment."
	}
	if f.Kind.Status() >= 500 {
		return "Not right now", "Something that this page needs cannot be reached. Please try again in a moment."
	}
	text = sentence(f.Text())
	for _, d := range f.Details {
		text += " " + d.Field + " " + sentence(d.Issue)
	}
	return "That did not work", text
}
