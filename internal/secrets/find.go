package secrets

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/store"
)

// Find returns the values of a tenant's secrets. A key that the tenant does not
// have is not in the map. What is not at hand is a job, after which the caller
// asks again with what it came to; a value that cannot be read or opened is a
// refusal.
func (s *Service) Find(of string, keys []string, now time.Time, settled []park.Settled) (map[string]string, *park.Job, *fault.Error) {
	if of == "" || len(keys) == 0 {
		return nil, nil, nil
	}
	if s.d.Feed == nil || !s.d.Feed.Fresh(now) {
		return nil, nil, fault.New(fault.Unavailable, "store_stale", "Stored facts are not available right now")
	}
	got := make([]*opened, len(keys))
	var missing []string
	for i, key := range keys {
		if got[i] = s.held.get(ident{of, key}); got[i] == nil {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		// All of them are read together, so that what a request is given is of
		// one moment as far as it was not at hand.
		name := jobKey(of, keys)
		ran, did := s.read(settled, name)
		if !did {
			// The number of the last change is part of the job's name: whoever asks
			// after a change does not join a reading from before it.
			job := since(name, s.d.Feed.Seq())
			if done, ok := park.Find(settled, job); ok && done.Err != nil { // it never ran
				return nil, nil, unavailable(done.Err)
			}
			return nil, &park.Job{Kind: "secret", Key: job, Waits: true, Run: func(ctx context.Context) (any, error) {
				list, err := s.load(ctx, of, keys)
				return reading{name, list, err}, nil
			}}, nil
		}
		if ran.err != nil || len(ran.list) != len(keys) {
			return nil, nil, unavailable(ran.err)
		}
		got = ran.list
	}
	out := make(map[string]string, len(keys))
	for i, o := range got {
		if o.id != "" {
			out[keys[i]] = o.value
			s.held.used(o, now.UnixMilli())
		}
	}
	return out, nil, nil
}

// reading is what became of a job.
type reading struct {
	name park.Key
	list []*opened
	err  error
}

// read finds what a job of this request read, as far as it still holds.
func (s *Service) read(settled []park.Settled, name park.Key) (reading, bool) {
	for _, done := range slices.Backward(settled) {
		r, ok := done.Value.(reading)
		if !ok || r.name != name {
			continue
		}
		return r, !slices.ContainsFunc(r.list, func(o *opened) bool { return !s.d.Feed.Holds(o.asOf, o.slot) })
	}
	return reading{}, false
}

// since tells jobs of one name apart by what was known when they began.
func since(name park.Key, seq int64) park.Key {
	return sha256.Sum256(binary.AppendVarint(name[:], seq))
}

// unavailable keeps a refusal that says already why.
func unavailable(err error) *fault.Error {
	var f *fault.Error
	if errors.As(err, &f) && f.Kind != fault.Internal {
		return f
	}
	return fault.Wrap(fault.Unavailable, "secret_unavailable", "Secrets are not available right now", err)
}

// load reads and opens secrets, in the order of keys.
func (s *Service) load(ctx context.Context, of string, keys []string) ([]*opened, error) {
	ctx, cancel := s.d.Feed.Within(ctx)
	defer cancel()
	asOf := s.d.Feed.Seq() // before the reading: a change after it is noticed
	out := make([]*opened, len(keys))
	err := s.d.DB.Read(ctx, func(tx *store.Tx) error {
		for i, key := range keys {
			o := &opened{ident: ident{of, key}, asOf: asOf, slot: change.SlotOf(of, kind, key)}
			row, err := read(tx, of, key)
			switch {
			case errors.Is(err, ErrNone):
			case err != nil:
				return err
			default:
				if o.value, err = s.open(of, row.id, "sealed", row.sealed); err != nil {
					s.d.Log.Error("a tenant's secret does not open", "tenant", of, "secret", key, "error", err.Error())
					return err
				}
				o.id = row.id
			}
			out[i] = o
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, o := range out {
		s.held.put(o)
	}
	return out, nil
}

func jobKey(of string, keys []string) park.Key {
	b := []byte("tenant-secret")
	for _, part := range append([]string{of}, keys...) {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

// Flush writes how often secrets were used, forgets plain values that have
// changed, and removes values whose grace has ended. Whoever runs the service
// calls it every few seconds, and once more at the end.
func (s *Service) Flush(ctx context.Context) error {
	list := s.held.drain()
	slices.SortFunc(list, func(a, b use) int { // nodes meet rows in one order: no deadlock
		return slices.Compare([]string{a.tenant, a.id}, []string{b.tenant, b.id})
	})
	for n := 0; len(list) > 0; list = list[n:] {
		n = min(len(list), 200)
		if err := s.d.DB.Tx(ctx, func(tx *store.Tx) error {
			for _, u := range list[:n] {
				if err := touch(tx, u); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			s.held.back(list)
			return err
		}
	}
	return s.endGraces(ctx)
}

func (s *Service) endGraces(ctx context.Context) error {
	var tenants []string
	if err := s.d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		tenants, err = overdue(tx)
		return err
	}); err != nil || len(tenants) == 0 {
		return err
	}
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		slices.Sort(tenants)
		for _, of := range tenants {
			if err := sweep(tx, of); err != nil {
				return err
			}
		}
		return nil
	})
}
