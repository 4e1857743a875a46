package migrate

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
)

// fields are the values of a row by their columns. The line stands under a name
// that no column has.
type fields map[string]any

const lineOf = "\x00line"

func newFields(r row) fields {
	f := fields{lineOf: r.line}
	if len(r.columns) != len(r.values) {
		return f
	}
	for i, c := range r.columns {
		f[c] = r.values[i]
	}
	return f
}

func (f fields) line() int {
	n, _ := f[lineOf].(int)
	return n
}

// text is a column's text, "" for null, and for what is no text or number.
func (f fields) text(column string) string {
	switch v := f[column].(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

// state are the columns by which backends say that a row counts no more, or not
// for ever. They are looked at wherever they stand: a token that was revoked
// there must not come to life here.
var state = map[string]bool{
	"disabled": true, "revoked": true, "deleted": true, "disabled_at": true, "revoked_at": true, "deleted_at": true, "archived_at": true,
	"active": true, "is_active": true, "enabled": true, "status": true, "expires_at": true, "expires": true,
}

// off reports whether the row counts no more; in doubt it does not.
func (f fields) off() bool {
	for column := range state {
		v, there := f[column]
		switch {
		case !there:
		case column == "expires_at" || column == "expires":
		case column == "active" || column == "is_active" || column == "enabled":
			if !truth(v) {
				return true
			}
		case column == "status":
			if s := strings.ToLower(f.text(column)); s != "active" && s != "enabled" && s != "ok" {
				return true
			}
		case truth(v):
			return true
		}
	}
	return false
}

// ends reports whether the row counts for a time only.
func (f fields) ends() bool { return truth(f["expires_at"]) || truth(f["expires"]) }

// end is until when the row counts, zero: for ever. Of two ends the earlier one
// counts. One that nobody can read is no reason to take the row without an end.
func (f fields) end() (end time.Time, err error) {
	for _, column := range []string{"expires_at", "expires"} {
		if !truth(f[column]) {
			continue
		}
		at := f.time(column)
		switch {
		case at.IsZero():
			return at, left("has an end that is no time")
		case end.IsZero() || at.Before(end):
			end = at
		}
	}
	return end, nil
}

// truth reports whether a value is anything but nothing: null, 0, "", "0", "false".
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != "" && v != "0" && !strings.EqualFold(v, "false")
	}
	return true
}

// rowFault is why one row is left.
type rowFault struct {
	fault *fault.Error
	why   string
}

func (r *rowFault) Error() string { return r.words() }

func left(why string) error { return &rowFault{why: why} }

// words say it in a line, without values of the row.
func (r *rowFault) words() string {
	if r.fault == nil {
		return r.why
	}
	s := r.fault.Text()
	for n, d := range r.fault.Details {
		s += map[bool]string{true: ": ", false: "; "}[n == 0] + d.Field + " " + d.Issue
	}
	return s
}

// refusal is what a rule has against a row; nil for failures, which end the
// import.
func refusal(err error) *rowFault {
	var r *rowFault
	if errors.As(err, &r) {
		return r
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return nil
	}
	switch f.Kind {
	case fault.BadRequest, fault.Conflict, fault.NotFound, fault.Forbidden:
		return &rowFault{fault: f}
	}
	return nil
}
