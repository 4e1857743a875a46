package ends

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/escrow/shares"
)

// badly says what is wrong with something that was to be read.
func badly(what string, err error) error { return fmt.Errorf("%s %w", what, err) }

// SealRecovery makes a recovery copy of a key, and the n shares k of which open it.
func SealRecovery(k *Key, need, n int) (compact string, list []shares.Share, err error) {
	key, list, err := shares.Split(k.Public.Kid, need, n)
	if err != nil {
		return "", nil, err
	}
	defer clear(key)
	set, err := k.Set()
	if err != nil {
		return "", nil, err
	}
	defer clear(set)
	opts := (&jose.EncrypterOptions{}).WithType(envelope.TypeRecovery).WithContentType("jwk-set+json").
		WithHeader("set", list[0].Set).WithHeader("k", need).WithHeader("n", n)
	if compact, err = encrypt(jose.Recipient{Algorithm: jose.DIRECT, Key: key, KeyID: k.Public.Kid}, opts, set); err != nil {
		return "", nil, err
	}
	_, err = envelope.ParseRecovery(compact, k.Public.Kid)
	return compact, list, err
}

// Restore opens a recovery copy of the key that a kid names.
func Restore(compact, kid string, list []shares.Share) (*Key, error) {
	r, err := envelope.ParseRecovery(compact, kid)
	if err != nil {
		return nil, badly("the recovery copy", err)
	}
	for _, s := range list {
		if !s.For(kid) {
			return nil, fmt.Errorf("share %d of set %s is for another key", s.X, s.Set)
		}
		if s.Set != r.Set || s.K != r.K || s.N != r.N {
			return nil, fmt.Errorf("share %d is of set %s (%d of %d), and the recovery copy of set %s (%d of %d)", s.X, s.Set, s.K, s.N, r.Set, r.K, r.N)
		}
	}
	key, err := shares.Combine(list)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	set, err := decrypt(key, strings.Split(compact, "."))
	if err != nil {
		return nil, errors.New("the shares do not open the recovery copy: one of them was altered, or the copy was")
	}
	defer clear(set)
	k, err := readSet(set)
	if err != nil {
		return nil, err
	}
	return k.of(kid)
}
