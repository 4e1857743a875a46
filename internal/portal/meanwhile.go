package portal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// A form that shows how something stands carries the entity tag of that state (the
// field was), and what the form asks is asked on condition of it. Where the thing is
// another one by then, the operation refuses, nothing is saved, and the form comes
// back: with who changed it and when, what stands now beside what was typed, and
// the tag of what stands now. Whoever sends it again means it.

// tagged is the state that something was read in. The things of pages embed it.
type tagged struct{ tag string }

// standing is the state that the forms of a page are made from. Its data embed it.
type standing struct{ was string }

func (s standing) from() string { return s.was }

// Was is what the forms of a page carry along. It is for templates.
func (f *frame) Was() string {
	if d, ok := f.Data.(interface{ from() string }); ok {
		return d.from()
	}
	return ""
}

// since is the state that an edit form is made from: the one that it came with, as
// long as its reader was not shown a later one.
func (f *form) since(now tagged) standing {
	if f != nil && f.meanwhile == nil && f.values.Has("was") {
		return standing{f.get("was")}
	}
	return standing{now.tag}
}

// read reads something that a form of the page may change.
func (v *visit) read(target string, t *tagged, out any) error {
	reply, err := v.put(gateway.Question{Method: "GET", Target: target}, out)
	t.tag = reply.Header.Get("ETag")
	return err
}

// change asks what a form is for, of the thing as it stood on the page.
func (v *visit) change(f *form, method, target string, in any) error {
	q := gateway.Question{Method: method, Target: target, Match: f.get("was")}
	if in != nil {
		var err error
		if q.Body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("%s %s: %w", method, target, err)
		}
	}
	_, err := v.put(q, nil)
	return err
}

// meanwhile is what a page says of a thing that was changed after its form was made.
type meanwhile struct {
	By, User string // who changed it; "" where the reader may not know
	Self     bool
	At       string // "" unknown
	Fields   []compared
	Saves    bool // the form sends all fields, and not just one word
	Page     string
	Again    string // the form as it would be now; "" none
}

// Meanwhile is what happened to the thing that the form is about; nil: nothing. It
// is for templates.
func (f *form) Meanwhile() *meanwhile {
	if f == nil {
		return nil
	}
	return f.meanwhile
}

// edit is a form that changes a thing which is there.
type edit[T any] struct {
	one    string // "role"
	action string // what the trail's actions upon it begin with; "" any
	target string // what the trail calls it
	page   string // where it stands; Again is there too, unless once
	again  string
	list   string // where the others are
	read   func() (T, error)
	// fields are those of the form, beside those of the thing.
	fields func(t T) []compared
	// changed is when the thing was changed last, as its row says.
	changed func(t T) *time.Time
	// shown is the form's page.
	shown func(t T) (page, title string, data any)
	// hidden says that who has lost their role on it is told that it is not there.
	hidden bool
}

// meanwhile answers a form whose thing was changed or removed since; ok is false
// where something else was wrong.
func (e edit[T]) meanwhile(v *visit, f *form, err error) (reply request.Reply, ok bool, _ error) {
	var t T
	if is(err, fault.PreconditionFailed) {
		t, err = e.read()
		if err == nil {
			f.meanwhile = v.meanwhile(e.action, e.target)
			m := f.meanwhile
			if at := e.changed(t); m.At == "" && at != nil {
				m.At = at.Format(time.RFC3339)
			}
			m.Page, m.Again = e.page, e.again
			if e.fields != nil {
				m.Saves, m.Fields = true, differing(e.fields(t))
			}
			page, title, data := e.shown(t)
			reply, err = v.make(http.StatusConflict, page, title, data, f, "")
			return reply, true, err
		}
	}
	if f.get("was") == "" || !e.lost(err) {
		return reply, false, err
	}
	if _, errRead := e.read(); !e.lost(errRead) { // something else is not there
		return reply, false, err
	}
	lost := lostPage{One: e.one, Hidden: e.hidden, List: e.list, meanwhile: *v.meanwhile(e.action, e.target)}
	if e.fields != nil {
		var none T
		lost.Fields = slices.DeleteFunc(e.fields(none), func(c compared) bool { return c.Yours == "" })
	}
	for i, c := range lost.Fields {
		lost.Fields[i].Yours = shorter(c.Yours)
	}
	reply, err = v.make(http.StatusNotFound, "lost", "It was removed meanwhile", lost, nil, "")
	return reply, true, err
}

// lost reports whether an error says that the thing is not there.
func (e edit[T]) lost(err error) bool {
	return gone(err) || e.hidden && codeOf(err) == "missing_resource_role"
}

// lostPage says that what a form is about is there no more.
type lostPage struct {
	meanwhile
	One, List string
	Hidden    bool
}

// meanwhile finds who changed something last, in the trail: what its reader may not
// read there is not told.
func (v *visit) meanwhile(action, target string) *meanwhile {
	m := &meanwhile{}
	q := url.Values{"target": {target}, "outcome": {"ok"}, "limit": {"20"}}
	if action != "" {
		q.Set("action", action)
	}
	var list struct{ Data []event }
	if v.ask("GET", "/.portreeve/insight/audit?"+q.Encode(), nil, &list) != nil {
		return m
	}
	// A user's second factors, and each time one is shown, are recorded under the user,
	// and stand in no form.
	changes := slices.DeleteFunc(list.Data, func(e event) bool {
		return strings.HasPrefix(e.Action, "mfa.") || strings.HasPrefix(e.Action, "stepup.")
	})
	if len(changes) == 0 {
		return m
	}
	if v.may("GET", "/tenant/users/x").OK {
		v.nameActors(changes[:1])
	}
	e := changes[0]
	m.At, m.By, m.User = e.Time, e.By(), e.User()
	who := v.c.Who
	m.Self = m.User != "" && m.User == v.c.Standing.UserID || e.Actor.ID != "" && e.Actor.ID == who.ID() && e.Actor.Provider == who.Provider
	return m
}
