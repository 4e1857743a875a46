package ends

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// Binding says whose a secret is, inside the envelope, where nobody changes it
// without showing.
type Binding struct {
	Tenant  string // the tenant's id
	Machine string // id, serial or hostname
	Kind    string
}

// ErrLong refuses a secret whose envelope the server would not take.
var ErrLong = fmt.Errorf("the secret is too long: sealed it may have at most %d bytes", envelope.MaxSealed)

// Seal seals a secret to a tenant's key, bound to its machine: a compact JWE.
func Seal(to envelope.Public, b Binding, secret []byte) (string, error) {
	if len(secret) == 0 {
		return "", errors.New("there is no secret: it is empty")
	}
	opts := (&jose.EncrypterOptions{}).WithHeader("tenant", b.Tenant).WithHeader("machine", b.Machine).WithHeader("kind", b.Kind)
	compact, err := encrypt(jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: to.Key, KeyID: to.Kid}, opts, secret)
	if err != nil {
		return "", err
	}
	if len(compact) > envelope.MaxSealed {
		return "", ErrLong
	}
	if _, err := envelope.ParseSealed(compact); err != nil { // a name that is too long, or missing
		return "", fmt.Errorf("the sealed secret %w", err)
	}
	return compact, nil
}

// SealRaw seals a secret as older engines do: RSA-OAEP alone. Nothing in it says
// whose it is, so that whoever holds the store can list it under another machine.
func SealRaw(to envelope.Public, secret []byte) (string, error) {
	if len(secret) == 0 {
		return "", errors.New("there is no secret: it is empty")
	}
	b, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, to.Key, secret, nil)
	if errors.Is(err, rsa.ErrMessageTooLong) {
		return "", fmt.Errorf("the secret is too long for RSA alone: at most %d bytes", to.Size()-2*sha256.Size-2)
	}
	return base64.StdEncoding.EncodeToString(b), err
}

// encrypt makes a compact JWE by A256GCM.
func encrypt(to jose.Recipient, opts *jose.EncrypterOptions, plaintext []byte) (string, error) {
	e, err := jose.NewEncrypter(jose.A256GCM, to, opts)
	if err != nil {
		return "", err
	}
	object, err := e.Encrypt(plaintext)
	if err != nil {
		return "", err
	}
	return object.CompactSerialize()
}
