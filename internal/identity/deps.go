package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"path/filepath"
	"strconv"

	"github.com/portreeve/portreeve/internal/keyset"
)

// Deps is what providers are built with.
type Deps struct {
	// Env is prod, test or dev. Give prod unless the file itself says test or
	// dev: only then http issuers, certsURL and the emulator work.
	Env string
	// Dir is where relative file names start.
	Dir string
	// Keys makes a key set that has to be kept fresh (URL, Issuer or File is
	// set), or hands out the one that the same URL or issuer got before: for
	// another site, before a reload. It sets Client, Now and Log. nil: keyset.New.
	Keys func(keyset.Config) *keyset.Set
}

// relaxed reports whether what weakens checks may be used.
func relaxed(env string) bool { return env == "test" || env == "dev" }

func (d Deps) keySet(c keyset.Config) *keyset.Set {
	c.AllowHTTP = relaxed(d.Env)
	if d.Keys != nil && (c.URL != "" || c.Issuer != "" || c.File != "") {
		return d.Keys(c)
	}
	return keyset.New(c)
}

func (d Deps) path(file string) string {
	if filepath.IsAbs(file) || d.Dir == "" {
		return file
	}
	return filepath.Join(d.Dir, file)
}

// settings collects what a digest is made of. Every value is preceded by its
// length, so that no two lists of values read the same.
type settings struct{ b []byte }

func (s *settings) text(list ...string) {
	s.b = binary.BigEndian.AppendUint64(s.b, uint64(len(list)))
	for _, t := range list {
		s.b = binary.BigEndian.AppendUint64(s.b, uint64(len(t)))
		s.b = append(s.b, t...)
	}
}

// seal finishes a provider: its digest covers all that verification depends on.
// keys names the origin of the keys: URLs, thumbprints.
func (p *Provider) seal(env string, keys ...string) *Provider {
	s := &settings{}
	s.text(p.Name, p.Kind, p.Off, strconv.FormatBool(relaxed(env)), strconv.FormatBool(p.unsigned))
	s.text(p.Issuers()...)
	s.text(keys...)
	s.text(p.algs...)
	s.text(p.audience...)
	s.text(p.leeway.String(), p.maxAge.String(), p.tenantClaim)
	s.text(p.emailDomains...)
	s.text(p.amr...)
	s.text(p.site)
	s.text(strconv.FormatBool(p.emailTrusted), strconv.FormatBool(p.trustRoles), strconv.FormatBool(p.trustTenant))
	p.digest = sha256.Sum256(s.b)
	return p
}
