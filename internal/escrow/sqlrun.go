package escrow

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

const runColumns = `r.machine_id, r.id, r.status, r.started_at, r.finished_at, r.phases, r.extra, r.reports, r.created_at, r.updated_at`

func scanRun(row store.Row) (r Run, err error) {
	var phases, extra string
	var started, finished, created, updated int64
	err = row.Scan(&r.Machine, &r.ID, &r.Status, &started, &finished, &phases, &extra, &r.Reports, &created, &updated)
	r.StartedAt, r.FinishedAt, r.CreatedAt, r.UpdatedAt = at(started), at(finished), at(created), at(updated)
	r.Phases, r.Extra = json.RawMessage(phases), json.RawMessage(extra)
	return r, err
}

func selectRun(tx *store.Tx, tenantID, machine, id string) (Run, error) {
	r, err := scanRun(tx.Row(`SELECT `+runColumns+` FROM machine_runs r WHERE r.tenant_id = $1 AND r.machine_id = $2 AND r.id = $3`, tenantID, machine, id))
	if errors.Is(err, store.ErrNone) {
		return Run{}, ErrNotFound
	}
	return r, err
}

// insertRun writes a run, and that it is its machine's last. How the last one stands,
// by which a fleet is counted, follows by triggers (0021): nodes of an older release
// write runs as well.
func insertRun(tx *store.Tx, tenantID string, r Run) error {
	if _, err := tx.Exec(`INSERT INTO machine_runs (tenant_id, machine_id, id, status, started_at, finished_at, phases, extra, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, tenantID, r.Machine, r.ID, r.Status, ms(r.StartedAt), ms(r.FinishedAt), string(r.Phases), string(r.Extra),
		ms(r.CreatedAt), ms(r.UpdatedAt)); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE machines SET last_run = $1 WHERE tenant_id = $2 AND id = $3`, r.ID, tenantID, r.Machine)
	return err
}

func insertReport(tx *store.Tx, tenantID string, run Run, r Report, now time.Time) error {
	_, err := tx.Exec(`INSERT INTO machine_reports (tenant_id, machine_id, run_id, digest, report, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		tenantID, run.Machine, run.ID, r.digest, r.raw, ms(now))
	return err
}

func updateRun(tx *store.Tx, tenantID string, r Run) error {
	_, err := tx.Exec(`UPDATE machine_runs SET status = $1, started_at = $2, finished_at = $3, phases = $4, extra = $5, reports = $6, updated_at = $7
		WHERE tenant_id = $8 AND machine_id = $9 AND id = $10`, r.Status, ms(r.StartedAt), ms(r.FinishedAt), string(r.Phases), string(r.Extra), r.Reports, ms(r.UpdatedAt),
		tenantID, r.Machine, r.ID)
	return err
}

// runRow is a run with its machine's hostname.
type runRow struct {
	Run
	hostname, lastHostname string
}

// runFilter narrows a list of runs by what is not its zero value.
type runFilter struct {
	machine, id, status string
	search              string // in the names of machines
	last                bool   // of each machine the last one
	worst               bool   // failed ones first, then those that are going on
	brief               bool   // without phases and further fields
}

// listRuns reads a page, the newest first. "failed", "running", "succeeded" stand
// in that order in the alphabet too, so that an index serves. Rows may be long:
// which ones stand on the page is found out without reading any.
func listRuns(tx *store.Tx, tenantID string, f runFilter, p input.Page) (list []runRow, total int, err error) {
	w, from, worst, newest := only(`r.tenant_id = ?`, tenantID), `SELECT r.machine_id, r.id, r.status, r.created_at FROM machine_runs r`, `r.status, `, `r.created_at DESC, r.machine_id, r.id`
	machine, id, status := "r.machine_id", "r.id", "r.status"
	if f.last {
		w, from, worst, newest = only(`m.tenant_id = ? AND m.last_run <> ''`, tenantID), `SELECT m.id AS machine_id, m.last_run AS id, m.last_status AS status, m.last_run_at AS created_at FROM machines m`,
			`m.last_status, `, `m.last_run_at DESC, m.id`
		machine, id, status = "m.id", "m.last_run", "m.last_status"
	}
	w.text(machine, f.machine)
	w.text(id, f.id)
	w.text(status, f.status)
	if f.search != "" {
		pattern := like(foldHost(f.search))
		w.and(machine+` IN (SELECT n.id FROM machines n WHERE n.tenant_id = ? AND n.hostname_folded LIKE ? ESCAPE '!'
			UNION SELECT n.machine_id FROM machine_names n WHERE n.tenant_id = ? AND n.folded LIKE ? ESCAPE '!')`, tenantID, pattern, tenantID, pattern)
	}
	if total, err = count(tx, `SELECT COUNT(*) FROM (`+from+w.String()+`) k`, w.args...); err != nil || total == 0 {
		return nil, total, err
	}
	order, columns, outer := newest, runColumns, `k.created_at DESC, k.machine_id, k.id`
	if f.worst {
		order, outer = worst+order, `k.status, `+outer
	}
	if f.brief {
		columns = strings.Replace(columns, `r.phases, r.extra`, `'', ''`, 1)
	}
	query := `SELECT ` + columns + `, m.hostname, m.last_hostname FROM (` + from + w.String() + ` ORDER BY ` + order + w.page(p) + `) k
		JOIN machine_runs r ON r.tenant_id = ` + w.arg(tenantID) + ` AND r.machine_id = k.machine_id AND r.id = k.id
		JOIN machines m ON m.tenant_id = r.tenant_id AND m.id = r.machine_id ORDER BY ` + outer
	list, err = store.List(tx, func(row store.Row) (r runRow, err error) {
		r.Run, err = scanRun(more{row, []any{&r.hostname, &r.lastHostname}})
		return r, err
	}, query, w.args...)
	return list, total, err
}

// more scans columns more than a scan function knows of.
type more struct {
	row  store.Row
	into []any
}

// Scan implements store.Row.
func (m more) Scan(into ...any) error { return m.row.Scan(append(into, m.into...)...) }
