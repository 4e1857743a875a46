package escrow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	maxRunID        = 128
	maxPhases       = 500
	maxPhaseName    = 200
	maxPhaseMessage = 8000
	maxExtra        = 64 << 10
)

// Report is what a machine says of a run.
type Report struct {
	Machine MachineRef
	Run     Run
	digest  string
	raw     string
}

// size is what is kept of a report, in bytes: the whole, and its phases in the run.
func (r *Report) size() int { return len(r.raw) + len(r.Run.Phases) }

// members takes members of an object apart: what is read is removed, what is left
// is further fields.
type members map[string]json.RawMessage

// text takes a member that is a text; "" where it is absent or null.
func (m members) text(f *input.Fields, at, name string) (s string) {
	if raw, there := m[name]; there && string(raw) != "null" && json.Unmarshal(raw, &s) != nil {
		f.Add(at+name, "must be a string")
	}
	delete(m, name)
	return s
}

// time takes a member that is a time; zero where it is absent or null.
func (m members) time(f *input.Fields, at, name string) time.Time {
	text := m.text(f, at, name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1971 || t.Year() > 9998 {
		f.Add(at+name, "must be a time like 2026-11-21T12:00:05Z")
	}
	return t.UTC().Truncate(time.Millisecond)
}

// ReadReport reads {machine, run: {id, status, startedAt?, finishedAt?, phases?}}.
func ReadReport(body []byte) (Report, error) {
	all, err := input.Members(body)
	if err != nil {
		return Report{}, err
	}
	var r Report
	if r.Machine, err = readMachine(all["machine"]); err != nil {
		return Report{}, err
	}
	run, err := input.Members(all["run"])
	if err != nil || all["run"] == nil {
		return Report{}, input.Invalid("run", "is required: {id, status, startedAt?, finishedAt?, phases?}")
	}
	var f input.Fields
	m := members(run)
	r.Run.ID, r.Run.Status = m.text(&f, "run.", "id"), status(m.text(&f, "run.", "status"))
	r.Run.StartedAt, r.Run.FinishedAt = m.time(&f, "run.", "startedAt"), m.time(&f, "run.", "finishedAt")
	if !visible(r.Run.ID, maxRunID) {
		f.Add("run.id", "is required: 1 to 128 visible ASCII characters")
	}
	if r.Run.Status != Running && r.Run.Status != Succeeded && r.Run.Status != Failed {
		f.Add("run.status", "must be running, succeeded or failed")
	}
	phases := m["phases"]
	delete(m, "phases")
	r.Run.Phases = readPhases(&f, phases)
	if err := f.Err(); err != nil {
		return Report{}, err
	}
	delete(all, "machine")
	delete(all, "run")
	return r, r.keep(all, m)
}

// status reads the older word for one.
func status(s string) string {
	if s == "passed" {
		return Succeeded
	}
	return s
}

func readPhases(f *input.Fields, raw json.RawMessage) json.RawMessage {
	var list []map[string]json.RawMessage
	if len(raw) > 0 && string(raw) != "null" && json.Unmarshal(raw, &list) != nil || len(list) > maxPhases {
		f.Add("run.phases", fmt.Sprintf("must be a list of at most %d {name, status, message?}", maxPhases))
		return nil
	}
	phases := make([]Phase, 0, len(list))
	for i := range list {
		m, place := members(list[i]), fmt.Sprintf("run.phases[%d].", i)
		p := Phase{Name: m.text(f, place, "name"), Status: status(m.text(f, place, "status")), Message: m.text(f, place, "message")}
		if !line(p.Name, 1, maxPhaseName) {
			f.Add(place+"name", fmt.Sprintf("is required: one line of at most %d characters", maxPhaseName))
		}
		if !line(p.Status, 1, 32) {
			f.Add(place+"status", "is required: running, succeeded, failed, or another word of at most 32 characters")
		}
		if len(p.Message) > maxPhaseMessage || !storable(p.Message) {
			f.Add(place+"message", fmt.Sprintf("must be a text of at most %d bytes", maxPhaseMessage))
		}
		if len(m) > 0 {
			p.Extra = map[string]any{}
			for k, v := range m {
				p.Extra[k] = v
			}
		}
		phases = append(phases, p)
	}
	out, err := json.Marshal(phases)
	if err != nil {
		f.Add("run.phases", "must be JSON that can be kept")
	}
	return out
}

// keep puts the further fields together, and the digest of the whole.
func (r *Report) keep(top, run map[string]json.RawMessage) error {
	extra := map[string]any{}
	for k, v := range top {
		extra[k] = v
	}
	for name, more := range map[string]map[string]json.RawMessage{"run": run, "machine": r.Machine.extra} {
		if len(more) > 0 {
			extra[name] = maps.Clone(more)
		}
	}
	var err error
	if r.Run.Extra, err = json.Marshal(extra); err != nil {
		return input.Invalid("extra", "must be JSON that can be kept")
	}
	if len(r.Run.Extra) > maxExtra {
		return ErrExtraTooLong
	}
	raw, err := json.Marshal(struct {
		Status     string          `json:"status"`
		StartedAt  int64           `json:"startedAt"`
		FinishedAt int64           `json:"finishedAt"`
		Phases     json.RawMessage `json:"phases"`
		Extra      json.RawMessage `json:"extra"`
	}{r.Run.Status, ms(r.Run.StartedAt), ms(r.Run.FinishedAt), r.Run.Phases, r.Run.Extra})
	if err != nil {
		return input.Invalid("run", "must be JSON that can be kept")
	}
	r.raw, r.digest = string(raw), digest("report", string(raw))
	return nil
}

// storable reports whether both engines can hold a text.
func storable(s string) bool { return !bytes.ContainsRune([]byte(s), 0) }

// Report takes what a machine says of a run. made is false where the run was
// there: then what it says is kept beside what was said before, and a run that
// was still going ends. One that has ended stays as it ended.
func (s *Service) Report(ctx context.Context, by By, r Report) (run Run, made bool, err error) {
	err = s.turn(ctx, by.Tenant, func(tx *store.Tx) error {
		m, err := s.seen(tx, by, r.Machine)
		if err != nil {
			return err
		}
		now := s.now()
		run, err = selectRun(tx, by.Tenant, m.ID, r.Run.ID)
		switch {
		case errors.Is(err, ErrNotFound):
			made = true
			run, err = s.newRun(tx, by, m, r, now)
		case err == nil:
			made = false
			err = s.moreOf(tx, by, run, r, now)
		}
		return err
	})
	return run, made, err
}

func (s *Service) newRun(tx *store.Tx, by By, m Machine, r Report, now time.Time) (Run, error) {
	n, err := count(tx, `SELECT COUNT(*) FROM machine_runs WHERE tenant_id = $1 AND machine_id = $2`, by.Tenant, m.ID)
	if err != nil {
		return Run{}, err
	}
	if n >= mostRuns {
		return Run{}, ErrFull
	}
	run := r.Run
	run.Machine, run.Reports, run.CreatedAt, run.UpdatedAt = m.ID, 1, now, now
	if err := spend(tx, by, r.size(), now); err != nil {
		return Run{}, err
	}
	if err := insertRun(tx, by.Tenant, run); err != nil {
		return Run{}, err
	}
	return run, insertReport(tx, by.Tenant, run, r, now)
}

// moreOf takes a further report of a run.
func (s *Service) moreOf(tx *store.Tx, by By, was Run, r Report, now time.Time) error {
	n, err := count(tx, `SELECT COUNT(*) FROM machine_reports WHERE tenant_id = $1 AND machine_id = $2 AND run_id = $3 AND digest = $4`, by.Tenant, was.Machine, was.ID, r.digest)
	switch {
	case err != nil || n > 0: // the same again
		return err
	case was.Reports >= mostReports:
		return ErrFull
	}
	if err := spend(tx, by, r.size(), now); err != nil {
		return err
	}
	if err := insertReport(tx, by.Tenant, was, r, now); err != nil {
		return err
	}
	next := was
	if was.Status == Running {
		next = r.Run
		next.Machine = was.Machine
		if next.StartedAt.IsZero() {
			next.StartedAt = was.StartedAt
		}
	}
	next.Reports, next.UpdatedAt = was.Reports+1, now
	return updateRun(tx, by.Tenant, next)
}
