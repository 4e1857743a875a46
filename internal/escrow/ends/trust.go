package ends

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// Published is a public key with what stands beside it in the answers of a server
// and in exports.
type Published struct {
	Public        envelope.Public
	Tenant        string
	CreatedAt     string
	Predecessor   string          // kid, "" for none
	SigningKey    json.RawMessage // absent for an imported key that has none
	Signature     string
	Authorization string
}

// ReadPublished reads what GET /v1/tenant/pubkey answers, or a bare JWK.
func ReadPublished(raw []byte) (Published, error) {
	var m struct {
		Tenant        string          `json:"tenant"`
		CreatedAt     string          `json:"createdAt"`
		SigningKey    json.RawMessage `json:"signingKey"`
		Signature     string          `json:"signature"`
		Authorization string          `json:"authorization"`
	}
	if len(raw) > 2*envelope.MaxJWK {
		return Published{}, errors.New("the public key is larger than a key is")
	}
	public, err := envelope.ParsePublic(raw, envelope.ImportedBits)
	if err != nil {
		return Published{}, badly("the public key", err)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return Published{}, errors.New("the members beside the public key are not as they are described")
	}
	p := Published{Public: public, Tenant: m.Tenant, CreatedAt: m.CreatedAt, SigningKey: m.SigningKey, Signature: m.Signature, Authorization: m.Authorization}
	if s, _, err := envelope.ParseStatement(m.Signature); err == nil {
		p.Predecessor = s.Predecessor
	}
	return p, nil
}

// Signer is the signing key that stands beside the public key, ok false for none.
func (p Published) Signer() (s envelope.Signer, ok bool, err error) {
	if len(p.SigningKey) == 0 || string(p.SigningKey) == "null" {
		return s, false, nil
	}
	s, err = envelope.ParseSigner(p.SigningKey)
	return s, err == nil, badlyIf("the signing key", err)
}

func badlyIf(what string, err error) error {
	if err == nil {
		return nil
	}
	return badly(what, err)
}

// Seen is a key that somebody sealed to before.
type Seen struct {
	Kid       string `json:"kid"`
	Signer    string `json:"signer,omitempty"`
	CreatedAt string `json:"createdAt"`
	// SigningKey is the signer's JWK: what verifies that it wants another one.
	SigningKey json.RawMessage `json:"signingKey,omitempty"`
}

// What a server can do that serves another key than the tenant's.
var (
	ErrUnpinned = errors.New("the key is not signed by the pinned signing key: it was substituted, or the tenant has a new signing key, whose thumbprint somebody of the tenant can tell")
	ErrUnsigned = errors.New("the key has no signature: it was substituted, or it is an imported key that was not signed yet")
	ErrRollback = errors.New("the key is older than the one that was seen before: it was rolled back")
	ErrSigner   = errors.New("the key is signed by another signing key than the one that was seen before, without that one's authorization: it was substituted, or somebody of the tenant can tell the thumbprint of the new one, to be pinned")
	ErrRotation = errors.New("the key took the place of another without that one's authorization: the rotation is not signed")
)

// Check holds a key against the tenant, and against a pin unless that is "": the
// thumbprint of the signing key. seen is the key of the last time, nil for the
// first.
func (p Published) Check(tenant, pin string, seen *Seen) error {
	signer, signed, err := p.Signer()
	switch {
	case err != nil:
		return err
	case !signed && (pin != "" || seen != nil && seen.Signer != ""):
		return ErrUnsigned
	case pin != "" && signer.Kid != pin:
		return ErrUnpinned
	case p.Tenant != tenant:
		return fmt.Errorf("the key is of tenant %q, and %q is meant: it was substituted", p.Tenant, tenant)
	}
	if signed {
		if err := p.stated(signer); err != nil {
			return err
		}
	}
	if seen == nil {
		return nil
	}
	then, now, err := moments(seen.CreatedAt, p.CreatedAt)
	switch {
	case err != nil:
		return err
	case now.Before(then), now.Equal(then) && seen.Kid != p.Public.Kid:
		return ErrRollback
	}
	return nil
}

// Follows reports by nil that whoever signed the key of the last time signed this
// one, or wants whoever did. It is for those who pin no signer.
func (p Published) Follows(seen Seen) error {
	signer, _, err := p.Signer()
	if err != nil || seen.Signer == "" || signer.Kid == seen.Signer {
		return err
	}
	by, err := envelope.ParseSigner(seen.SigningKey)
	if err != nil || by.Kid != seen.Signer {
		return ErrSigner
	}
	s, err := envelope.VerifySuccession(p.Authorization, by)
	if err != nil || s.Mismatch(envelope.Succession{Kid: p.Public.Kid, Signer: signer.Kid, Tenant: p.Tenant, Predecessor: p.Predecessor}) != nil {
		return ErrSigner
	}
	return nil
}

// stated verifies what a key's signing key says of it.
func (p Published) stated(signer envelope.Signer) error {
	s, err := envelope.VerifyStatement(p.Signature, signer)
	if err != nil {
		return badly("the signature of the key", err)
	}
	for _, c := range []struct{ what, signed, said string }{
		{"kid", s.Kid, p.Public.Kid}, {"tenant", s.Tenant, p.Tenant}, {"createdAt", s.CreatedAt, p.CreatedAt}, {"predecessor", s.Predecessor, p.Predecessor},
	} {
		if c.signed != c.said {
			return fmt.Errorf("the signature of the key is over another %s (%q) than the server says (%q): it was substituted", c.what, c.signed, c.said)
		}
	}
	return nil
}

// stamp is how times are written where they are signed.
const stamp = "2006-01-02T15:04:05.000Z"

func moments(a, b string) (x, y time.Time, err error) {
	x, err = time.Parse(stamp, a)
	if err == nil {
		y, err = time.Parse(stamp, b)
	}
	if err != nil {
		err = errors.New("createdAt is no time as it is described")
	}
	return x, y, err
}

// CheckChain verifies the keys of a tenant, as a server lists them: each signed by
// its signing key, each that took the place of another authorized by that one, the
// first of them the newest. pin, unless "", is the thumbprint of a signing key: the
// first key must be signed by it, or hang on one that is by authorizations without
// a gap.
func CheckChain(keys []Published, tenant, pin string) error {
	if len(keys) == 0 {
		return errors.New("there are no keys")
	}
	for i, p := range keys {
		signer, _, err := p.Signer()
		if err == nil {
			err = p.Check(tenant, "", nil)
		}
		if err == nil && i > 0 {
			err = older(keys[0], p)
		}
		if err == nil {
			err = succeeds(p, signer, keys)
		}
		if err != nil {
			return fmt.Errorf("key %s: %w", p.Public.Kid, err)
		}
	}
	if pin == "" {
		return nil
	}
	// What is not linked to the newest key may be the pinned one's and is not asked.
	for p, seen := keys[0], 0; seen < len(keys); seen++ {
		signer, signed, _ := p.Signer()
		if signed && signer.Kid == pin {
			return nil
		}
		i := find(keys, p.Predecessor)
		if !signed || i < 0 {
			break
		}
		p = keys[i]
	}
	if _, signed, _ := keys[0].Signer(); !signed {
		return fmt.Errorf("key %s: %w", keys[0].Public.Kid, ErrUnsigned)
	}
	return ErrUnpinned
}

func find(keys []Published, kid string) int {
	return slices.IndexFunc(keys, func(k Published) bool { return k.Public.Kid == kid })
}

// older requires the first of a list to be the newest.
func older(current, p Published) error {
	now, then, err := moments(current.CreatedAt, p.CreatedAt)
	if err == nil && then.After(now) {
		err = ErrRollback
	}
	return err
}

// succeeds verifies that a key took the place of the one before it by right.
func succeeds(p Published, signer envelope.Signer, keys []Published) error {
	if p.Predecessor == "" {
		return nil
	}
	i := find(keys, p.Predecessor)
	if i < 0 {
		return fmt.Errorf("the key before it, %s, is missing", p.Predecessor)
	}
	if err := older(p, keys[i]); err != nil {
		return err
	}
	by, signed, err := keys[i].Signer()
	switch {
	case err != nil:
		return err
	case !signed, p.Authorization == "": // no server replaces a key that has no signing key
		return ErrRotation
	}
	s, err := envelope.VerifySuccession(p.Authorization, by)
	if err != nil {
		return badly("the authorization", err)
	}
	return badlyIf("the authorization", s.Mismatch(envelope.Succession{Kid: p.Public.Kid, Signer: signer.Kid, Tenant: p.Tenant, Predecessor: p.Predecessor}))
}
