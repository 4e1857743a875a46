package vault

import (
	"context"
	"fmt"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
)

// Status is how many values of a column are sealed under which key.
type Status struct {
	Column Column
	Keys   map[string]int64 // by key id; "" counts what is sealed under a key that nobody knows
}

// Count says how many values are sealed under which key: of the listed ones and
// of those that the store remembers.
func Count(ctx context.Context, db *store.DB, keys *seal.Keys, columns []Column) ([]Status, error) {
	var out []Status
	for _, c := range columns {
		s := Status{Column: c, Keys: map[string]int64{}}
		err := db.Read(ctx, func(tx *store.Tx) error {
			checks, err := checkValues(tx)
			if err != nil {
				return err
			}
			for _, id := range keys.IDs() {
				checks[id] = nil
			}
			clear(s.Keys)
			var left int64
			if err := tx.Row(fmt.Sprintf(`SELECT count(*) FROM %s WHERE %s`, c.Table, c.there())).Scan(&left); err != nil {
				return err
			}
			for id := range checks {
				var n int64
				if err := tx.Row(fmt.Sprintf(`SELECT count(*) FROM %s WHERE %s AND %s`, c.Table, c.there(), c.starts(1)), startArgs(id)...).Scan(&n); err != nil {
					return err
				}
				if n > 0 {
					s.Keys[id] = n
				}
				left -= n
			}
			if left > 0 {
				s.Keys[""] = left
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("count sealed values of %s: %w", c, err)
		}
		out = append(out, s)
	}
	return out, nil
}
