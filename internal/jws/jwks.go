package jws

import "fmt"

// Bounds of a key set that a stranger sends.
const (
	MaxKeySet  = 1 << 20 // bytes
	maxSetKeys = 256
)

// Skipped is a member of a key set that was not taken, and why.
type Skipped struct {
	Index  int    // place in the "keys" array, from 0
	ID     string // its kid, where it has one
	Reason string
	Alarm  bool // a secret was published: an oct key, or private members
}

func (s Skipped) String() string {
	return fmt.Sprintf("keys[%d] (kid %q): %s", s.Index, s.ID, s.Reason)
}

// ParseJWKS reads a JWK Set (RFC 7517 section 5) of at most 1 MiB and 256 keys.
// Keys that cannot verify anything here are skipped with the reason: another
// kind, curve, use or algorithm, RSA below 2048 bits, shared secrets (oct) and
// anything with private members (both with Alarm), a kid and algorithm that an
// earlier key already has. Members that RFC 7517 does not name are read past.
// An empty set is not an error: the issuer has no key.
func ParseJWKS(b []byte) (keys []*Key, skipped []Skipped, err error) {
	set, err := DecodeObject(b, MaxKeySet)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	list, ok := set["keys"].([]any)
	if !ok {
		return nil, nil, badKey("not a key set: no array called keys")
	}
	if len(list) > maxSetKeys {
		return nil, nil, badKey("a key set of more than %d keys", maxSetKeys)
	}
	type name struct{ kid, alg string }
	seen := map[name]bool{}
	prints := map[string]bool{}
	for i, item := range list {
		k, no := parseJWK(item)
		if no == nil && (prints[k.print] || k.ID != "" && seen[name{k.ID, k.Alg}]) {
			no = &Skipped{ID: k.ID, Reason: "an earlier key has its kid and algorithm, or is the same"}
		}
		if no != nil {
			no.Index = i
			skipped = append(skipped, *no)
			continue
		}
		seen[name{k.ID, k.Alg}], prints[k.print] = true, true
		keys = append(keys, k)
	}
	return keys, skipped, nil
}
