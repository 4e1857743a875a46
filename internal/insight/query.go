package insight

import (
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

// longestQuery bounds a text that is looked for.
const longestQuery = 512

// filterOf reads what narrows a list of events: actor (a subject, a user's id or
// an address), action (whole, or a kind with its dot: "apikey."), target, outcome,
// decision, from and to.
func filterOf(v *request.View) (f audit.Filter, err error) {
	for _, x := range []struct {
		name string
		to   *string
	}{{"actor", &f.Actor}, {"action", &f.Action}, {"target", &f.Target}, {"outcome", &f.Result}, {"decision", &f.Decision}} {
		if *x.to, _, err = input.Query(v, x.name); err != nil {
			return f, err
		}
		if len(*x.to) > longestQuery || strings.ContainsRune(*x.to, 0) {
			return f, input.Invalid(x.name, "must be a text of at most "+strconv.Itoa(longestQuery)+" bytes")
		}
	}
	if strings.Contains(f.Actor, "@") {
		f.Actor, f.Email = "", f.Actor
	}
	if f.From, err = moment(v, "from", 0); err == nil {
		f.To, err = moment(v, "to", 24*time.Hour)
	}
	return f, err
}

// moment reads a day (UTC) or a time; the zero time where there is none. Of a day
// it is the beginning, and whole later.
func moment(v *request.View, name string, whole time.Duration) (time.Time, error) {
	text, _, err := input.Query(v, name)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.Add(whole), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, input.Invalid(name, "must be a day such as 2026-11-01, or a time such as 2026-11-01T12:00:00Z")
	}
	return t, nil
}

// number reads a whole number within bounds; standard where there is none.
func number(v *request.View, name string, standard, low, top int64) (int64, error) {
	text, _, err := input.Query(v, name)
	if err != nil || text == "" {
		return standard, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < low || n > top || text[0] == '+' {
		return 0, input.Invalid(name, "must be a whole number from "+strconv.FormatInt(low, 10)+" to "+strconv.FormatInt(top, 10))
	}
	return n, nil
}

// newest reads which part of a list is asked for that runs back from the newest: how
// many rows, and before which number; 0: from the newest on.
func newest(v *request.View, standard, most int64) (limit, before int64, err error) {
	if limit, err = number(v, "limit", standard, 1, most); err == nil {
		before, err = number(v, "before", 0, 1, 1<<62)
	}
	return limit, before, err
}

// nextQuery is the query of the part of an export that follows: the same, after
// another number.
func nextQuery(v *request.View, after int64) string {
	out := "?after=" + strconv.FormatInt(after, 10)
	for _, name := range []string{"actor", "action", "target", "outcome", "decision", "from", "to"} {
		if text, ok, err := input.Query(v, name); err == nil && ok && text != "" {
			out += "&" + name + "=" + request.EscapeQuery(text)
		}
	}
	return out
}
