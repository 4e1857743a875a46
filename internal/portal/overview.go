package portal

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) fleet() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/", "overview of the fleet", overview),
		s.get("/machines", "list machines", listMachines),
		s.get("/machines/:id", "show a machine", showMachine),
		s.get("/machines/:id/secrets", "list the secrets of a machine", showMachineSecrets),
		s.get("/runs", "list runs", listRuns),
	}
}

// fleet is what /v1/fleet counts.
type fleet struct {
	Machines, SeenDay, SeenWeek, Failing, Running int

	Secrets *int
	Groups  []struct {
		Name     string
		Machines int
	}
	RunsByDay []struct {
		Day                        string
		Succeeded, Failed, Running int
	}
}

// Quiet is how many were not seen for a week. It is for templates.
func (f fleet) Quiet() int { return f.Machines - f.SeenWeek }

// chart is the runs by day: failed ones stand on those that went well.
func (f fleet) chart() chart {
	c := chart{Title: "Runs by day", Series: []string{"succeeded", "failed", "still running"}}
	for _, d := range f.RunsByDay {
		day, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			continue
		}
		c.Bars = append(c.Bars, bar{day, []int{d.Succeeded, d.Failed, d.Running}})
	}
	return c
}

// overviewPage is the first page. Lock is why its reader is shown nothing of the
// fleet: the rest of the portal may be theirs all the same.
type overviewPage struct {
	Lock    lock
	Fleet   fleet
	Chart   chart
	Failing []run
	Key     bool // the tenant has one
	Weak    bool // and it is shorter than new ones may be
	SetKey  lock
	Token   lock
	Tokens  int    // how many there are, while there is no machine
	First   string // a line that reports a first run
	Counted bool   // the reader is told how many secrets there are
	Secrets int
}

func overview(v *visit) (request.Reply, error) {
	page := overviewPage{Lock: lock{OK: true}}
	err := v.ask("GET", "/v1/fleet?"+url.Values{"days": {"14"}, "zone": {v.zone.String()}}.Encode(), nil, &page.Fleet)
	var no *refusal
	switch {
	case errors.As(err, &no) && no.Unknown: // no fleet here: what is there comes first
		for _, g := range v.nav() {
			if len(g.Items) > 0 {
				return v.done(g.Items[0].Href, "")
			}
		}
		return request.Reply{}, err
	case errors.As(err, &no) && no.Fault.Kind == fault.Forbidden && !no.Factor:
		if page.Lock = (lock{Why: v.why(no.Refused)}); no.Fault.Code == "no_users_row" {
			page.Lock.Why = "You are not among the users of this tenant. Somebody who may change users can add you."
		}
		return v.show("overview", "Overview", page)
	case err != nil:
		return request.Reply{}, err
	}
	var keys struct {
		Keys []struct{ Current, Weak bool }
	}
	if err := v.ask("GET", "/v1/tenant/key?wrappings=false", nil, &keys); err != nil {
		return request.Reply{}, err
	}
	for _, k := range keys.Keys {
		page.Key = true
		page.Weak = page.Weak || k.Current && k.Weak
	}
	var failing struct{ Data []run }
	if err := v.ask("GET", "/v1/runs?last=true&status=failed&limit=5", nil, &failing); err != nil {
		return request.Reply{}, err
	}
	if page.Counted = page.Fleet.Secrets != nil; page.Counted {
		page.Secrets = *page.Fleet.Secrets
	}
	page.Failing, page.Chart = failing.Data, page.Fleet.chart()
	page.SetKey, page.Token = v.may("POST", "/v1/tenant/key"), v.may("POST", "/tenant/machine-tokens")
	page.First = v.firstReport()
	if page.Fleet.Machines == 0 && page.Token.OK {
		var tokens struct{ Pagination pagination }
		if err := v.ask("GET", "/tenant/machine-tokens?limit=1", nil, &tokens); err == nil {
			page.Tokens = tokens.Pagination.Total
		}
	}
	return v.show("overview", "Overview", page)
}

// firstReport is a line for a shell that reports a run of the machine at hand.
func (v *visit) firstReport() string {
	origin := v.s.escrow
	if origin == "" {
		origin = v.c.View.Origin()
	}
	return `curl -sS '` + strings.ReplaceAll(origin, "'", "") + `/v1/report' -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' ` +
		`-d '{"machine":"'"$(hostname)"'","run":{"id":"first","status":"succeeded"}}'`
}

// whole writes a number as people read it: 12,345.
func whole(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Number is for templates: {{.Data.Number .Data.Fleet.Machines}}.
func (overviewPage) Number(n int) string { return whole(n) }
