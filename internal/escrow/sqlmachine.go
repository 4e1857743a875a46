package escrow

import (
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

const machineColumns = `m.id, m.serial, m.hostname, m.group_name, m.last_hostname, m.last_run, m.created_at, m.seen_at`

func scanMachine(row store.Row) (m Machine, err error) {
	var created, seen int64
	err = row.Scan(&m.ID, &m.Serial, &m.Hostname, &m.Group, &m.LastHostname, &m.LastRun, &created, &seen)
	m.CreatedAt, m.SeenAt = at(created), at(seen)
	return m, err
}

func machineBy(tx *store.Tx, which string, tenantID string, args ...any) (Machine, error) {
	m, err := scanMachine(tx.Row(`SELECT `+machineColumns+` FROM machines m WHERE m.tenant_id = $1 AND `+which+` ORDER BY m.seen_at DESC, m.id LIMIT 1`,
		append([]any{tenantID}, args...)...))
	if errors.Is(err, store.ErrNone) {
		return Machine{}, errNoMachine
	}
	return m, err
}

func insertMachine(tx *store.Tx, tenantID string, m Machine) error {
	_, err := tx.Exec(`INSERT INTO machines (tenant_id, id, serial, hostname, hostname_folded, group_name, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		tenantID, m.ID, m.Serial, m.Hostname, foldHost(m.Hostname), m.Group, ms(m.CreatedAt), ms(m.SeenAt))
	return err
}

// markMachine writes what was last said, and a serial where there was none.
func markMachine(tx *store.Tx, tenantID string, m Machine) error {
	_, err := tx.Exec(`UPDATE machines SET serial = CASE WHEN serial = '' THEN $1 ELSE serial END, group_name = $2, last_hostname = $3, seen_at = $4 WHERE tenant_id = $5 AND id = $6`,
		m.Serial, m.Group, m.LastHostname, ms(m.SeenAt), tenantID, m.ID)
	return err
}

// nameMachine keeps the hostname that was last said, beside those before it. One
// that there is no room for is not kept, and nothing is taken that is sealed by it.
func nameMachine(tx *store.Tx, tenantID string, m Machine, now time.Time) error {
	n, err := count(tx, `SELECT COUNT(*) FROM machine_names WHERE tenant_id = $1 AND machine_id = $2 AND folded <> $3`, tenantID, m.ID, foldHost(m.LastHostname))
	if err != nil || n >= mostNames {
		return err
	}
	_, err = tx.Exec(`INSERT INTO machine_names (tenant_id, machine_id, name, folded, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, machine_id, folded) DO NOTHING`,
		tenantID, m.ID, m.LastHostname, foldHost(m.LastHostname), ms(now))
	return err
}

// namesOf lists the hostnames that a machine has had besides its first.
func namesOf(tx *store.Tx, tenantID, machine string) ([]string, error) {
	return store.List(tx, func(r store.Row) (s string, err error) { return s, r.Scan(&s) },
		`SELECT name FROM machine_names WHERE tenant_id = $1 AND machine_id = $2 ORDER BY created_at, folded`, tenantID, machine)
}

func count(tx *store.Tx, query string, args ...any) (n int, err error) {
	err = tx.Row(query, args...).Scan(&n)
	return n, err
}

// machineRow is a machine with its last run.
type machineRow struct {
	Machine
	status  string // of the last run; "": none
	run     Run
	secrets *int // how many it has handed over; nil: not counted
}

// machineRows are machines of some places with their last runs.
func machineRows(places string) string {
	return `SELECT ` + machineColumns + `, COALESCE(r.status, ''), COALESCE(r.started_at, 0), COALESCE(r.finished_at, 0), COALESCE(r.updated_at, 0)
		FROM (SELECT * FROM machines m ` + places + `) m LEFT JOIN machine_runs r ON r.tenant_id = m.tenant_id AND r.machine_id = m.id AND r.id = m.last_run`
}

func scanMachineRow(row store.Row) (m machineRow, err error) {
	var created, seen, started, finished, updated int64
	err = row.Scan(&m.ID, &m.Serial, &m.Hostname, &m.Group, &m.LastHostname, &m.LastRun, &created, &seen, &m.status, &started, &finished, &updated)
	m.CreatedAt, m.SeenAt = at(created), at(seen)
	m.run = Run{Machine: m.ID, ID: m.LastRun, Status: m.status, StartedAt: at(started), FinishedAt: at(finished), UpdatedAt: at(updated)}
	return m, err
}

// machineFilter narrows a list of machines by what is not its zero value.
type machineFilter struct {
	search, group string
	status        string    // of the last run; noRun: none yet
	since, until  time.Time // when it was last seen
	secrets       bool      // count them
}

// noRun is the state of machines that have reported no run yet.
const noRun = "none"

// listMachines reads a page, the one seen last first.
func listMachines(tx *store.Tx, tenantID string, f machineFilter, p input.Page) (list []machineRow, total int, err error) {
	w := only(`m.tenant_id = ?`, tenantID)
	w.text("m.group_name", f.group)
	if f.status == noRun {
		w.and(`m.last_status = ''`)
	} else {
		w.text("m.last_status", f.status)
	}
	if !f.since.IsZero() {
		w.and(`m.seen_at >= ?`, ms(f.since))
	}
	if !f.until.IsZero() {
		w.and(`m.seen_at < ?`, ms(f.until))
	}
	if s := f.search; s != "" {
		pattern := like(foldHost(s))
		w.and(`(m.hostname_folded LIKE ? ESCAPE '!' OR m.serial = ? OR m.id = ? OR m.group_name = ?
			OR EXISTS (SELECT 1 FROM machine_names n WHERE n.tenant_id = m.tenant_id AND n.machine_id = m.id AND n.folded LIKE ? ESCAPE '!'))`, pattern, s, s, s, pattern)
	}
	if total, err = count(tx, `SELECT COUNT(*) FROM machines m`+w.String(), w.args...); err != nil {
		return nil, 0, err
	}
	const order = ` ORDER BY m.seen_at DESC, m.id`
	if list, err = store.List(tx, scanMachineRow, machineRows(w.String()+order+w.page(p))+order, w.args...); err != nil || !f.secrets {
		return list, total, err
	}
	for i := range list {
		if err := list[i].countSecrets(tx, tenantID); err != nil {
			return nil, 0, err
		}
	}
	return list, total, nil
}

func (m *machineRow) countSecrets(tx *store.Tx, tenantID string) error {
	n, err := count(tx, `SELECT COUNT(*) FROM escrow_secrets WHERE tenant_id = $1 AND machine_id = $2`, tenantID, m.ID)
	m.secrets = &n
	return err
}

func machineRowOf(tx *store.Tx, tenantID, id string) (machineRow, error) {
	m, err := scanMachineRow(tx.Row(machineRows(`WHERE m.tenant_id = $1 AND m.id = $2`), tenantID, id))
	switch {
	case errors.Is(err, store.ErrNone):
		return m, ErrNotFound
	case err != nil:
		return m, err
	}
	m.Names, err = namesOf(tx, tenantID, id)
	return m, err
}
