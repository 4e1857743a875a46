package identity

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/secret"
)

// JWTConfig is tokens signed with a shared secret or by keys given here. One of
// secret, secrets, publicKey, jwksFile and jwksURL says by which.
type JWTConfig struct {
	// Name is what routes and logs call it: jwt unless set; needed where there are several.
	Name string `json:"name"`
	// Secret is shared with whoever makes the tokens: at least 32 bytes, HS256, HS384 or HS512.
	Secret secret.Value `json:"secret" conf:"env=JWT_SECRET"`
	// Secrets are the current secret and those that still count, at most three.
	Secrets config.List[secret.Value] `json:"secrets"`
	// PublicKey is a public key or certificate in PEM, or several, at most three.
	PublicKey config.List[string] `json:"publicKey"`
	// JWKSFile is a file with a JWK Set.
	JWKSFile string `json:"jwksFile"`
	// JWKSURL is where a JWK Set is fetched.
	JWKSURL config.URL `json:"jwksURL"`
	// Algorithm is the only one accepted: any of the key's kind unless set.
	Algorithm string `json:"algorithm"`
	// Issuer is the exact iss of its tokens. Without one, tokens that no other provider names are its own.
	Issuer string `json:"issuer"`
	// Audience is what a token must be meant for: one of these. Public keys need an issuer or an audience.
	Audience config.List[string] `json:"audience"`
	TrustRules
	FactorRules
	TimeRules
}

// localKeys is how many keys of one provider are tried on a token.
const localKeys = 3

// ValidateJWT reports what is wrong with `jwt`, which is one provider or a list
// of named ones, and names the single one. r stands at the key jwt. seen holds
// the names of the providers before them and gets theirs. env is as Deps.Env.
func ValidateJWT(list config.List[JWTConfig], r *config.Reporter, env string, seen map[string]bool) {
	for i := range list {
		c, at := &list[i], r.At(config.Index(i))
		switch {
		case c.Name == "" && len(list) == 1, c.Name == KindJWT && len(list) == 1:
			c.Name = KindJWT
			seen[KindJWT] = true
		default:
			checkName(at, c.Name, seen)
		}
		c.validate(at, env)
	}
}

func (c *JWTConfig) validate(r *config.Reporter, env string) {
	if !c.Secret.Empty() && !r.Has("secret") && len(c.origins()) > 1 {
		c.Secret = secret.Value{} // JWT_SECRET, which is for a provider that names no key
	}
	switch o := c.origins(); {
	case len(o) == 0:
		r.Errorf("", "names no key: set secret (or JWT_SECRET), secrets, publicKey, jwksFile or jwksURL")
	case len(o) > 1:
		r.Errorf("", "has %s; only one of them can be where its keys come from", strings.Join(o, " and "))
	case !c.shared() && c.Issuer == "" && len(c.Audience) == 0:
		r.Errorf("", "needs an issuer or an audience: others may hold tokens by the same key")
	}
	if c.JWKSURL != "" {
		checkURL(r, "jwksURL", c.JWKSURL.String(), env)
	}
	if c.Issuer != "" && hasControl(c.Issuer) {
		r.Errorf("issuer", "holds control characters")
	}
	c.validateKeys(r)
	c.validateEmpty(r)
	checkAudiences(r, c.Audience)
	c.TrustRules.validate(r, c.Issuer, c.JWKSURL.String())
	c.FactorRules.validate(r)
	c.TimeRules.validate(r)
}

// validateEmpty refuses keys that are written and hold nothing, as a variable
// that is set to nothing leaves them: each would switch its check off.
func (c *JWTConfig) validateEmpty(r *config.Reporter) {
	for _, k := range []struct {
		key   string
		empty bool
	}{
		{"issuer", c.Issuer == ""},
		{"audience", len(c.Audience) == 0},
		{"algorithm", c.Algorithm == ""},
		{"tenantClaim", c.TenantClaim == ""},
	} {
		if k.empty && r.Has(k.key) {
			r.Errorf(k.key, "is empty, so nothing would be checked by it; give it a value, or remove the key")
		}
	}
}

func (c *JWTConfig) validateKeys(r *config.Reporter) {
	known := publicAlgorithms
	if c.shared() {
		known = sharedAlgorithms
	}
	if c.Algorithm != "" && !slices.Contains(known, c.Algorithm) {
		r.Errorf("algorithm", "is not one for this kind of key: %s", strings.Join(known, ", "))
		return
	}
	if len(c.Secrets) > localKeys {
		r.Errorf("secrets", "holds more than %d", localKeys)
	}
	if len(c.PublicKey) > localKeys {
		r.Errorf("publicKey", "holds more than %d", localKeys)
	}
	for i, s := range c.secrets() {
		if _, err := jws.NewHMAC("", s, c.Algorithm); err != nil {
			r.Errorf(c.secretPath(i), "%v", err)
		}
	}
	for i, text := range c.PublicKey {
		if _, err := jws.ParsePEM([]byte(text), "", c.Algorithm); err != nil {
			r.Errorf("publicKey"+config.Index(i), "%v", err)
		}
	}
}

func (c *JWTConfig) secretPath(i int) string {
	if !c.Secret.Empty() {
		return "secret"
	}
	return "secrets" + config.Index(i)
}

// sharedAlgorithms are those of shared secrets (RFC 7518 section 3.2).
var sharedAlgorithms = []string{"HS256", "HS384", "HS512"}

// origins lists the keys of the file that say where the keys come from.
func (c *JWTConfig) origins() []string {
	var out []string
	for _, o := range []struct {
		key  string
		here bool
	}{
		{"secret", !c.Secret.Empty()},
		{"secrets", len(c.Secrets) > 0},
		{"publicKey", len(c.PublicKey) > 0},
		{"jwksFile", c.JWKSFile != ""},
		{"jwksURL", c.JWKSURL != ""},
	} {
		if o.here {
			out = append(out, o.key)
		}
	}
	return out
}

// shared reports whether its tokens are signed with a shared secret.
func (c *JWTConfig) shared() bool { return len(c.secrets()) > 0 }

func (c *JWTConfig) secrets() []secret.Value {
	if !c.Secret.Empty() {
		return []secret.Value{c.Secret}
	}
	return c.Secrets
}

// SigningSecret is the secret that `portreeve token` signs with: secret, or the
// first of secrets.
func (c *JWTConfig) SigningSecret() (s secret.Value, ok bool) {
	if list := c.secrets(); len(list) > 0 {
		return list[0], true
	}
	return secret.Value{}, false
}

// LongestAge is how far ahead a token may expire.
func (c *JWTConfig) LongestAge() time.Duration {
	switch {
	case c.MaxTokenAge != nil:
		return c.MaxTokenAge.Std()
	case c.shared():
		return defaultMaxAgeHMAC
	}
	return defaultMaxAge
}

// NewJWT builds a provider from valid settings. The error names what is wrong
// with its keys and quotes none of them.
func NewJWT(c *JWTConfig, d Deps) (*Provider, error) {
	p := &Provider{
		Name: c.Name, Kind: KindJWT, source: bearer, audience: c.Audience,
		algs: publicAlgorithms, emailTrusted: c.shared(),
	}
	if p.Name == "" {
		p.Name = KindJWT
	}
	if c.shared() {
		p.algs = sharedAlgorithms
	}
	if c.Algorithm != "" {
		p.algs = []string{c.Algorithm}
	}
	c.TimeRules.apply(p, c.LongestAge())
	c.TrustRules.apply(p, c.shared(), c.shared())
	c.FactorRules.apply(p)

	source := keyset.Config{Name: p.Name, URL: c.JWKSURL.String()}
	origin := []string{source.URL}
	if c.JWKSFile != "" {
		source.File = d.path(c.JWKSFile)
		p.files, origin = []string{source.File}, []string{source.File}
	}
	if source.URL == "" && source.File == "" {
		var err error
		if source.Static, err = c.static(); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		for _, k := range source.Static {
			origin = append(origin, k.Thumbprint())
		}
		if !c.shared() { // so that another algorithm is called what it is
			p.algs = algorithmsOf(source.Static)
		}
	}
	set := d.keySet(source)
	if source.File != "" {
		if h := set.Health(); !h.Ready {
			return nil, fmt.Errorf("%s: jwksFile: %s", p.Name, h.Err)
		}
	}
	p.keyed = []keyed{{c.Issuer, set}}
	return p.seal(d.Env, origin...), nil
}

func algorithmsOf(keys []*jws.Key) (out []string) {
	for _, k := range keys {
		if !slices.Contains(out, k.Alg) {
			out = append(out, k.Alg)
		}
	}
	return out
}

// static makes the keys that stand in the file.
func (c *JWTConfig) static() ([]*jws.Key, error) {
	var out []*jws.Key
	for _, s := range c.secrets() {
		k, err := jws.NewHMAC("", s, c.Algorithm)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	for _, text := range c.PublicKey {
		k, err := jws.ParsePEM([]byte(text), "", c.Algorithm)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}
