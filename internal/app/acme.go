package app

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/server"
)

// ACMEConfig gets certificates from an authority that speaks ACME (RFC 8555),
// for exactly the hosts that sites name. The key stands for agreeing to the
// authority's terms.
type ACMEConfig struct {
	// Email is where the authority writes when something is wrong; prod needs it.
	Email string `json:"email"`
	// CacheDir is the folder that keeps account, keys and certificates.
	CacheDir string `json:"cacheDir" conf:"required"`
	// DirectoryURL is the authority's; Let's Encrypt's unless written.
	DirectoryURL config.URL `json:"directoryURL"`
	// DirectoryCA is a file with the authorities of the directory's own certificate, for an authority of one's own; the system's unless written.
	DirectoryCA string `json:"directoryCA"`
}

// automatic checks the settings and makes ready what gets certificates.
func (b *builder) automatic(c *ACMEConfig, at *config.Reporter) {
	if c == nil {
		return
	}
	at = at.At("acme")
	if b.ACME != nil {
		at.Errorf("", "stands twice: one authority gets all certificates")
		return
	}
	set := server.ACME{Email: c.Email, Dir: b.abs(c.CacheDir), Directory: string(c.DirectoryURL), Listen: b.listensOn()}
	switch {
	case c.Email == "" && b.Env == "prod":
		at.Errorf("email", "is missing: the authority writes there before a certificate that it could not renew ends")
	case strings.Count(c.Email, "@") != 1 && c.Email != "":
		at.Errorf("email", "is no e-mail address")
	}
	if u, err := url.Parse(set.Directory); set.Directory != "" {
		switch {
		case err != nil || u.Host == "":
			at.Errorf("directoryURL", "is no URL")
		case u.Scheme != "https":
			at.Errorf("directoryURL", "is not https: whoever stands in between would choose our certificates")
		}
	}
	if set.Listen == "" {
		at.Errorf("", "needs a listener on TCP: the authority connects to port 443 of each host, and must arrive here")
	}
	if c.DirectoryCA != "" {
		set.Roots = b.abs(c.DirectoryCA)
		b.Files = append(b.Files, set.Roots)
		if _, err := server.ClientAuthorities(set.Roots); err != nil {
			at.Errorf("directoryCA", "%v", err)
		}
	}
	b.ACME, b.acmeAt = &set, at
}

// listensOn is the first TCP address of the file.
func (b *builder) listensOn() string {
	if len(b.File.Listen) == 0 {
		return DefaultListen
	}
	for _, addr := range b.File.Listen {
		if !strings.HasPrefix(addr, "unix:") {
			return addr
		}
	}
	return ""
}

// managed finds the hosts to get certificates for: all that sites name, but
// those that have one in files. A challenge of our own kind proves one name.
func (b *builder) managed(files *server.Certificates) {
	for i := range b.File.Sites {
		for j, host := range b.File.Sites[i].Hosts {
			plain, wild := strings.CutPrefix(host, "*.")
			name, ok := request.CanonicalHost(plain)
			if wild {
				name = "*." + name
			}
			if !ok || files.Covers(name) { // what is no host is reported elsewhere
				continue
			}
			if _, err := netip.ParseAddr(strings.Trim(name, "[]")); wild || err == nil {
				b.root.Errorf("sites"+config.Index(i)+".hosts"+config.Index(j), "gets no certificate by ACME, which here proves single names; name the hosts, "+
					"or give files: tls: [{cert, key}, {acme}]")
				continue
			}
			b.acmeHosts = append(b.acmeHosts, name)
		}
	}
	if len(b.acmeHosts) == 0 {
		b.acmeAt.Errorf("", "no site names a host to get a certificate for; the default site has none")
	}
	if b.deps.Automatic == nil || b.Doc.Failed() {
		return
	}
	auto, err := b.deps.Automatic(*b.ACME)
	if err != nil {
		b.acmeAt.Errorf("", "%v", err)
		return
	}
	b.auto = auto
}

// automatic hands out what an equal configuration got before, or a new one,
// which gets nothing until its generation is in service.
func (k *kept) automatic(set server.ACME) (*server.Automatic, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a := k.auto[set]; a != nil {
		return a, nil
	}
	a, err := server.NewAutomatic(set, k.log)
	if err == nil {
		k.auto[set] = a
	}
	return a, err
}

// opened says where the public doors are: from now on an authority that looks
// who answers at a name finds us.
func (k *kept) opened(b *Built, at []net.Addr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.doors = at
	k.certify(b)
}

// certify gets the certificates of a generation in service.
func (k *kept) certify(b *Built) {
	if b.auto == nil {
		return
	}
	for _, at := range k.doors {
		if _, ok := at.(*net.TCPAddr); ok {
			b.auto.Manage(b.acmeHosts, at)
			return
		}
	}
}
