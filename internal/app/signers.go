package app

import (
	"slices"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/secret"
)

// signedByOne refuses two jwt providers of one name, on two sites, that have no
// issuer and other keys. Users are bound to the name and the subject alone there:
// whoever signs for the one site would be any user of the other.
func (b *builder) signedByOne(k *inherited, c *identity.JWTConfig) {
	if c.Issuer != "" || !b.File.usesStore() || sameKeys(c, &identity.JWTConfig{}) { // without keys it is another problem
		return
	}
	if b.signers == nil {
		b.signers = map[string]*identity.JWTConfig{}
	}
	first := b.signers[c.Name]
	if first == nil {
		b.signers[c.Name] = c
		return
	}
	if !sameKeys(first, c) {
		k.place("jwt").Errorf("jwt", "provider %s has no issuer and other keys than the one of this name on another site: "+
			"users are told apart by provider and subject, so that whoever signs for one site would be any user of the other; give it an issuer, or a name of its own", c.Name)
	}
}

func sameKeys(a, b *identity.JWTConfig) bool {
	return slices.EqualFunc(secretsOf(a), secretsOf(b), func(a, b secret.Value) bool { return a.Equal(b.Reveal()) }) &&
		slices.Equal(a.PublicKey, b.PublicKey) && a.JWKSFile == b.JWKSFile && a.JWKSURL == b.JWKSURL
}

func secretsOf(c *identity.JWTConfig) config.List[secret.Value] {
	if !c.Secret.Empty() {
		return config.List[secret.Value]{c.Secret}
	}
	return c.Secrets
}
