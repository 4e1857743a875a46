package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// isTLS reports whether a handshake failed: whoever answers is not who was
// called, or does not speak TLS.
func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		header       tls.RecordHeaderError
		alert        tls.AlertError
		name         x509.HostnameError
		authority    x509.UnknownAuthorityError
	)
	return errors.As(err, &verification) || errors.As(err, &header) || errors.As(err, &alert) || errors.As(err, &name) || errors.As(err, &authority)
}
