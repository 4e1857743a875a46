package portal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// run is one as /v1/runs shows it.
type run struct {
	ID, MachineID, Hostname, LastHostname, Status string

	StartedAt  *time.Time
	FinishedAt *time.Time
	CreatedAt  *time.Time
	UpdatedAt  *time.Time
	Phases     []phase
	Extra      json.RawMessage
	Reports    int
}

// phase is a part of a run.
type phase struct {
	Name, Status, Message string

	Extra map[string]json.RawMessage
}

// Machine is what its machine calls itself now.
func (r run) Machine() string { return cmp.Or(r.LastHostname, r.Hostname) }

// State is how it stands.
func (r run) State() badgePart { return runState(r.Status) }

// Began is when it did, as far as anybody said; else when it was first reported.
func (r run) Began() *time.Time {
	if r.StartedAt != nil {
		return r.StartedAt
	}
	return r.CreatedAt
}

// Took is how long it took, "" where nobody said.
func (r run) Took() string {
	if r.StartedAt == nil || r.FinishedAt == nil {
		return ""
	}
	return lasted(r.FinishedAt.Sub(*r.StartedAt))
}

// Stuck is the phase that failed, or nil.
func (r run) Stuck() *phase {
	for i := range r.Phases {
		if r.Phases[i].Status == "failed" {
			return &r.Phases[i]
		}
	}
	return nil
}

// More are the fields of a report that mean nothing to anybody here.
func (r run) More() string {
	var b bytes.Buffer
	if len(r.Extra) == 0 || string(r.Extra) == "{}" || deep(r.Extra) || json.Indent(&b, r.Extra, "", "  ") != nil {
		if s := string(r.Extra); s != "{}" {
			return s
		}
		return ""
	}
	return b.String()
}

func runState(status string) badgePart {
	switch status {
	case "succeeded":
		return badgePart{"ok", status}
	case "failed":
		return badgePart{"stop", status}
	case "running":
		return badgePart{"info", status}
	}
	return badgePart{"off", status}
}

// State is how the phase stands.
func (p phase) State() badgePart { return runState(p.Status) }

// Failed reports whether it did.
func (p phase) Failed() bool { return p.Status == "failed" }

// Lines is how many lines of output there are.
func (p phase) Lines() int {
	s := strings.TrimRight(p.Message, "\n")
	if s == "" {
		return 0
	}
	return strings.Count(s, "\n") + 1
}

// First is the first line of what it put out.
func (p phase) First() string {
	s, _, _ := strings.Cut(strings.TrimSpace(p.Message), "\n")
	return short(s, 160)
}

// Took is how long it took, where the machine said: a phase has no field for that,
// so that engines send durationMs, or startedAt and finishedAt, beside the others.
func (p phase) Took() string {
	for name, unit := range map[string]time.Duration{"durationMs": time.Millisecond, "durationSeconds": time.Second} {
		var n float64
		if raw, ok := p.Extra[name]; ok && json.Unmarshal(raw, &n) == nil && n >= 0 && n < 1e12 {
			return lasted(time.Duration(n * float64(unit)))
		}
	}
	var began, ended time.Time
	if json.Unmarshal(p.Extra["startedAt"], &began) == nil && json.Unmarshal(p.Extra["finishedAt"], &ended) == nil {
		return lasted(ended.Sub(began))
	}
	return ""
}

// lasted is a length of time as people say it.
func lasted(d time.Duration) string {
	n := func(d, unit time.Duration) string { return strconv.Itoa(int(d / unit)) }
	switch {
	case d < 0:
		return ""
	case d < time.Second:
		return n(d, time.Millisecond) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Hour:
		return n(d, time.Minute) + " min " + n(d%time.Minute, time.Second) + " s"
	}
	return n(d, time.Hour) + " h " + n(d%time.Hour, time.Minute) + " min"
}

type runsPage struct {
	Runs                         []run
	Pager                        pager
	Search, Status, Which, Order string
	States, Whiches, Orders      []option
	Filtered                     bool
}

func listRuns(v *visit) (request.Reply, error) {
	page := runsPage{Search: v.query("search"), Status: v.query("status"), Which: v.query("which"), Order: v.query("order"), States: runChoices,
		Whiches: []option{{"", "Each machine's last"}, {"all", "Every run"}}, Orders: []option{{"", "Failed first"}, {"newest", "Newest first"}}}
	q := v.kept([]string{"search", "status"})
	q.Set("detail", "false")
	if page.Which != "all" {
		q.Set("last", "true")
	}
	if page.Order != "newest" {
		q.Set("order", "worst")
	}
	var list listOf[run]
	if err := v.ask("GET", v.target("/v1/runs")+"&"+q.Encode(), nil, &list); err != nil {
		return request.Reply{}, err
	}
	filters := []string{"search", "status", "which", "order"}
	page.Runs, page.Pager, page.Filtered = list.Data, v.pager(list.Pagination, len(list.Data), filters...), len(v.kept(filters[:2])) > 0
	return v.show("runs", "Runs", page)
}
