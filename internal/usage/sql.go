package usage

import (
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
)

// sums are whole numbers on both engines: PostgreSQL's SUM of them is no BIGINT
// by itself.
const sums = `CAST(COALESCE(SUM(class1), 0) AS BIGINT), CAST(COALESCE(SUM(class2), 0) AS BIGINT), CAST(COALESCE(SUM(class3), 0) AS BIGINT),
	CAST(COALESCE(SUM(class4), 0) AS BIGINT), CAST(COALESCE(SUM(class5), 0) AS BIGINT), CAST(COALESCE(SUM(bytes), 0) AS BIGINT)`

// add merges what was counted into a line. A tenant that is gone has none.
func add(tx *store.Tx, l line, n Counts) error {
	_, err := tx.Exec(`INSERT INTO usage_hours (tenant_id, key_id, hour, class1, class2, class3, class4, class5, bytes)
		SELECT id, CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT)
		FROM tenants WHERE id = $9
		ON CONFLICT (tenant_id, key_id, hour) DO UPDATE SET class1 = usage_hours.class1 + excluded.class1, class2 = usage_hours.class2 + excluded.class2,
			class3 = usage_hours.class3 + excluded.class3, class4 = usage_hours.class4 + excluded.class4, class5 = usage_hours.class5 + excluded.class5,
			bytes = usage_hours.bytes + excluded.bytes`,
		l.key, l.hour, n.Classes[0], n.Classes[1], n.Classes[2], n.Classes[3], n.Classes[4], n.Bytes, l.tenant)
	return err
}

// total sums a tenant's lines of [from, to).
func total(tx *store.Tx, tenant string, from, to time.Time) (n Counts, err error) {
	err = tx.Row(`SELECT `+sums+` FROM usage_hours WHERE tenant_id = $1 AND hour >= $2 AND hour < $3`, tenant, from.UnixMilli(), to.UnixMilli()).
		Scan(&n.Classes[0], &n.Classes[1], &n.Classes[2], &n.Classes[3], &n.Classes[4], &n.Bytes)
	return n, err
}

// span is the sum of one span of time.
type span struct {
	start int64 // unix milliseconds
	Counts
}

func scanSpan(row store.Row) (s span, err error) {
	err = row.Scan(&s.start, &s.Classes[0], &s.Classes[1], &s.Classes[2], &s.Classes[3], &s.Classes[4], &s.Bytes)
	return s, err
}

// spans sums a tenant's lines of [from, to) by spans of size milliseconds.
func spans(tx *store.Tx, tenant string, from, to time.Time, size int64) ([]span, error) {
	return store.List(tx, scanSpan, `SELECT hour - hour % $1, `+sums+` FROM usage_hours
		WHERE tenant_id = $2 AND hour >= $3 AND hour < $4 GROUP BY 1 ORDER BY 1`, size, tenant, from.UnixMilli(), to.UnixMilli())
}

// spansOfKey is spans of one key.
func spansOfKey(tx *store.Tx, tenant, key string, from, to time.Time, size int64) ([]span, error) {
	return store.List(tx, scanSpan, `SELECT hour - hour % $1, `+sums+` FROM usage_hours
		WHERE tenant_id = $2 AND key_id = $3 AND hour >= $4 AND hour < $5 GROUP BY 1 ORDER BY 1`, size, tenant, key, from.UnixMilli(), to.UnixMilli())
}

// forget removes the lines of all tenants that are older than what is kept. It
// is the one query here over all tenants, and housekeeping's.
func forget(tx *store.Tx, before time.Time) error {
	_, err := tx.Exec(`DELETE FROM usage_hours WHERE hour < $1`, before.UnixMilli())
	return err
}

// exists refuses a tenant that there is not: a caller who may choose one by name
// is not told of nothing where nobody is.
func exists(tx *store.Tx, tenant string) error {
	var id string
	err := tx.Row(`SELECT id FROM tenants WHERE id = $1`, tenant).Scan(&id)
	if errors.Is(err, store.ErrNone) {
		return fault.New(fault.NotFound, "no_tenant", "Tenant not found")
	}
	return err
}
