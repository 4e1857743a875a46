package shares

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// KeyBytes is the length of a recovery key.
const KeyBytes = 32

// Most is how many shares there are at most.
const Most = 16

const (
	setBytes   = 5
	markBytes  = 8
	checkBytes = 4
)

// Share is one of n shares.
type Share struct {
	Set  string // which shares belong together: eight letters, drawn at random
	Mark [markBytes]byte
	K, N int
	X    int // which one: 1 to n
	Y    [KeyBytes]byte
}

// MarkOf is what a share says of the key that it is for: the first bytes of its
// thumbprint. The sheet that it is printed on has the whole of it.
func MarkOf(kid string) (m [markBytes]byte, err error) {
	sum, err := thumbprint(kid)
	copy(m[:], sum)
	return m, err
}

// ErrCount says how many shares there may be.
var ErrCount = fmt.Errorf("2 ≤ k ≤ n ≤ %d shares", Most)

// Split makes a recovery key and n shares of it, k of which restore it. kid is
// the thumbprint of the key that the recovery copy is for.
func Split(kid string, k, n int) (key []byte, out []Share, err error) {
	key = make([]byte, KeyBytes)
	_, _ = rand.Read(key) // never fails
	out, err = SplitKey(rand.Reader, key, kid, k, n)
	return key, out, err
}

// SplitKey is Split for a key that there is, with random bytes that are given:
// first those of the set, then the coefficients, byte by byte of the key.
func SplitKey(random io.Reader, key []byte, kid string, k, n int) ([]Share, error) {
	if k < 2 || n < k || n > Most {
		return nil, ErrCount
	}
	if len(key) != KeyBytes {
		return nil, fmt.Errorf("a recovery key has %d bytes", KeyBytes)
	}
	mark, err := MarkOf(kid)
	if err != nil {
		return nil, err
	}
	set := make([]byte, setBytes)
	if _, err := io.ReadFull(random, set); err != nil {
		return nil, err
	}
	out := make([]Share, n)
	for i := range out {
		out[i] = Share{Set: encode(set), Mark: mark, K: k, N: n, X: i + 1}
	}
	polynomial := make([]byte, k)
	defer clear(polynomial)
	for b, constant := range key {
		polynomial[0] = constant
		if _, err := io.ReadFull(random, polynomial[1:]); err != nil {
			return nil, err
		}
		for i := range out {
			out[i].Y[b] = at(byte(out[i].X), polynomial)
		}
	}
	return out, nil
}

// Combine restores a recovery key from k shares of one set or more. Those beyond
// k must agree with the others.
func Combine(list []Share) ([]byte, error) {
	if len(list) == 0 {
		return nil, errors.New("there are no shares")
	}
	of := list[0]
	seen := map[int]bool{}
	for _, s := range list {
		switch {
		case s.Set != of.Set || s.K != of.K || s.N != of.N:
			return nil, fmt.Errorf("the shares are of different sets: %s and %s", of.Set, s.Set)
		case s.Mark != of.Mark:
			return nil, errors.New("the shares are for different keys")
		case seen[s.X]:
			return nil, fmt.Errorf("share %d is there twice", s.X)
		case s.K < 2 || s.N < s.K || s.N > Most || s.X < 1 || s.X > s.N:
			return nil, ErrCount
		}
		seen[s.X] = true
	}
	if len(list) < of.K {
		return nil, fmt.Errorf("there are %d shares of set %s, and %d of them are needed", len(list), of.Set, of.K)
	}
	some, rest := list[:of.K], list[of.K:]
	key := value(0, some)
	for _, s := range rest {
		if y := value(byte(s.X), some); subtle.ConstantTimeCompare(y, s.Y[:]) != 1 {
			return nil, fmt.Errorf("the shares disagree: one of them is not what was printed (share %d does not agree with the others)", s.X)
		}
	}
	return key, nil
}

// value is where the polynomials through some shares are at x.
func value(x byte, some []Share) []byte {
	xs := make([]byte, len(some))
	for i, s := range some {
		xs[i] = byte(s.X)
	}
	out := make([]byte, KeyBytes)
	for i, w := range weights(x, xs) {
		for b := range out {
			out[b] ^= multiply(w, some[i].Y[b])
		}
	}
	return out
}

// check is what a typing error changes.
func check(body []byte) []byte {
	sum := sha256.Sum256(append([]byte("portreeve-escrow-share\x00"), body...))
	return sum[:checkBytes]
}
