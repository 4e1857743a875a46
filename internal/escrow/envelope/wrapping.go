package envelope

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Bounds of a wrapped private key. Those of the count are what a browser may be
// made to derive: fewer is too weak, more is a way to keep it busy (RFC 7518
// section 8.4; 600,000 is OWASP's figure for PBKDF2 with SHA-256).
const (
	MaxWrapping = 16 << 10
	LeastCount  = 600_000
	MostCount   = 1_000_000
	leastSalt   = 16
	mostSalt    = 64
	keyWrapped  = 40 // a content key of 32 bytes by A256KW (RFC 3394)
)

// The content type of what is wrapped (RFC 7517 section 8.5.2), and of what is
// sealed for recovery.
const typeJWKSet = "jwk-set+json"

// CheckWrapping checks a wrapped private key: a compact JWE by
// PBES2-HS512+A256KW and A256GCM. Its header has alg, enc, p2s and p2c, and may
// have kid, which is then the key's, and cty jwk-set+json.
func CheckWrapping(compact, kid string) error {
	parts, err := split(compact, 5, MaxWrapping)
	if err != nil {
		return err
	}
	h, err := readHeader(parts[0], []string{"alg", "enc", "p2s", "p2c"}, []string{"kid", "cty"})
	if err != nil {
		return err
	}
	if err := first(h.is("alg", "PBES2-HS512+A256KW"), h.is("enc", "A256GCM"), h.is("cty", typeJWKSet), ofKey(h, kid), derivable(h)); err != nil {
		return err
	}
	if len(parts[1]) != keyWrapped {
		return errors.New("must hold a content key of 32 bytes, wrapped by A256KW")
	}
	return gcm(parts[2], parts[3], parts[4])
}

// derivable checks salt and count.
func derivable(h header) error {
	salt, err := decode(h.text("p2s"))
	if _, text := h["p2s"].(string); !text || err != nil || len(salt) < leastSalt || len(salt) > mostSalt {
		return fmt.Errorf("must have as p2s a salt of %d to %d bytes in base64url", leastSalt, mostSalt)
	}
	n, _ := h["p2c"].(json.Number)
	count, err := strconv.ParseInt(n.String(), 10, 64)
	if err != nil || count < LeastCount || count > MostCount {
		return fmt.Errorf("must have as p2c a whole number from %d to %d", LeastCount, MostCount)
	}
	return nil
}

func ofKey(h header, kid string) error {
	if v, there := h["kid"]; there && v != kid {
		return errors.New("must have as kid in its protected header that of the key, or none")
	}
	return nil
}

// TypeRecovery is the type of a recovery copy.
const TypeRecovery = "portreeve-escrow-recovery"

// Recovery is what the outside of a recovery copy says: which set of shares opens
// it, and how many of them.
type Recovery struct {
	Set  string
	K, N int
}

// MostShares is how many shares a recovery key is split into at most.
const MostShares = 16

// ParseRecovery checks a recovery copy: a compact JWE by dir and A256GCM of the
// same JWK set, whose header has alg, enc, typ, kid, set, k and n. It is opened by
// the recovery key, which no server has.
func ParseRecovery(compact, kid string) (Recovery, error) {
	parts, err := split(compact, 5, MaxWrapping)
	if err != nil {
		return Recovery{}, err
	}
	h, err := readHeader(parts[0], []string{"alg", "enc", "typ", "kid", "set", "k", "n"}, []string{"cty"})
	if err != nil {
		return Recovery{}, err
	}
	r := Recovery{Set: h.text("set"), K: small(h["k"]), N: small(h["n"])}
	switch err := first(h.is("alg", "dir"), h.is("enc", "A256GCM"), h.is("typ", TypeRecovery), h.is("cty", typeJWKSet), ofKey(h, kid), h.texts(64, "set")); {
	case err != nil:
		return Recovery{}, err
	case r.K < 2 || r.N < r.K || r.N > MostShares:
		return Recovery{}, fmt.Errorf("must say k and n with 2 ≤ k ≤ n ≤ %d", MostShares)
	case len(parts[1]) != 0:
		return Recovery{}, errors.New("must have no encrypted key: the recovery key encrypts it directly (dir)")
	}
	return r, gcm(parts[2], parts[3], parts[4])
}

// small is a whole number below a hundred, 0 for anything else.
func small(v any) int {
	n, _ := v.(json.Number)
	i, err := strconv.ParseUint(n.String(), 10, 8)
	if err != nil || i > 99 {
		return 0
	}
	return int(i)
}
