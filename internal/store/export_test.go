package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Describe is describe, for the test that compares the engines.
func (db *DB) Describe(ctx context.Context) (out []any, err error) {
	err = db.Read(ctx, func(tx *Tx) error {
		all, err := describe(tx)
		for _, t := range all {
			for i, r := range t.Refers {
				if r.Onto == "" { // SQLite: the primary key
					t.Refers[i].Onto = "?"
				}
				if r.OnDelete == "" {
					return errors.New("no rule")
				}
			}
			out = append(out, fmt.Sprintf("%+v", t))
		}
		return err
	})
	return out, err
}

// Waiting is how many writers wait for their turn.
func (db *DB) Waiting() int {
	db.group.turns.mu.Lock()
	defer db.group.turns.mu.Unlock()
	return db.group.turns.waiting.Len()
}

// Together has batches stay open as long as somebody waits.
func (db *DB) Together() { db.group.longest = time.Hour }
