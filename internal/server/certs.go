package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Pair names the files of a certificate chain and its key, in PEM.
type Pair struct{ Cert, Key string }

// recheck is how old the last look at the files may be when a client connects.
const recheck = 5 * time.Second

// Certificates are read from files, and read again when those change: whoever
// renews them need not tell anybody. A pair that does not load any more keeps
// the one before in service.
type Certificates struct {
	pairs []Pair
	log   *slog.Logger
	now   func() time.Time

	mu      sync.Mutex
	loaded  []tls.Certificate
	stamps  []string
	checked time.Time
}

// LoadCertificates reads the pairs. The error names the file and what is wrong
// with it.
func LoadCertificates(pairs []Pair, log *slog.Logger, now func() time.Time) (*Certificates, error) {
	c := &Certificates{pairs: pairs, log: log, now: now, checked: now()}
	for _, p := range pairs {
		one, err := loadPair(p, now())
		if err != nil {
			return nil, err
		}
		c.loaded, c.stamps = append(c.loaded, one), append(c.stamps, stamp(p))
	}
	return c, nil
}

func loadPair(p Pair, now time.Time) (tls.Certificate, error) {
	one, err := tls.LoadX509KeyPair(p.Cert, p.Key)
	if err != nil {
		return one, fmt.Errorf("%s with %s: %w", p.Cert, p.Key, err)
	}
	if now.After(one.Leaf.NotAfter) {
		return one, fmt.Errorf("%s: the certificate ended on %s", p.Cert, one.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return one, nil
}

// stamp tells whether files changed since.
func stamp(p Pair) string {
	out := ""
	for _, file := range []string{p.Cert, p.Key} {
		info, err := os.Stat(file)
		if err != nil {
			return ""
		}
		out += fmt.Sprint(info.ModTime().UnixNano(), info.Size(), " ")
	}
	return out
}

// Get is tls.Config.GetCertificate: the first pair that is good for the client
// and the name it asks for, else the first.
func (c *Certificates) Get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if one := c.find(hello); one != nil {
		return one, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.loaded) == 0 {
		return nil, errors.New("no certificate")
	}
	one := c.loaded[0]
	return &one, nil
}

// find is the first pair that is good for the client and the name it asks for,
// or nil. It is a copy: refresh writes to the list.
func (c *Certificates) find(hello *tls.ClientHelloInfo) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refresh()
	for i := range c.loaded {
		if one := c.loaded[i]; hello.SupportsCertificate(&one) == nil {
			return &one
		}
	}
	return nil
}

// Covers reports whether a pair is good for a host, or for the names that a
// wildcard stands for.
func (c *Certificates) Covers(host string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rest, wild := strings.CutPrefix(host, "*."); wild {
		host = "any." + rest
	}
	return slices.ContainsFunc(c.loaded, func(one tls.Certificate) bool { return one.Leaf.VerifyHostname(host) == nil })
}

func (c *Certificates) refresh() {
	now := c.now()
	if now.Sub(c.checked) < recheck {
		return
	}
	c.checked = now
	for i, p := range c.pairs {
		s := stamp(p)
		if s == "" || s == c.stamps[i] {
			continue
		}
		c.stamps[i] = s
		one, err := loadPair(p, now)
		if err != nil {
			c.log.Error("certificate not reloaded; the one before stays in service", "error", err.Error())
			continue
		}
		c.loaded[i] = one
		c.log.Info("certificate reloaded", "file", p.Cert, "until", one.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
}

// ClientAuthorities reads the certificates that client certificates chain to.
func ClientAuthorities(file string) (*x509.CertPool, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return pool, nil
}
