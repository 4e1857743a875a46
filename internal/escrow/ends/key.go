package ends

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/jws"
)

// Key is a tenant's private key, and its signing key where there is one.
type Key struct {
	Public envelope.Public
	rsa    *rsa.PrivateKey
	// Signer is the public half of the signing key; its Kid is "" where an imported
	// key has none.
	Signer envelope.Signer
	sign   ed25519.PrivateKey
}

// NewKey makes a tenant's keys, as the browser does at the first set-up.
func NewKey(bits int) (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	_, sign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return keyOf(private, sign)
}

// keyOf holds keys; sign may be nil.
func keyOf(private *rsa.PrivateKey, sign ed25519.PrivateKey) (*Key, error) {
	if err := private.Validate(); err != nil {
		return nil, errors.New("what was unwrapped is no RSA key: its parts do not fit together")
	}
	private.Precompute()
	raw, err := json.Marshal(jose.JSONWebKey{Key: &private.PublicKey})
	if err != nil {
		return nil, err
	}
	k := &Key{rsa: private, sign: sign}
	if k.Public, err = envelope.ParsePublic(raw, envelope.ImportedBits); err != nil {
		return nil, fmt.Errorf("the unwrapped key %w", err)
	}
	if sign == nil {
		return k, nil
	}
	if raw, err = json.Marshal(jose.JSONWebKey{Key: sign.Public()}); err != nil {
		return nil, err
	}
	k.Signer, err = envelope.ParseSigner(raw)
	return k, err
}

// errForeignKey is what a server would cause that handed out another tenant's, or
// an older, wrapping.
var errForeignKey = errors.New("what was unwrapped is another key than the one that it is listed as: the wrapping was swapped")

// of requires a key to be the one that a kid names.
func (k *Key) of(kid string) (*Key, error) {
	if k.Public.Kid != kid {
		return nil, errForeignKey
	}
	return k, nil
}

// Set is the JWK set that wrappings hold.
func (k *Key) Set() ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: k.rsa, KeyID: k.Public.Kid, Algorithm: envelope.Algorithm, Use: "enc"}}}
	if k.sign != nil {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.sign, KeyID: k.Signer.Kid, Algorithm: "EdDSA", Use: "sig"})
	}
	return json.Marshal(set)
}

var errContent = errors.New("what was unwrapped is no JWK set of an RSA key and a signing key")

// readSet reads the JWK set of a wrapping: an RSA private key and an Ed25519 one,
// and nothing else.
func readSet(raw []byte) (*Key, error) {
	m, err := jws.DecodeObject(raw, envelope.MaxWrapping)
	if err != nil {
		return nil, errContent
	}
	list, ok := m["keys"].([]any)
	if !ok || len(list) == 0 || len(list) > 2 {
		return nil, errContent
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &set); err != nil || len(set.Keys) != len(list) {
		return nil, errContent
	}
	var private *rsa.PrivateKey
	var sign ed25519.PrivateKey
	for _, jwk := range set.Keys {
		switch key := jwk.Key.(type) {
		case *rsa.PrivateKey:
			if private != nil {
				return nil, errContent
			}
			private = key
		case ed25519.PrivateKey:
			if sign != nil {
				return nil, errContent
			}
			sign = key
		default:
			return nil, errContent
		}
	}
	if private == nil {
		return nil, errContent
	}
	k, err := keyOf(private, sign)
	if err != nil {
		return nil, err
	}
	for _, jwk := range set.Keys {
		if jwk.KeyID != "" && jwk.KeyID != k.Public.Kid && jwk.KeyID != k.Signer.Kid {
			return nil, errContent
		}
	}
	return k, nil
}

// readAny reads what an older wrapping may hold: a JWK set, a private JWK, or
// PKCS #8, in bytes, PEM or base64.
func readAny(raw []byte) (*Key, error) {
	text := strings.TrimSpace(string(raw))
	if strings.HasPrefix(text, "{") {
		if k, err := readSet([]byte(text)); err == nil {
			return k, nil
		}
		if _, err := jws.DecodeObject([]byte(text), envelope.MaxWrapping); err != nil {
			return nil, errOlder
		}
		var jwk jose.JSONWebKey
		private, ok := (*rsa.PrivateKey)(nil), false
		if jwk.UnmarshalJSON([]byte(text)) == nil {
			private, ok = jwk.Key.(*rsa.PrivateKey)
		}
		if !ok {
			return nil, errOlder
		}
		return keyOf(private, nil)
	}
	der := raw
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else if b, err := base64.StdEncoding.DecodeString(text); err == nil {
		der = b
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	private, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errOlder
	}
	return keyOf(private, nil)
}

var errOlder = errors.New("what was unwrapped is neither a JWK set nor a private JWK nor PKCS #8 of an RSA key")
