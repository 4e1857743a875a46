package escrow

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	challengeFor = 5 * time.Minute
	proofBytes   = 32
	// stamp is how the time of a key is written where it is signed.
	stamp = "2006-01-02T15:04:05.000Z"
)

// Challenge is what only the holder of a private key can answer, and what the
// signature of that key is made over.
type Challenge struct {
	ID          string
	Ciphertext  []byte
	Kid         string
	Predecessor string
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// readPublic reads the member publicKey of a body.
func readPublic(raw json.RawMessage, least int) (envelope.Public, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return envelope.Public{}, input.Invalid("publicKey", "is required: a public RSA JWK")
	}
	p, err := envelope.ParsePublic(raw, least)
	return p, invalid("publicKey", err)
}

// Challenge makes a challenge for a public key: a new one, or one of the
// tenant's.
func (s *Service) Challenge(ctx context.Context, p Person, public envelope.Public) (c Challenge, err error) {
	secret := envelope.NewChallenge(public.Kid)
	c = Challenge{ID: newID("chl_"), Kid: public.Kid}
	if c.Ciphertext, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, public.Key, secret, nil); err != nil {
		return c, err
	}
	err = s.turn(ctx, p.Tenant, func(tx *store.Tx) error {
		if err := s.may(tx, p, setKeys); err != nil {
			return err
		}
		now := s.now()
		if err := prune(tx, p, now); err != nil {
			return err
		}
		if c.Predecessor, err = predecessorOf(tx, p.Tenant, public); err != nil {
			return err
		}
		c.CreatedAt, c.ExpiresAt = now, now.Add(challengeFor)
		_, err := tx.Exec(`INSERT INTO escrow_challenges (tenant_id, id, kid, user_id, digest, predecessor, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			p.Tenant, c.ID, c.Kid, p.UserID, proofDigest(secret), c.Predecessor, ms(c.CreatedAt), ms(c.ExpiresAt))
		return err
	})
	return c, err
}

// prune removes what has ended, and refuses whoever has too many open.
func prune(tx *store.Tx, p Person, now time.Time) error {
	if _, err := tx.Exec(`DELETE FROM escrow_challenges WHERE tenant_id = $1 AND expires_at <= $2`, p.Tenant, ms(now)); err != nil {
		return err
	}
	n, err := count(tx, `SELECT COUNT(*) FROM escrow_challenges WHERE tenant_id = $1 AND user_id = $2`, p.Tenant, p.UserID)
	if err == nil && n >= mostChallenges {
		f := *ErrChallenges
		f.RetryAfter = challengeFor
		return &f
	}
	return err
}

// predecessorOf is the kid of the key before the one that is to be signed: the
// current one, or, where it is one of the tenant's, that before it.
func predecessorOf(tx *store.Tx, tenantID string, public envelope.Public) (string, error) {
	switch k, err := selectKey(tx, tenantID, public.Kid); {
	case err == nil:
		return k.Predecessor, nil
	case !errors.Is(err, ErrNotFound):
		return "", err
	}
	if public.Key.N.BitLen() < envelope.NewBits {
		return "", input.Invalid("publicKey", "must have a modulus of at least 3072 bits: only imported keys may have fewer")
	}
	k, err := currentKey(tx, tenantID)
	if errors.Is(err, ErrNoKey) {
		return "", nil
	}
	return k.Kid, err
}

func proofDigest(secret []byte) string {
	sum := sha256.Sum256(secret)
	return hex.EncodeToString(sum[:])
}

// Proof answers a challenge.
type Proof struct {
	Challenge string
	Opened    []byte
}

// readProof reads the members challengeId and proof.
func readProof(challenge, proof string) (Proof, error) {
	var f input.Fields
	if !visible(challenge, maxID) {
		f.Add("challengeId", "is required: that of POST /v1/tenant/key/challenge")
	}
	opened, err := base64.StdEncoding.Strict().DecodeString(proof)
	if err != nil || strings.ContainsAny(proof, "\r\n") || len(opened) != proofBytes {
		f.Add("proof", "is required: base64 of the 32 bytes that the challenge opens to")
	}
	return Proof{challenge, opened}, f.Err()
}

// prove spends a challenge for a key, once it has passed check, which sees it.
// Wrong proofs spend it too, so that it is committed whatever comes of it; what
// check refuses does not.
func (s *Service) prove(ctx context.Context, p Person, kid string, proof Proof, check func(tx *store.Tx, c Challenge) error) (c Challenge, err error) {
	var refused *fault.Error
	err = s.turn(ctx, p.Tenant, func(tx *store.Tx) error {
		refused = nil
		if err := s.may(tx, p, setKeys); err != nil {
			return err
		}
		c = Challenge{ID: proof.Challenge}
		var digest string
		var created, expires int64
		err := tx.Row(`SELECT kid, digest, predecessor, created_at, expires_at FROM escrow_challenges WHERE tenant_id = $1 AND id = $2 AND user_id = $3`, p.Tenant, proof.Challenge, p.UserID).
			Scan(&c.Kid, &digest, &c.Predecessor, &created, &expires)
		if errors.Is(err, store.ErrNone) || err == nil && (c.Kid != kid || expires <= ms(s.now())) {
			return ErrChallenge
		}
		if err != nil {
			return err
		}
		c.CreatedAt, c.ExpiresAt = at(created), at(expires)
		if err := check(tx, c); err != nil {
			return err
		}
		n, err := tx.Exec(`DELETE FROM escrow_challenges WHERE tenant_id = $1 AND id = $2`, p.Tenant, proof.Challenge)
		switch {
		case err != nil:
			return err
		case n != 1:
			return ErrChallenge
		case subtle.ConstantTimeCompare([]byte(proofDigest(proof.Opened)), []byte(digest)) != 1:
			refused = ErrProof
			return s.d.Audit.Append(tx, failed(p.event("escrow.proof", kid, nil)))
		}
		return nil
	})
	if err == nil && refused != nil {
		err = refused
	}
	return c, err
}
