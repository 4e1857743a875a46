package jws

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// ParsePEM reads one public key ("PUBLIC KEY", "RSA PUBLIC KEY") or one
// certificate ("CERTIFICATE", of which only the key counts: whoever names it in
// the configuration trusts it, so neither its dates nor its issuer are looked
// at). alg "" means RS256, ES256, ES384 or ES512 by the curve, or EdDSA. A
// private key, more than one block, or RSA below 2048 bits are ErrKey.
func ParsePEM(text []byte, id, alg string) (*Key, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, badKey("no PEM block")
	}
	if len(bytes.TrimSpace(rest)) != 0 {
		return nil, badKey("more than one PEM block")
	}
	public, err := publicOf(block)
	if err != nil {
		return nil, err
	}
	return newPublic(id, alg, public)
}

func publicOf(block *pem.Block) (any, error) {
	var public any
	var err error
	switch {
	case block.Type == "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = c.PublicKey
		}
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, badKey("a private key; give the public one")
	default:
		return nil, badKey("a PEM block that is neither a public key nor a certificate")
	}
	if err != nil {
		return nil, badKey("a PEM block that cannot be read")
	}
	return public, nil
}
