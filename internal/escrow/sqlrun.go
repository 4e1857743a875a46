package escrow

import (
	"encoding/json"
	"errors"
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
	hostname string
}

// listRuns reads a page, the newest first; machine and status narrow it unless
// they are "".
func listRuns(tx *store.Tx, tenantID, machine, status string, p input.Page) (list []runRow, total int, err error) {
	const where = `WHERE r.tenant_id = $1 AND ($2 = '' OR r.machine_id = $2) AND ($3 = '' OR r.status = $3)`
	if total, err = count(tx, `SELECT COUNT(*) FROM machine_runs r `+where, tenantID, machine, status); err != nil {
		return nil, 0, err
	}
	list, err = store.List(tx, func(row store.Row) (r runRow, err error) {
		r.Run, err = scanRun(oneMore{row, &r.hostname})
		return r, err
	}, `SELECT `+runColumns+`, m.hostname FROM machine_runs r JOIN machines m ON m.tenant_id = r.tenant_id AND m.id = r.machine_id `+where+
		` ORDER BY r.created_at DESC, r.machine_id, r.id LIMIT $4 OFFSET $5`, tenantID, machine, status, p.Limit, p.Offset)
	return list, total, err
}

// oneMore scans one column more than a scan function knows of.
type oneMore struct {
	row  store.Row
	more *string
}

// Scan implements store.Row.
func (o oneMore) Scan(into ...any) error { return o.row.Scan(append(into, o.more)...) }
