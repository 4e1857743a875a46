package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"slices"
	"sync"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// ACME says where certificates come from by RFC 8555. Values that are equal get
// the same certificates.
type ACME struct {
	Email     string // of the account; "" for none
	Dir       string // where account, keys and certificates are kept
	Directory string // the authority's directory URL; "" for Let's Encrypt
	Roots     string // file with the authorities of the directory's own certificate; "" for the system's
	Listen    string // the listener that answers challenges, as the file writes it
}

// Automatic are certificates for exactly the names that Manage is given: got in
// the background, renewed in time, never for a name that a client asks for.
// Challenges are answered by TLS-ALPN-01 (RFC 8737) on our own listener.
type Automatic struct {
	cache  *certmagic.Cache
	config *certmagic.Config
	issuer *certmagic.ACMEIssuer

	mu    sync.Mutex
	names map[string]context.CancelFunc
}

// NewAutomatic reads what Dir holds and gets nothing yet. The error names the
// file of Roots.
func NewAutomatic(o ACME, log *slog.Logger) (*Automatic, error) {
	var roots *x509.CertPool
	if o.Roots != "" {
		var err error
		if roots, err = ClientAuthorities(o.Roots); err != nil {
			return nil, err
		}
	}
	a := &Automatic{names: map[string]context.CancelFunc{}}
	quiet := zap.New(warnings{log})
	a.cache = certmagic.NewCache(certmagic.CacheOptions{Logger: quiet,
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil }})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: o.Dir}, Logger: quiet,
		ShouldEmitFunc: func(event string) bool { return event == "cert_obtained" },
		OnEvent: func(_ context.Context, event string, data map[string]any) error {
			if event == "cert_obtained" { // not all others are asked about before
				log.Info("certificate obtained", "host", data["identifier"], "renewal", data["renewal"])
			}
			return nil
		},
	})
	a.issuer = certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{CA: o.Directory, Email: o.Email, Agreed: true,
		TrustedRoots: roots, DisableHTTPChallenge: true, Logger: quiet})
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

// Manage makes names the ones to have certificates for. at is where our TLS
// listener is: the authority's connections to port 443 of the names arrive
// there.
func (a *Automatic) Manage(names []string, at net.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := at.(*net.TCPAddr); ok && len(a.names) == 0 {
		a.issuer.AltTLSALPNPort = t.Port
		if !t.IP.IsUnspecified() {
			a.issuer.ListenHost = t.IP.String()
		}
	}
	var gone []certmagic.SubjectIssuer
	for name, stop := range a.names {
		if !slices.Contains(names, name) {
			stop()
			delete(a.names, name)
			gone = append(gone, certmagic.SubjectIssuer{Subject: name})
		}
	}
	a.cache.RemoveManaged(gone)
	for _, name := range names {
		if a.names[name] == nil {
			ctx, stop := context.WithCancel(context.Background())
			a.names[name] = stop
			_ = a.config.ManageAsync(ctx, []string{name}) // never fails at once
		}
	}
}

// Get is tls.Config.GetCertificate. The error is for a name that is not
// managed, or has no certificate yet.
func (a *Automatic) Get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.config.GetCertificate(hello)
}

// Missing lists the names that have no certificate yet.
func (a *Automatic) Missing() (out []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name := range a.names {
		if len(a.cache.AllMatchingCertificates(name)) == 0 {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Close stops getting and renewing.
func (a *Automatic) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, stop := range a.names {
		stop()
	}
	a.names = nil
	a.cache.Stop()
}

// Either takes certificates from files where one is good for the name that a
// client asks for, else those by ACME.
func Either(files *Certificates, auto *Automatic) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if !slices.Equal(hello.SupportedProtos, []string{acmeProtocol}) {
			if one := files.find(hello); one != nil {
				return one, nil
			}
		}
		one, err := auto.Get(hello)
		if err != nil && !slices.Contains(hello.SupportedProtos, acmeProtocol) {
			return files.Get(hello)
		}
		return one, err
	}
}

// acmeProtocol is what an authority asks for, and nothing else, when it looks
// who answers at a name.
const acmeProtocol = "acme-tls/1"
