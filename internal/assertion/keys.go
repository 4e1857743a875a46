package assertion

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
)

// Rotation is how long a key signs. The key after it is published all that
// time, far longer than the ten minutes for which readers may keep a key set.
const Rotation = 24 * time.Hour

// retention is how long a retired key stays in the key set: the life of what it
// signed, ten minutes of a reader's cache, and some clock skew.
const retention = Life + 15*time.Minute

// Keys signs assertions and publishes the keys that verify them. It is safe for
// concurrent use.
type Keys struct {
	set    atomic.Pointer[keySet]
	turn   sync.Mutex // held while the keys are exchanged
	create func() (*jws.Signer, error)
}

// keySet is immutable.
type keySet struct {
	current, next, last *jws.Signer // last may be nil
	since               time.Time   // when current began to sign
	jwks                json.RawMessage
}

// New makes the keys of a process. The first one signs at once: nobody can have
// read a key set without it.
func New(now time.Time) (*Keys, error) {
	k := &Keys{create: newSigner}
	current, err := k.create()
	if err != nil {
		return nil, err
	}
	next, err := k.create()
	if err != nil {
		return nil, err
	}
	set, err := newSet(current, next, nil, now)
	if err != nil {
		return nil, err
	}
	k.set.Store(set)
	return k, nil
}

func newSigner() (*jws.Signer, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make an assertion key: %w", err)
	}
	s, err := jws.NewSigner("EdDSA", thumbprint(public), private)
	if err != nil {
		return nil, fmt.Errorf("make an assertion key: %w", err)
	}
	return s, nil
}

// thumbprint is the key's id: its JWK thumbprint (RFC 7638, RFC 8037 appendix
// A.3).
func thumbprint(public ed25519.PublicKey) string {
	return digest(`{"crv":"Ed25519","kty":"OKP","x":"` + encode(public) + `"}`)
}

func newSet(current, next, last *jws.Signer, since time.Time) (*keySet, error) {
	s := &keySet{current: current, next: next, last: last, since: since}
	list := struct {
		Keys []json.RawMessage `json:"keys"`
	}{[]json.RawMessage{current.JWK(), next.JWK()}}
	if last != nil {
		list.Keys = append(list.Keys, last.JWK())
	}
	var err error
	if s.jwks, err = json.Marshal(list); err != nil {
		return nil, fmt.Errorf("write the assertion key set: %w", err)
	}
	return s, nil
}

// due reports whether the set is no longer the right one.
func (s *keySet) due(now time.Time) bool {
	age := now.Sub(s.since)
	return age >= Rotation || s.last != nil && age >= retention
}

// at returns the set that counts at now, exchanging keys where they are due.
func (k *Keys) at(now time.Time) (*keySet, error) {
	s := k.set.Load()
	if !s.due(now) {
		return s, nil
	}
	k.turn.Lock()
	defer k.turn.Unlock()
	if s = k.set.Load(); !s.due(now) {
		return s, nil
	}
	current, next, last, since := s.current, s.next, (*jws.Signer)(nil), s.since
	if now.Sub(s.since) >= Rotation {
		var err error
		if next, err = k.create(); err != nil {
			return nil, err
		}
		current, last, since = s.next, s.current, now
	}
	set, err := newSet(current, next, last, since)
	if err != nil {
		return nil, err
	}
	k.set.Store(set)
	return set, nil
}

// JWKS is the key set as JSON: the current key, the next one, and the last one
// as long as anything that it signed may be valid.
func (k *Keys) JWKS(now time.Time) (json.RawMessage, error) {
	s, err := k.at(now)
	if err != nil {
		return nil, err
	}
	return s.jwks, nil
}
