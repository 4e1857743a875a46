package audit

import (
	"maps"
	"slices"

	"github.com/portreeve/portreeve/internal/store"
)

const (
	// mostPending is how many events one transaction gathers before they are written.
	mostPending = 512
	// mostAtOnce is how many rows one statement inserts, else one: two texts of a
	// statement are all that a driver has to remember.
	mostAtOnce = 32
)

// pendingKey is what the events of a transaction are kept under.
type pendingKey struct{ log *Log }

// pending are the events of a transaction that are not written yet.
type pending struct {
	rows  map[string][]row // by chain
	count int
	late  bool // the last step has run: write at once
}

// Append adds an event in the caller's transaction: with it it is durable,
// without it it never was. The row itself is written just before the commit, so
// that a chain is locked for as short as can be, and the chains of one
// transaction are taken in one order: writers of several never wait for each
// other in a circle.
func (l *Log) Append(tx *store.Tx, e Event) error {
	e, err := e.clean()
	if err != nil {
		return err
	}
	r, err := newRow(e, l.keyID)
	if err != nil {
		return err
	}
	r.at = tx.Now().UnixMilli()
	key := pendingKey{l}
	p, _ := tx.Keep(key, func() any { return &pending{rows: map[string][]row{}} }).(*pending)
	p.rows[r.tenant] = append(p.rows[r.tenant], r)
	if p.count++; p.late || p.count >= mostPending {
		return l.write(tx, p)
	}
	tx.Last(key, func(tx *store.Tx) error {
		p.late = true
		return l.write(tx, p)
	})
	return nil
}

// write stores what is pending, chain by chain.
func (l *Log) write(tx *store.Tx, p *pending) error {
	if p.count == 0 {
		return nil
	}
	if err := l.keepKey(tx); err != nil {
		return err
	}
	for _, tenant := range slices.Sorted(maps.Keys(p.rows)) {
		if err := l.extend(tx, tenant, p.rows[tenant]); err != nil {
			return err
		}
	}
	clear(p.rows)
	p.count = 0
	return nil
}

// extend adds rows to one chain. The first statement takes the numbers and the
// lock on the chain, the last lets the next writer see the new end.
func (l *Log) extend(tx *store.Tx, tenant string, rows []row) error {
	var n int64
	var before []byte
	err := tx.Row(`INSERT INTO audit_heads (tenant_id, n, at, hash) VALUES ($1, $2, 0, $3)
		ON CONFLICT (tenant_id) DO UPDATE SET n = audit_heads.n + excluded.n RETURNING n, hash`,
		tenant, int64(len(rows)), []byte{}).Scan(&n, &before)
	if err != nil {
		return err
	}
	n -= int64(len(rows))
	for i := range rows {
		n++
		rows[i].n = n
		rows[i].hash = rows[i].sum(l.first.rows, before)
		before = rows[i].hash
	}
	if err := insert(tx, rows); err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE audit_heads SET at = $2, hash = $3 WHERE tenant_id = $1`, tenant, rows[len(rows)-1].at, before)
	return err
}

const (
	eventColumns = `tenant_id, n, id, at, action, target, result, decision, request, actor_kind, actor_provider, actor_issuer, actor_id, actor_user, detail, actor_mark, target_mark, key_id, hash`
	eventWidth   = 19
	peopleWidth  = 7
	insertEvents = `INSERT INTO audit_events (` + eventColumns + `) VALUES `
	insertPeople = `INSERT INTO audit_people (tenant_id, n, part, salt, email, email_folded, ip) VALUES `
)

func insert(tx *store.Tx, rows []row) error {
	var events, people []any
	for i := range rows {
		r := &rows[i]
		events = append(events, r.tenant, r.n, r.id, r.at, r.action, r.target, r.result, r.decision, r.request,
			r.actorKind, r.provider, r.issuer, r.actorID, r.actorUser, r.detail, r.actorMark, r.targetMark, r.keyID, r.hash)
		people = r.actor.args(people, r, partActor)
		people = r.targetPerson.args(people, r, partTarget)
	}
	if err := insertAll(tx, insertEvents, eventWidth, events); err != nil {
		return err
	}
	return insertAll(tx, insertPeople, peopleWidth, people)
}

func (p person) args(to []any, r *row, part string) []any {
	if !p.there {
		return to
	}
	return append(to, r.tenant, r.n, part, p.salt, p.email, p.folded, p.ip)
}

// insertAll inserts many rows by few statements of two lengths.
func insertAll(tx *store.Tx, insert string, width int, args []any) error {
	for len(args) > 0 {
		rows := 1
		if len(args) >= mostAtOnce*width {
			rows = mostAtOnce
		}
		if _, err := tx.Exec(insert+tx.Places(rows, width), args[:rows*width]...); err != nil {
			return err
		}
		args = args[rows*width:]
	}
	return nil
}
