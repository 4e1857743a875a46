package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/portreeve/portreeve/internal/store"
)

// mostProblems is how many problems a report lists.
const mostProblems = 100

// Problem is one thing that is wrong with the trail.
type Problem struct {
	Tenant string `json:"tenant"`
	N      int64  `json:"n,omitempty"` // of the row; 0 where it is none
	What   string `json:"what"`
}

// Report is what Verify found.
type Report struct {
	Chains      int       `json:"chains"`
	Rows        int64     `json:"rows"`
	Erased      int64     `json:"erased"`      // persons who were erased
	Checkpoints int64     `json:"checkpoints"` // that were held against the trail
	Problems    []Problem `json:"problems"`    // the first hundred
	More        int64     `json:"more"`        // problems that are not listed
}

// OK reports whether nothing is wrong.
func (r *Report) OK() bool { return len(r.Problems) == 0 }

func (r *Report) add(p Problem) {
	if len(r.Problems) < mostProblems {
		r.Problems = append(r.Problems, p)
	} else {
		r.More++
	}
}

// Verify reads chains from their beginning, and holds them against signed
// checkpoints where there are any: without them a trail whose end was cut off
// looks like a shorter one. The error is for what could not be read; what is
// wrong is in the report.
func (l *Log) Verify(ctx context.Context, s Scope, checkpoints io.Reader) (*Report, error) {
	r := &Report{}
	var ring keyring
	err := l.db.Read(ctx, func(tx *store.Tx) error {
		got, problems, err := l.ring(tx)
		r.Problems, ring = problems, got
		return err
	})
	if err != nil {
		return nil, err
	}
	err = l.chains(ctx, s, func(tenant string) error { return l.verifyChain(ctx, ring, tenant, r) })
	if err != nil {
		return nil, err
	}
	if checkpoints != nil {
		if err := l.verifyCheckpoints(ctx, ring, s, checkpoints, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// chains calls fn with every chain of a scope.
func (l *Log) chains(ctx context.Context, s Scope, fn func(tenant string) error) error {
	if !s.All {
		return fn(s.Tenant)
	}
	tenant, first := "", true
	for {
		var there bool
		err := l.db.Read(ctx, func(tx *store.Tx) (err error) {
			tenant, there, err = chainAfter(tx, tenant, first)
			return err
		})
		if err != nil || !there {
			return err
		}
		if err := fn(tenant); err != nil {
			return err
		}
		first = false
	}
}

// walk is a chain on its way through Verify.
type walk struct {
	tenant          string
	ring            keyring
	report          *Report
	n, at           int64
	hash            []byte
	people          int64 // rows of audit_people that belong to a row
	missing, erased int64 // persons who are gone, and who were erased as the chain says
	lost            map[string]bool
}

// raceTries is how often a chain is read again when somebody was erased while
// it was read.
const raceTries = 3

func (l *Log) verifyChain(ctx context.Context, ring keyring, tenant string, r *Report) error {
	for try := 1; ; try++ {
		part := &Report{}
		w := &walk{tenant: tenant, ring: ring, report: part, lost: map[string]bool{}}
		for more := true; more; {
			err := l.db.Read(ctx, func(tx *store.Tx) error {
				rows, err := next(tx, tenant, w.n)
				if err != nil {
					return err
				}
				for i := range rows {
					w.step(&rows[i])
				}
				if more = len(rows) == mostRead; more {
					return nil
				}
				return w.end(tx)
			})
			if err != nil {
				return err
			}
		}
		if w.missing < w.erased && try < raceTries {
			continue // erased behind our back, if it is that
		}
		w.count()
		r.Chains++
		r.Rows += part.Rows
		r.Erased += w.missing
		for _, p := range part.Problems {
			r.add(p)
		}
		r.More += part.More
		return nil
	}
}

func (w *walk) problem(n int64, format string, args ...any) {
	w.report.add(Problem{w.tenant, n, fmt.Sprintf(format, args...)})
}

// step takes the next row. After a bad one it goes on from what is stored, so
// that one change is told once or twice, not for every row that follows.
func (w *walk) step(r *row) {
	switch {
	case r.n == w.n+2:
		w.problem(w.n+1, "the row is missing")
	case r.n != w.n+1:
		w.problem(w.n+1, "the rows up to %d are missing", r.n-1)
	}
	keys := w.ring[r.keyID]
	switch {
	case keys == nil && !w.lost[r.keyID]:
		if len(w.lost) < mostProblems {
			w.lost[r.keyID] = true
		}
		w.problem(r.n, "the row cannot be verified, nor may others: it is kept under the master key %q, which is not to be had", text(r.keyID, 40))
	case keys != nil && !hmac.Equal(r.sum(keys.rows, w.hash), r.hash):
		w.problem(r.n, "the row was changed or moved, or the one before it was")
	}
	w.person(r, partActor, r.actor, r.actorMark)
	w.person(r, partTarget, r.targetPerson, r.targetMark)
	if r.action == ActionErased {
		w.erased += erasedCount(r)
	}
	w.n, w.at, w.hash = r.n, r.at, r.hash
	w.report.Rows++
}

func (w *walk) person(r *row, part string, p person, mark []byte) {
	switch {
	case !p.there && len(mark) > 0:
		w.missing++
	case !p.there:
	default:
		w.people++
		if !bytes.Equal(p.mark(), mark) {
			w.problem(r.n, "what the row says of the person (%s) was changed", part)
		}
	}
}

// end holds the end of the chain against its head, in the snapshot that saw no
// further row.
func (w *walk) end(tx *store.Tx) error {
	var n, at, people int64
	var hash []byte
	err := tx.Row(`SELECT n, at, hash FROM audit_heads WHERE tenant_id = $1`, w.tenant).Scan(&n, &at, &hash)
	switch {
	case errors.Is(err, store.ErrNone):
		if w.n > 0 {
			w.problem(0, "the head of the chain is missing")
		}
	case err != nil:
		return err
	case n > w.n:
		w.problem(w.n+1, "the rows up to %d are missing at the end", n)
	case n < w.n || !bytes.Equal(hash, w.hash) || at != w.at:
		w.problem(0, "the head of the chain was changed, or rows were added behind it")
	}
	if err := tx.Row(`SELECT count(*) FROM audit_people WHERE tenant_id = $1`, w.tenant).Scan(&people); err != nil {
		return err
	}
	if people > w.people {
		w.problem(0, "what is said of %d persons belongs to no row", people-w.people)
	}
	return nil
}

// count holds the persons who are missing against those who were erased.
func (w *walk) count() {
	switch {
	case w.missing > w.erased:
		w.problem(0, "what was said of %d persons was removed without being erased", w.missing-w.erased)
	case w.missing < w.erased:
		w.problem(0, "%d persons who were erased are back", w.erased-w.missing)
	}
}

func erasedCount(r *row) int64 {
	d, err := details(r.detail)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(d["rows"], 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
