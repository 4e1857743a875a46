package envelope

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/portreeve/portreeve/internal/jws"
)

// The types of what a signing key says, in the protected header: the one can
// never be taken for the other.
const (
	TypeStatement  = "portreeve-escrow-key"
	TypeSuccession = "portreeve-escrow-successor"
)

// MaxStatement bounds a signature or authorization.
const MaxStatement = 4 << 10

// Statement is what a tenant's signing key says of a public key (`signature`).
type Statement struct {
	Kid         string // of the public key
	Tenant      string
	CreatedAt   string // as the challenge gave it
	Predecessor string // kid of the key before; "": null, it is the first
}

// Succession is what the signing key of the current key says of the next one
// (`authorization`).
type Succession struct {
	Kid         string // of the next public key
	Signer      string // thumbprint of the signing key that comes with it
	Tenant      string
	Predecessor string // kid of the current key
}

// ParseStatement reads a signature without verifying it: signer is the
// thumbprint that it says it is by.
func ParseStatement(compact string) (s Statement, signer string, err error) {
	m, signer, err := payload(compact, TypeStatement, nil)
	if err != nil {
		return s, "", err
	}
	return statementOf(m), signer, exact(m, "kid", "tenant", "createdAt", "predecessor")
}

// VerifyStatement reads a signature by a signer.
func VerifyStatement(compact string, by Signer) (Statement, error) {
	m, _, err := payload(compact, TypeStatement, &by)
	if err != nil {
		return Statement{}, err
	}
	return statementOf(m), exact(m, "kid", "tenant", "createdAt", "predecessor")
}

// VerifySuccession reads an authorization by a signer.
func VerifySuccession(compact string, by Signer) (Succession, error) {
	m, _, err := payload(compact, TypeSuccession, &by)
	if err != nil {
		return Succession{}, err
	}
	s := Succession{m.text("kid"), m.text("signer"), m.text("tenant"), m.text("predecessor")}
	if s.Predecessor == "" { // null is for a first key, which nobody authorizes
		return Succession{}, errExact([]string{"kid", "signer", "tenant", "predecessor"})
	}
	return s, exact(m, "kid", "signer", "tenant", "predecessor")
}

func statementOf(m header) Statement {
	return Statement{m.text("kid"), m.text("tenant"), m.text("createdAt"), m.text("predecessor")}
}

// Mismatch says in which member a statement is not what it has to be.
func (s Statement) Mismatch(want Statement) error {
	for _, c := range []struct{ name, is, want string }{
		{"kid", s.Kid, want.Kid}, {"tenant", s.Tenant, want.Tenant}, {"createdAt", s.CreatedAt, want.CreatedAt}, {"predecessor", s.Predecessor, want.Predecessor},
	} {
		if c.is != c.want {
			return fmt.Errorf("must sign the %s that the challenge gave", c.name)
		}
	}
	return nil
}

// Mismatch says in which member a succession is not what it has to be.
func (s Succession) Mismatch(want Succession) error {
	for _, c := range []struct{ name, is, want string }{
		{"kid of the new key", s.Kid, want.Kid}, {"thumbprint of the new signing key", s.Signer, want.Signer},
		{"tenant", s.Tenant, want.Tenant}, {"kid of the current key as predecessor", s.Predecessor, want.Predecessor},
	} {
		if c.is != c.want {
			return errors.New("must sign the " + c.name)
		}
	}
	return nil
}

// payload reads a compact JWS by Ed25519 of one type. With by, it is by that key;
// without, it is unverified.
func payload(compact, typ string, by *Signer) (m header, signer string, err error) {
	parts, err := split(compact, 3, MaxStatement)
	if err != nil {
		return nil, "", err
	}
	h, err := readHeader(parts[0], []string{"alg", "typ", "kid"}, nil)
	if err != nil {
		return nil, "", err
	}
	if err := first(h.is("alg", "EdDSA"), h.is("typ", typ), h.texts(64, "kid")); err != nil {
		return nil, "", err
	}
	if len(parts[2]) != ed25519.SignatureSize {
		return nil, "", errors.New("must have a signature of 64 bytes")
	}
	if by != nil {
		signed := compact[:len(compact)-len(encode(parts[2]))-1]
		if h.text("kid") != by.Kid || !ed25519.Verify(by.Key, []byte(signed), parts[2]) {
			return nil, "", errors.New("must be signed by the signing key, and name its thumbprint as kid")
		}
	}
	if m, err = jws.DecodeObject(parts[1], MaxStatement); err != nil {
		return nil, "", errors.New("must have a payload that is one JSON object, no member of it twice")
	}
	return m, h.text("kid"), nil
}

// exact requires a payload to have these members and no others: texts, but for a
// predecessor that is null.
func exact(m header, names ...string) error {
	if len(m) != len(names) {
		return errExact(names)
	}
	for _, name := range names {
		v, there := m[name]
		if _, text := v.(string); !there || !text && (name != "predecessor" || v != nil) || v == "" {
			return errExact(names)
		}
	}
	return nil
}

func errExact(names []string) error {
	return fmt.Errorf("must have a payload of exactly %v, texts all of them, null for a predecessor that there is none of", names)
}
