package escrow

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	standardDays = 14
	mostDays     = 31
	mostGroups   = 100 // that are named with their counts: the largest
)

// fleet is a tenant's machines in numbers. Each is one range of an index.
type fleet struct {
	Machines  int       `json:"machines"`
	SeenDay   int       `json:"seenDay"`           // within 24 hours
	SeenWeek  int       `json:"seenWeek"`          // within 7 days
	Failing   int       `json:"failing"`           // machines whose last run failed
	Running   int       `json:"running"`           // machines whose last run goes on
	NoRun     int       `json:"noRun"`             // machines that have reported none
	Secrets   *int      `json:"secrets,omitempty"` // only for those who may list them
	Groups    []group   `json:"groups"`
	Zone      string    `json:"zone"`      // that the days are of
	RunsByDay []dayRuns `json:"runsByDay"` // the oldest first, today last
	At        *string   `json:"at"`
}

type group struct {
	Name     string `json:"name"`
	Machines int    `json:"machines"`
}

// dayRuns are the runs that were first reported on a day, by how they stand.
type dayRuns struct {
	Day       string `json:"day"` // 2026-11-21
	Succeeded int    `json:"succeeded"`
	Failed    int    `json:"failed"`
	Running   int    `json:"running"`
}

// fleet counts. days is how many days of runs go along; zone, a name like
// Europe/Berlin, is whose days they are.
func (u *surface) fleet(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	var f fleet
	err := u.s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := u.s.may(tx, p, seeMachines); err != nil {
			return err
		}
		q, err := words(c, "days", "zone")
		if err != nil {
			return err
		}
		days, zone, err := readDays(q)
		if err != nil {
			return err
		}
		secrets, err := u.s.holds(tx, p, seeSecrets)
		if err != nil {
			return err
		}
		f, err = countFleet(tx, p.Tenant, u.s.now(), days, zone, secrets)
		return err
	})
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, f), nil
}

func readDays(q map[string]string) (days int, zone *time.Location, err error) {
	var wrong input.Fields
	if days = standardDays; q["days"] != "" {
		if days, err = strconv.Atoi(q["days"]); err != nil || days < 0 || days > mostDays {
			wrong.Add("days", "must be 0 to "+strconv.Itoa(mostDays))
		}
	}
	zone = time.UTC
	if name := q["zone"]; name != "" {
		ok := len(name) <= 64 && name != "Local" && !strings.HasPrefix(name, "/")
		if ok {
			zone, err = time.LoadLocation(name)
		}
		if !ok || err != nil {
			wrong.Add("zone", "must be a time zone like Europe/Berlin")
		}
	}
	return days, zone, wrong.Err()
}

func countFleet(tx *store.Tx, tenantID string, now time.Time, days int, zone *time.Location, secrets bool) (f fleet, err error) {
	f = fleet{Zone: zone.String(), At: moment(now), RunsByDay: []dayRuns{}}
	for _, c := range []struct {
		into  *int
		since time.Time
	}{{&f.Machines, time.Time{}}, {&f.SeenDay, now.Add(-24 * time.Hour)}, {&f.SeenWeek, now.AddDate(0, 0, -7)}} {
		if *c.into, err = count(tx, `SELECT COUNT(*) FROM machines WHERE tenant_id = $1 AND seen_at >= $2`, tenantID, ms(c.since)); err != nil {
			return f, err
		}
	}
	for status, into := range map[string]*int{Failed: &f.Failing, Running: &f.Running, "": &f.NoRun} {
		if *into, err = count(tx, `SELECT COUNT(*) FROM machines WHERE tenant_id = $1 AND last_status = $2`, tenantID, status); err != nil {
			return f, err
		}
	}
	if f.Groups, err = store.List(tx, func(r store.Row) (g group, err error) { return g, r.Scan(&g.Name, &g.Machines) },
		`SELECT group_name, COUNT(*) FROM machines WHERE tenant_id = $1 AND group_name <> '' GROUP BY group_name ORDER BY COUNT(*) DESC, group_name LIMIT $2`,
		tenantID, mostGroups); err != nil {
		return f, err
	}
	if f.Groups == nil {
		f.Groups = []group{}
	}
	if secrets {
		n, err := count(tx, `SELECT COUNT(*) FROM escrow_secrets WHERE tenant_id = $1`, tenantID)
		if err != nil {
			return f, err
		}
		f.Secrets = &n
	}
	for back := days - 1; back >= 0; back-- {
		d, err := runsOf(tx, tenantID, now.In(zone).AddDate(0, 0, -back))
		if err != nil {
			return f, err
		}
		f.RunsByDay = append(f.RunsByDay, d)
	}
	return f, nil
}

// runsOf counts the runs of a day. Where clocks change it has 23 or 25 hours.
func runsOf(tx *store.Tx, tenantID string, day time.Time) (d dayRuns, err error) {
	begin := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, day.Location())
	end := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, day.Location())
	d.Day = begin.Format(time.DateOnly)
	_, err = store.List(tx, func(r store.Row) (none struct{}, err error) {
		var status string
		var n int
		if err := r.Scan(&status, &n); err != nil {
			return none, err
		}
		switch status {
		case Succeeded:
			d.Succeeded = n
		case Failed:
			d.Failed = n
		default:
			d.Running += n
		}
		return none, nil
	}, `SELECT status, COUNT(*) FROM machine_runs WHERE tenant_id = $1 AND created_at >= $2 AND created_at < $3 GROUP BY status`, tenantID, ms(begin), ms(end))
	return d, err
}
