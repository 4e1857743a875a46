package portal

import (
	"cmp"
	"net/url"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// machine is one as /v1/machines shows it.
type machine struct {
	ID, Serial, Hostname, LastHostname, Group string

	Hostnames  []string
	CreatedAt  *time.Time
	LastSeenAt *time.Time
	Secrets    *int
	LastRun    *struct {
		ID, Status string
		UpdatedAt  *time.Time
	}
}

// Name is what it calls itself now.
func (m machine) Name() string { return cmp.Or(m.LastHostname, m.Hostname) }

// Before are the names that it had before.
func (m machine) Before() (out []string) {
	for _, n := range append([]string{m.Hostname}, m.Hostnames...) {
		if n != m.Name() {
			out = append(out, n)
		}
	}
	return out
}

// State is how its last run stands.
func (m machine) State() badgePart {
	if m.LastRun == nil {
		return badgePart{"off", "no run yet"}
	}
	return runState(m.LastRun.Status)
}

// seenChoices are the choices of when a machine was last seen.
var seenChoices = []option{{"", "At any time"}, {"day", "In the last 24 hours"}, {"week", "In the last 7 days"}, {"quiet", "Not for 7 days"}}

// option is one of a select.
type option struct{ Value, Label string }

var runChoices = []option{{"", "Any"}, {"failed", "Failed"}, {"running", "Running"}, {"succeeded", "Succeeded"}}

type machinesPage struct {
	Machines      []machine
	Pager         pager
	Counted       bool // the reader is told how many secrets there are
	Groups        []string
	Search        string
	Group, Status string
	Seen          string
	States        []option
	Times         []option
	Filtered      bool
}

func listMachines(v *visit) (request.Reply, error) {
	page := machinesPage{Search: v.query("search"), Group: v.query("group"), Status: v.query("status"), Seen: v.query("seen"),
		States: append(runChoices[:len(runChoices):len(runChoices)], option{"none", "No run yet"}), Times: seenChoices}
	filters := []string{"search", "group", "status", "seen"}
	q := v.kept(filters[:3])
	q.Set("limit", strconv.Itoa(rows))
	if n := v.offset(); n > 0 {
		q.Set("offset", strconv.Itoa(n))
	}
	now := v.c.Now.UTC()
	switch page.Seen {
	case "day":
		q.Set("seenSince", now.Add(-24*time.Hour).Format(time.RFC3339))
	case "week":
		q.Set("seenSince", now.AddDate(0, 0, -7).Format(time.RFC3339))
	case "quiet":
		q.Set("seenBefore", now.AddDate(0, 0, -7).Format(time.RFC3339))
	}
	var list listOf[machine]
	if err := v.ask("GET", "/v1/machines?"+q.Encode(), nil, &list); err != nil {
		return request.Reply{}, err
	}
	var f fleet
	if err := v.ask("GET", "/v1/fleet?days=0", nil, &f); err != nil {
		return request.Reply{}, err
	}
	known := page.Group == ""
	for _, g := range f.Groups {
		page.Groups = append(page.Groups, g.Name)
		known = known || g.Name == page.Group
	}
	if !known { // one of the smaller groups, or none
		page.Groups = append(page.Groups, page.Group)
	}
	page.Machines, page.Pager, page.Counted = list.Data, v.pager(list.Pagination, len(list.Data), filters...), f.Secrets != nil
	page.Filtered = len(v.kept(filters)) > 0
	return v.show("machines", "Machines", page)
}

type machinePage struct {
	Machine machine
	Run     *run // that is shown whole
	Chosen  bool // it was asked for, and is not just the last one
	Runs    []run
	Pager   pager
	Secrets secretList
}

func showMachine(v *visit) (request.Reply, error) {
	var page machinePage
	id := v.param("id")
	if err := v.ask("GET", "/v1/machines/"+segment(id), nil, &page.Machine); err != nil {
		return request.Reply{}, err
	}
	var list listOf[run]
	q := url.Values{"machine": {page.Machine.ID}, "detail": {"false"}}
	if err := v.ask("GET", v.target("/v1/runs")+"&"+q.Encode(), nil, &list); err != nil {
		return request.Reply{}, err
	}
	page.Runs, page.Pager = list.Data, v.pager(list.Pagination, len(list.Data))
	shown := v.query("run")
	if page.Chosen = shown != ""; !page.Chosen && page.Machine.LastRun != nil && v.offset() == 0 {
		shown = page.Machine.LastRun.ID
	}
	if shown != "" {
		q = url.Values{"machine": {page.Machine.ID}, "id": {shown}, "limit": {"1"}}
		var one struct{ Data []run }
		if err := v.ask("GET", "/v1/runs?"+q.Encode(), nil, &one); err != nil {
			return request.Reply{}, err
		}
		if len(one.Data) == 1 {
			page.Run = &one.Data[0]
		}
	}
	if err := v.secretsOf(&page.Secrets, page.Machine, rows, 0); err != nil {
		return request.Reply{}, err
	}
	return v.withReveal(page.Secrets, "machine", page.Machine.Name(), page)
}
