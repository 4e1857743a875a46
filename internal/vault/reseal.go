package vault

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
)

// standardBatch is how many values one transaction reseals.
const standardBatch = 500

// Resealed is what became of one column.
type Resealed struct {
	Column Column
	Done   int64 // sealed under the first key now
	Failed int64 // do not open: damaged, or their key is not listed
	Err    error // of the first that failed
}

// Reseal seals every value of the columns under the first key that is sealed
// under another, in transactions of at most batch values. It may be stopped and
// started again at any time, and runs beside a serving process: a value that
// changed meanwhile is left to the next pass, which there is until one finds
// nothing. Values that do not open are counted and left as they are.
func Reseal(ctx context.Context, db *store.DB, keys *seal.Keys, columns []Column, batch int) ([]Resealed, error) {
	if keys == nil {
		return nil, seal.ErrNoKey
	}
	if batch <= 0 {
		batch = standardBatch
	}
	var out []Resealed
	for _, c := range columns {
		r := Resealed{Column: c}
		for {
			before := r.Done
			if err := r.pass(ctx, db, keys, batch); err != nil {
				return append(out, r), fmt.Errorf("reseal %s: %w", c, err)
			}
			if r.Done == before {
				break
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// pass goes once through the column in the order of its key.
func (r *Resealed) pass(ctx context.Context, db *store.DB, keys *seal.Keys, batch int) error {
	r.Failed, r.Err = 0, nil
	var after []any
	for {
		var last []any
		var done, failed int64
		var first error
		err := db.Tx(ctx, func(tx *store.Tx) error {
			last, done, failed, first = nil, 0, 0, nil // this may run again
			values, err := r.Column.behind(tx, keys.First(), after, batch)
			if err != nil {
				return err
			}
			for _, v := range values {
				last = v.key
				n, err := r.Column.renew(tx, keys, v)
				switch {
				case err == nil:
					done += n
				case tx.Context().Err() != nil:
					return err
				default:
					if failed++; first == nil {
						first = err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.Done, r.Failed = r.Done+done, r.Failed+failed
		if r.Err == nil {
			r.Err = first
		}
		if last == nil {
			return nil
		}
		after = last
	}
}

type value struct {
	key    []any
	sealed []byte
}

// behind are the next values that are not sealed under the key, after a row.
func (c Column) behind(tx *store.Tx, id string, after []any, batch int) ([]value, error) {
	key := c.key()
	columns := strings.Join(key, ", ")
	args := startArgs(id)
	where := c.there() + " AND NOT (" + c.starts(1) + ")"
	if after != nil {
		where += fmt.Sprintf(" AND (%s) > (%s)", columns, placeholders(3, len(key)))
		args = append(args, after...)
	}
	return store.List(tx, func(r store.Row) (v value, err error) {
		var into []any
		v.key, into = targets(len(key))
		return v, r.Scan(append(into, &v.sealed)...)
	}, fmt.Sprintf(`SELECT %s, %s FROM %s WHERE %s ORDER BY %s LIMIT %d`, columns, c.Column, c.Table, where, columns, batch), args...)
}

// renew seals one value anew unless it has changed since it was read.
func (c Column) renew(tx *store.Tx, keys *seal.Keys, v value) (int64, error) {
	place := c.place(v.key)
	plain, err := keys.Open(place, v.sealed)
	if err != nil {
		return 0, err
	}
	defer clear(plain)
	sealed, err := keys.Seal(place, plain)
	if err != nil || bytes.Equal(sealed, v.sealed) {
		return 0, err
	}
	where := fmt.Sprintf("%s = $2", c.Column)
	for i, k := range c.key() {
		where += fmt.Sprintf(" AND %s = $%d", k, i+3)
	}
	return tx.Exec(fmt.Sprintf(`UPDATE %s SET %s = $1 WHERE %s`, c.Table, c.Column, where), append([]any{sealed, v.sealed}, v.key...)...)
}
