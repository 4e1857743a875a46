package identity

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/keyset"
	"time"
)

// OIDCConfig is one OpenID Connect issuer, found by discovery.
type OIDCConfig struct {
	// Name is what routes and logs call it.
	Name string `json:"name" conf:"required"`
	// Issuer is its exact iss; its keys come by its discovery document.
	Issuer config.URL `json:"issuer" conf:"required"`
	// Audience is what a token must be meant for: one of these.
	Audience config.List[string] `json:"audience" conf:"required"`
	SignInRules
	TrustRules
	FactorRules
	TimeRules
}

// Validate reports what is wrong with the settings. seen holds the names of the
// providers before it and gets this one's. env is as Deps.Env.
func (c *OIDCConfig) Validate(r *config.Reporter, env string, seen map[string]bool) {
	if c.Name != "" {
		checkName(r, c.Name, seen)
	}
	if c.Issuer != "" {
		checkURL(r, "issuer", c.Issuer.String(), env)
	}
	checkAudiences(r, c.Audience)
	c.SignInRules.validate(r)
	c.TrustRules.validate(r, c.Issuer.String())
	c.FactorRules.validate(r)
	c.TimeRules.validate(r)
}

// NewOIDC builds the provider from valid settings.
func NewOIDC(c *OIDCConfig, d Deps) *Provider {
	issuer := c.Issuer.String()
	p := &Provider{
		Name: c.Name, Kind: KindOIDC, source: bearer, algs: publicAlgorithms,
		audience: c.Audience, extra: subjectRule,
		keyed: []keyed{{issuer, d.keySet(keyset.Config{Name: c.Name, Issuer: issuer})}},
	}
	c.TimeRules.apply(p, defaultMaxAge)
	c.TrustRules.apply(p, false, false)
	c.FactorRules.apply(p)
	c.SignInRules.apply(p)
	return p.seal(d.Env, "discovery")
}

// publicAlgorithms are those of public keys.
var publicAlgorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// subjectRule: a token says whom it is about (OpenID Connect Core section 2,
// RFC 9068 section 2.2).
func subjectRule(_ *Provider, c *claims, _ time.Time) *refusal {
	if c.subject == "" {
		return malformed("no sub")
	}
	return nil
}
