package keyset

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
)

// ErrTooSoon says that the last refetch on demand was less than RefetchEvery ago.
var ErrTooSoon = errors.New("the key set was refetched a moment ago")

// Set is the keys of one issuer. All methods are safe for concurrent use.
type Set struct {
	config Config
	fetch  func(context.Context) (*harvest, error)
	good   atomic.Pointer[harvest] // the last good keys; nil before the first
	failed atomic.Pointer[string]  // why the last attempt failed; nil after a good one

	mu     sync.Mutex
	flight *flight   // the fetch under way, if any
	asked  time.Time // when the last refetch on demand began
}

// harvest is one good answer.
type harvest struct {
	keys    []*jws.Key
	prints  map[string]struct{}
	skipped []jws.Skipped
	alarms  int
	at      time.Time
	forever bool // static keys and files do not grow too old
}

// flight is one fetch that any number of callers wait for.
type flight struct {
	done chan struct{}
	err  error // set before done is closed
}

// Health is the state of a set for readiness and metrics.
type Health struct {
	Name    string    `json:"name"`
	Keys    int       `json:"keys"`             // usable keys
	Fetched time.Time `json:"fetched"`          // of the keys in use; zero before the first
	Expires time.Time `json:"expires,omitzero"` // when they are too old to be used; zero: never
	Err     string    `json:"error,omitempty"`  // why the last attempt failed; "" after a good one
	Ready   bool      `json:"ready"`            // as Keys reports
	Alarms  int       `json:"alarms"`           // members of the set in use that publish a secret
}

// New makes a set. It fetches nothing; a file is read at once. Start Run for a
// set that is fetched or read from a file.
func New(c Config) *Set {
	s := &Set{config: c.withDefaults()}
	switch {
	case s.config.remote():
		s.fetch = s.download
	case s.config.File != "":
		s.fetch = s.readFile
		_ = s.attempt(context.Background()) // Health tells
	default:
		s.good.Store(gather(s.config.Static, nil, s.config.Now(), true))
	}
	return s
}

func gather(keys []*jws.Key, skipped []jws.Skipped, at time.Time, forever bool) *harvest {
	h := &harvest{keys: keys, prints: make(map[string]struct{}, len(keys)), skipped: skipped, at: at, forever: forever}
	for _, k := range keys {
		h.prints[k.Thumbprint()] = struct{}{}
	}
	for i := range skipped {
		if skipped[i].Alarm {
			h.alarms++
		}
	}
	return h
}

// current is the last good answer unless it has grown too old.
func (s *Set) current() *harvest {
	h := s.good.Load()
	if h == nil || !h.forever && s.config.Now().Sub(h.at) > s.config.MaxAge {
		return nil
	}
	return h
}

// Keys returns the keys to verify with; do not change the slice. ready is false
// when the issuer was never reached or its keys are older than MaxAge: then
// nothing can be said about its tokens. It takes no lock.
func (s *Set) Keys() (keys []*jws.Key, ready bool) {
	if h := s.current(); h != nil {
		return h.keys, true
	}
	return nil, false
}

// Has reports whether a key with that jws.Key.Thumbprint is among Keys.
func (s *Set) Has(thumbprint string) bool {
	h := s.current()
	if h == nil {
		return false
	}
	_, there := h.prints[thumbprint]
	return there
}

// Health describes the set.
func (s *Set) Health() Health {
	h := Health{Name: s.config.Name}
	if why := s.failed.Load(); why != nil {
		h.Err = *why
	}
	if good := s.good.Load(); good != nil {
		h.Fetched, h.Alarms = good.at, good.alarms
		if !good.forever {
			h.Expires = good.at.Add(s.config.MaxAge)
		}
	}
	keys, ready := s.Keys()
	h.Keys, h.Ready = len(keys), ready
	return h
}
