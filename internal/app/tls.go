package app

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/server"
)

// TLSConfig is a certificate for the public listeners, or how to get one, and
// whether clients show one of their own.
type TLSConfig struct {
	// Cert is the file with the certificate chain, in PEM. It is read again when it changes.
	Cert string `json:"cert"`
	// Key is the file with its private key, in PEM.
	Key string `json:"key"`
	// ACME gets the certificates of all hosts that sites name.
	ACME *ACMEConfig `json:"acme"`
	// ClientCA is a file with the authorities of client certificates.
	ClientCA string `json:"clientCA"`
	// ClientAuth says whether a client certificate is optional (unless written) or required.
	ClientAuth string `json:"clientAuth" conf:"oneof=optional|require"`
}

// tls loads the certificates that the file names and reports what is wrong with
// them. nil means plain HTTP.
func (b *builder) tls() *tls.Config {
	list := b.File.TLS
	if len(list) == 0 {
		return nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	var pairs []server.Pair
	for i := range list {
		at := b.root.At("tls")
		if at.Has(config.Index(i)) {
			at = at.At(config.Index(i))
		}
		if pair, ok := b.pair(&list[i], at); ok {
			pairs = append(pairs, pair)
		}
		b.automatic(list[i].ACME, at)
		b.clientCertificates(&list[i], at, out)
	}
	files, err := server.LoadCertificates(pairs, b.deps.log(), b.deps.now())
	if err != nil {
		return nil // reported above
	}
	out.GetCertificate = files.Get
	if b.ACME != nil {
		out.NextProtos = append(out.NextProtos, "acme-tls/1")
		b.managed(files)
		if b.auto != nil {
			out.GetCertificate = server.Either(files, b.auto)
		}
		out.GetConfigForClient = forAuthority(out.Clone())
	}
	return out
}

// forAuthority lets the certificate authority look at a challenge (RFC 8737)
// although it shows no client certificate; nothing but the handshake is to be
// had that way: package std closes such a connection behind it.
func forAuthority(c *tls.Config) func(*tls.ClientHelloInfo) (*tls.Config, error) {
	c.ClientAuth, c.NextProtos = tls.NoClientCert, []string{"acme-tls/1"}
	return func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == "acme-tls/1" {
			return c, nil
		}
		return nil, nil // the listener's own
	}
}

// pair is the certificate and key of files. ok is false where there are none,
// or not both.
func (b *builder) pair(c *TLSConfig, at *config.Reporter) (pair server.Pair, ok bool) {
	switch {
	case c.ACME != nil && c.Cert+c.Key != "":
		at.Errorf("acme", "stands beside cert and key; write two entries: tls: [{cert, key}, {acme}]")
		return pair, false
	case c.ACME != nil:
		return pair, false
	case c.Cert == "":
		at.Errorf("", "cert is missing: {cert, key} are files, {acme: {email, cacheDir}} gets certificates")
		return pair, false
	case c.Key == "":
		at.Errorf("", "key is missing: the file with the private key of cert")
		return pair, false
	}
	pair = server.Pair{Cert: b.abs(c.Cert), Key: b.abs(c.Key)}
	b.Files = append(b.Files, pair.Cert, pair.Key)
	if _, err := server.LoadCertificates([]server.Pair{pair}, b.deps.log(), b.deps.now()); err != nil {
		at.Errorf("cert", "%v", err)
	}
	return pair, true
}

// clientCertificates asks clients for certificates where the file says so.
func (b *builder) clientCertificates(c *TLSConfig, at *config.Reporter, out *tls.Config) {
	switch {
	case c.ClientCA == "" && c.ClientAuth != "":
		at.Errorf("clientAuth", "needs clientCA: a file with the authorities of client certificates")
	case c.ClientCA == "":
	case out.ClientCAs != nil:
		at.Errorf("clientCA", "stands twice: clients are asked before it is known which host they want")
	default:
		pool, err := server.ClientAuthorities(b.abs(c.ClientCA))
		if err != nil {
			at.Errorf("clientCA", "%v", err)
			return
		}
		b.Files = append(b.Files, b.abs(c.ClientCA))
		out.ClientCAs, out.ClientAuth = pool, tls.VerifyClientCertIfGiven
		if c.ClientAuth == "require" {
			out.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
}

func (d Deps) log() *slog.Logger {
	if d.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Log
}

func (d Deps) now() func() time.Time {
	if d.Now == nil {
		return time.Now
	}
	return d.Now
}
