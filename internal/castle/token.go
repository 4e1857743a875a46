package castle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

const (
	tokenLife    = 120 * time.Second
	longestToken = 8 << 10
)

// oneToken is the device token of a request, or why there is none that counts.
func oneToken(values []string) (token, bad string) {
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", MissingToken
	case len(values) > 1 || strings.Contains(values[0], ","): // a proxy may have joined them
		return "", RepeatedToken
	case len(values[0]) > longestToken:
		return "", LongToken
	case strings.ContainsFunc(values[0], func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", InvalidToken
	}
	return values[0], ""
}

// spend reports whether a token was not seen in its life, and from now on it was.
func (c *Client) spend(ctx context.Context, token string) (fresh bool, err error) {
	sum := sha256.Sum256([]byte(token)) // long and random: needs no key
	err = c.d.DB.Tx(ctx, func(tx *store.Tx) error {
		now := c.d.Now()
		n, err := tx.Exec(`INSERT INTO castle_tokens (digest, expires_at) VALUES ($1, $2)
			ON CONFLICT (digest) DO UPDATE SET expires_at = excluded.expires_at WHERE castle_tokens.expires_at <= $3`,
			hex.EncodeToString(sum[:]), now.Add(tokenLife).UnixMilli(), now.UnixMilli())
		fresh = n > 0
		return err
	})
	return fresh && err == nil, err
}

// prune forgets tokens that Castle would not take any more either.
func (c *Client) prune(ctx context.Context) error {
	const most = 500
	for n := int64(most); n == most; {
		err := c.d.DB.Tx(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.Exec(`DELETE FROM castle_tokens WHERE digest IN (SELECT digest FROM castle_tokens WHERE expires_at <= $1 ORDER BY digest LIMIT $2)`,
				c.d.Now().UnixMilli(), most)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
