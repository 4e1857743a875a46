package usage

import (
	"context"
	"fmt"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

// ErrNoKey says that the tenant has no such key.
var ErrNoKey = fault.New(fault.NotFound, "no_key", "API key not found")

// Summary is a tenant's calls of one month.
type Summary struct {
	Tenant    string `json:"tenant_id"`
	Period    string `json:"period"` // YYYY-MM, UTC
	Calls     int64  `json:"api_calls"`
	Bandwidth int64  `json:"bandwidth_bytes"`
}

// Day is a tenant's calls of one day.
type Day struct {
	Date      string `json:"date"` // YYYY-MM-DD, UTC
	Calls     int64  `json:"api_calls"`
	Bandwidth int64  `json:"bandwidth_bytes"`
}

// Bucket is a key's calls of one hour or day, by status class.
type Bucket struct {
	Start     time.Time `json:"start"`
	Calls     int64     `json:"api_calls"`
	Class1    int64     `json:"1xx"`
	Class2    int64     `json:"2xx"`
	Class3    int64     `json:"3xx"`
	Class4    int64     `json:"4xx"`
	Class5    int64     `json:"5xx"`
	Bandwidth int64     `json:"bandwidth_bytes"`
}

const (
	month = "2006-01"
	day   = "2006-01-02"
)

// Month is the summary of the month in which now is.
func (s *Service) Month(ctx context.Context, tenant string, now time.Time) (Summary, error) {
	from := monthOf(now)
	out := Summary{Tenant: tenant, Period: from.Format(month)}
	err := s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := exists(tx, tenant); err != nil {
			return err
		}
		n, err := total(tx, tenant, from, from.AddDate(0, 1, 0))
		out.Calls, out.Bandwidth = n.Calls(), n.Bytes
		return err
	})
	return out, err
}

func monthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// History is every day of a month, up to today; "" is the month in which now is.
func (s *Service) History(ctx context.Context, tenant, period string, now time.Time) ([]Day, error) {
	from := monthOf(now)
	if period != "" {
		t, err := time.Parse(month, period)
		if err != nil || t.Year() < 2000 || t.After(from) {
			return nil, input.Invalid("period", "must be a month like "+from.Format(month)+", not one to come")
		}
		from = t
	}
	to := from.AddDate(0, 1, 0)
	if tomorrow := dayOf(now).AddDate(0, 0, 1); tomorrow.Before(to) {
		to = tomorrow
	}
	var list []span
	err := s.d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err := exists(tx, tenant); err != nil {
			return err
		}
		list, err = spans(tx, tenant, from, to, dayMs)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := []Day{}
	each(from, to, dayMs, list, func(start time.Time, n Counts) {
		out = append(out, Day{start.Format(day), n.Calls(), n.Bytes})
	})
	return out, nil
}

const dayMs = 24 * hourMs

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// each calls f for every span of [from, to), in order, zeros included.
func each(from, to time.Time, size int64, list []span, f func(time.Time, Counts)) {
	for at := from.UnixMilli(); at < to.UnixMilli(); at += size {
		var n Counts
		if len(list) > 0 && list[0].start == at {
			n, list = list[0].Counts, list[1:]
		}
		f(time.UnixMilli(at).UTC(), n)
	}
}

// Span is a question about a key's usage as it was asked.
type Span struct {
	From, To string // RFC 3339 or a date; "": the last day by hours, the last 30 days by days
	Bucket   string // "hour" or "day"; "": hours for at most two days, else days
}

// The most that one question may span.
const (
	mostHours = 31 * 24
	mostDays  = 400
)

// bounds works out the bounds, on whole buckets: the one in which From is and the
// one in which To is are both in it.
func (q Span) bounds(now time.Time) (from, to time.Time, size int64, err error) {
	var f input.Fields
	if q.Bucket != "" && q.Bucket != "hour" && q.Bucket != "day" {
		f.Add("bucket", "must be hour or day")
	}
	from, hasFrom := moment(&f, "from", q.From, false)
	to, hasTo := moment(&f, "to", q.To, true)
	if err := f.Err(); err != nil {
		return from, to, 0, err
	}
	if !hasTo {
		to = now.UTC()
	}
	if !hasFrom {
		from = to.Add(-24*time.Hour + time.Nanosecond)
		if q.Bucket == "day" {
			from = to.AddDate(0, 0, -30).Add(time.Nanosecond)
		}
	}
	if !from.Before(to) {
		return from, to, 0, input.Invalid("to", "must be later than from")
	}
	bucket := q.Bucket
	if bucket == "" {
		bucket = "day"
		if to.Sub(from) <= 48*time.Hour {
			bucket = "hour"
		}
	}
	size, most := dayMs, int64(mostDays)
	if bucket == "hour" {
		size, most = hourMs, mostHours
	}
	from = time.UnixMilli(from.UnixMilli() - from.UnixMilli()%size).UTC()
	last := to.Add(-time.Nanosecond).UnixMilli()
	to = time.UnixMilli(last - last%size + size).UTC()
	if (to.UnixMilli()-from.UnixMilli())/size > most+1 { // one more where they begin within a bucket
		return from, to, 0, input.Invalid("from", fmt.Sprintf("must be at most %d %ss before to", most, bucket))
	}
	return from, to, size, nil
}

// moment reads a point in time. A date is the beginning of its day, or as an end
// the end of it.
func moment(f *input.Fields, field, text string, end bool) (t time.Time, ok bool) {
	if text == "" {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if t, err = time.Parse(day, text); err == nil && end {
			t = t.AddDate(0, 0, 1)
		}
	}
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		f.Add(field, "must be a time like 2026-01-31T12:00:00Z or a date like 2026-01-31")
		return time.Time{}, false
	}
	return t.UTC(), true
}

// OfKey is what was called by one key, in whole hours or days.
func (s *Service) OfKey(ctx context.Context, tenant, key string, q Span, now time.Time) ([]Bucket, error) {
	from, to, size, err := q.bounds(now)
	if err != nil {
		return nil, err
	}
	var list []span
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if s.d.Keys == nil {
			return ErrNoKey
		}
		is, err := s.d.Keys.Exists(tx, tenant, key)
		if err != nil {
			return err
		}
		if !is {
			return ErrNoKey
		}
		list, err = spansOfKey(tx, tenant, key, from, to, size)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := []Bucket{}
	each(from, to, size, list, func(start time.Time, n Counts) {
		c := n.Classes
		out = append(out, Bucket{start, n.Calls(), c[0], c[1], c[2], c[3], c[4], n.Bytes})
	})
	return out, nil
}
