package store

import "errors"

// veryLast is the type of VeryLast, so that no other key equals it.
type veryLast struct{}

// VeryLast is the key of the step that runs after all others of Tx.Last: the
// numbering of changes, whose order must be the order of commits.
func VeryLast() any { return veryLast{} }

// Last has fn run just before the commit, once per key, in the order in which
// keys were first named; VeryLast after all of them. A step may name further
// ones. What a step fails with ends the transaction.
func (tx *Tx) Last(key any, fn func(*Tx) error) {
	if _, final := key.(veryLast); final {
		if tx.final == nil {
			tx.final = fn
		}
		return
	}
	if tx.known[key] {
		return
	}
	if tx.known == nil {
		tx.known = map[any]bool{}
	}
	tx.known[key] = true
	tx.last = append(tx.last, lastStep{key, fn})
}

// Keep returns what this run of the transaction keeps under key, made by
// create when it is asked for first: where a Last step finds what was noted
// for it. Keys are values of a caller's own unexported type.
func (tx *Tx) Keep(key any, create func() any) any {
	if v, ok := tx.kept[key]; ok {
		return v
	}
	if tx.kept == nil {
		tx.kept = map[any]any{}
	}
	v := create()
	tx.kept[key] = v
	return v
}

// After has fn run after the commit, on the caller's goroutine, in order. It
// does not run when there is none.
func (tx *Tx) After(fn func()) { tx.after = append(tx.after, fn) }

// finish runs the last steps.
func (tx *Tx) finish() error {
	for i := 0; i < len(tx.last); i++ { // steps may append
		if err := tx.last[i].fn(tx); err != nil {
			return err
		}
	}
	if tx.final == nil {
		return nil
	}
	n := len(tx.last)
	if err := tx.final(tx); err != nil {
		return err
	}
	if len(tx.last) > n {
		return errors.New("store: a step was added after the very last")
	}
	return nil
}
