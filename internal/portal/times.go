package portal

import (
	"html/template"
	"time"
)

// time is a moment as the reader's calendar and clock have it.
func (f *frame) time(v any) template.HTML {
	at, ok := moment(v)
	if !ok {
		return `<span class="none">—</span>`
	}
	at = at.In(f.zone.Location)
	return template.HTML(`<time datetime="` + at.UTC().Format(time.RFC3339) + `">` + at.Format("2 Jan 2006, 15:04") + `</time>`) //nolint:gosec // of digits and month names
}

// ago is a time as people say it; the time itself is its title.
func (f *frame) ago(v any) template.HTML {
	at, ok := moment(v)
	if !ok {
		return `<span class="none">never</span>`
	}
	d, text := f.now.Sub(at), ""
	ahead := d < -time.Minute
	if ahead {
		d = -d
	}
	switch {
	case d < time.Minute:
		text = "just now"
	case d < time.Hour:
		text = count(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		text = count(int(d/time.Hour), "hour")
	case d < 60*24*time.Hour:
		text = count(int(d/(24*time.Hour)), "day")
	default:
		return f.time(v)
	}
	switch {
	case ahead:
		text = "in " + text
	case text != "just now":
		text += " ago"
	}
	at = at.In(f.zone.Location)
	return template.HTML(`<time datetime="` + at.UTC().Format(time.RFC3339) + `" title="` + at.Format("2 Jan 2006, 15:04:05 MST") + `" class="ago">` + text + `</time>`) //nolint:gosec // as above
}

// countsLag is how long a request may wait before it counts: usage.Run writes its
// counters at least every five seconds.
const countsLag = 5 * time.Second

// counted is the moment up to which counts of use are whole on this page.
func (f *frame) counted() template.HTML {
	at := f.now.Add(-countsLag).In(f.zone.Location)
	return template.HTML(`<time datetime="` + at.UTC().Format(time.RFC3339) + `" class="exact">` + at.Format("2 Jan 2006, 15:04:05") + `</time>`) //nolint:gosec // as above
}

// Zone is what the reader's times are in. It is for templates.
func (f *frame) Zone() string { return f.zone.String() }

// moment reads what an operation says a time is: RFC 3339, or unix milliseconds.
func moment(v any) (time.Time, bool) {
	switch t := v.(type) {
	case time.Time:
		return t, !t.IsZero()
	case *time.Time:
		if t != nil {
			return *t, !t.IsZero()
		}
	case string:
		at, err := time.Parse(time.RFC3339Nano, t)
		return at, err == nil
	case *string:
		if t != nil {
			return moment(*t)
		}
	case int64:
		return time.UnixMilli(t), t != 0
	}
	return time.Time{}, false
}
