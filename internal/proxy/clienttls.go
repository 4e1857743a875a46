package proxy

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
)

// ClientTLS is what https upstreams are asked for and shown. nil stands for
// the system's roots and no certificate of ours.
type ClientTLS struct {
	roots  *x509.CertPool // nil: the system's
	own    []tls.Certificate
	name   string // "": the URL's host
	digest string
}

// The errors of NewClientTLS; none quotes what was read.
var (
	ErrCA          = errors.New("holds no certificate in PEM form")
	ErrCertificate = errors.New("certificate and key are no pair in PEM form")
)

// NewClientTLS makes one of PEM text; what is empty is not set. name is what
// the upstream's certificate must be for. The error is ErrCA or ErrCertificate.
func NewClientTLS(ca, cert, key []byte, name string) (*ClientTLS, error) {
	t := &ClientTLS{name: name}
	if len(ca) > 0 {
		t.roots = x509.NewCertPool()
		if !t.roots.AppendCertsFromPEM(ca) {
			return nil, ErrCA
		}
	}
	if len(cert) > 0 || len(key) > 0 {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, ErrCertificate
		}
		t.own = []tls.Certificate{pair}
	}
	h := sha256.New()
	for _, part := range [][]byte{ca, cert, key, []byte(name)} {
		one := sha256.Sum256(part)
		h.Write(one[:])
	}
	t.digest = hex.EncodeToString(h.Sum(nil))
	return t, nil
}

// id says what the settings are without saying what they hold.
func (t *ClientTLS) id() string {
	if t == nil {
		return "-"
	}
	return t.digest
}

// config is for connections to an upstream that the file calls host. TLS 1.2
// and 1.3, HTTP/1.1 alone; the name is always verified.
func (t *ClientTLS) config(d Deps, host string) *tls.Config {
	c := &tls.Config{
		ServerName:         strings.TrimSuffix(host, "."),
		RootCAs:            d.Roots,
		NextProtos:         []string{"http/1.1"},
		MinVersion:         tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(16),
	}
	if t == nil {
		return c
	}
	if t.roots != nil {
		c.RootCAs = t.roots
	}
	if t.name != "" {
		c.ServerName = t.name
	}
	c.Certificates = t.own
	return c
}
