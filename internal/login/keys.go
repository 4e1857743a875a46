package login

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/request"
)

// keyTurn is how long one key signs. Keys are made of the master key, what they are
// for, the site and the turn, so that every node has the same and nothing is stored;
// the one to come is published a whole turn before it signs.
const keyTurn = 24 * time.Hour

// ring is the keys that sign one sort of token of a surface.
type ring struct {
	u   *Surface
	use string // "layer-session", "access-token"
}

func (r ring) turn(now time.Time) int64 { return now.Unix() / int64(keyTurn.Seconds()) }

// sign signs with the key of this turn.
func (r ring) sign(typ string, claims any) (string, error) {
	s, err := r.signer(r.u.s.d.Keys.First(), r.turn(r.u.s.d.Now()))
	if err != nil {
		return "", err
	}
	return s.Sign(typ, claims)
}

// verify holds a token to be one of typ that a key of the ring signed, and returns its
// claims. Nothing else of them is looked at.
func (r ring) verify(typ, token string) (payload []byte, err error) {
	tok, err := jws.ParseAs(token, typ)
	if err != nil {
		return nil, err
	}
	signers, err := r.signers(r.u.s.d.Now())
	if err != nil {
		return nil, err
	}
	for _, s := range signers {
		if tok.Header.Kid == s.Public().ID && tok.Verify(s.Public()) == nil {
			return tok.Payload, nil
		}
	}
	return nil, errors.New("no key of ours made the signature")
}

// jwks publishes the keys: of this turn, the one before and the one to come.
func (r ring) jwks(context.Context, *gateway.Call) (request.Reply, error) {
	signers, err := r.signers(r.u.s.d.Now())
	if err != nil {
		return request.Reply{}, err
	}
	var list []json.RawMessage
	for _, s := range signers {
		list = append(list, s.JWK())
	}
	return public(jsonReply(200, map[string]any{"keys": list})), nil
}

// public is a reply that anybody may keep for a while.
func public(r request.Reply) request.Reply {
	for i := range r.Header {
		if r.Header[i].Name == "Cache-Control" {
			r.Header[i].Value = "public, max-age=300"
		}
	}
	return r
}

// signers are the keys that count. A master key that seals no more has signed what is
// still in use.
func (r ring) signers(now time.Time) (out []*jws.Signer, err error) {
	for _, id := range r.u.s.d.Keys.IDs() {
		for _, turn := range []int64{r.turn(now), r.turn(now) - 1, r.turn(now) + 1} {
			s, err := r.signer(id, turn)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// signer makes a key of a master key, for a turn.
func (r ring) signer(master string, turn int64) (*jws.Signer, error) {
	seed, err := r.u.s.d.Keys.Derive(r.use+":"+r.u.site.Name+":"+strconv.FormatInt(turn, 10), master)
	if err != nil {
		return nil, err
	}
	private := ed25519.NewKeyFromSeed(seed)
	x := base64.RawURLEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`)) // RFC 7638
	return jws.NewSigner("EdDSA", base64.RawURLEncoding.EncodeToString(sum[:]), private)
}
