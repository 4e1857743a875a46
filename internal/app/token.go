package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/jws"
)

// TokenRequest is what `portreeve token` is asked to sign.
type TokenRequest struct {
	Subject string
	Roles   []string
	Tenant  string
	Email   string
	Claims  []string // key=value; a value that is JSON is taken as JSON
	Expires time.Duration
	Now     time.Time
}

// reservedClaims have flags of their own, or would make a token that says one
// thing and is signed for another.
var reservedClaims = []string{"sub", "exp", "iat", "nbf", "iss", "aud", "jti", "role", "roles", "email"}

// Token signs a JWT with the configuration's shared secret.
func Token(s Source, t TokenRequest) (string, error) {
	l, err := Load(s)
	if err != nil {
		return "", err
	}
	// Validated as serve does: JWT_SECRET does not stand in for keys that the file
	// names, and what serve refuses to load signs nothing.
	identity.ValidateJWT(l.File.JWT, l.Doc.Report("jwt"), l.Written, map[string]bool{})
	if l.Doc.Failed() {
		return "", &ConfigError{l.Doc.Problems()}
	}
	var from *identity.JWTConfig
	for i := range l.File.JWT {
		if _, ok := l.File.JWT[i].SigningSecret(); ok {
			from = &l.File.JWT[i]
			break
		}
	}
	if from == nil {
		return "", errors.New("the configuration has no jwt with a shared secret, so there is nothing to sign with; set jwt.secret")
	}
	if longest := from.LongestAge(); t.Expires > longest {
		return "", fmt.Errorf("a token that is valid for %s would be refused: maxTokenAge is %s", t.Expires, longest)
	}
	secret, _ := from.SigningSecret()
	alg := from.Algorithm
	if alg == "" {
		alg = "HS256"
	}
	signer, err := jws.NewSigner(alg, "", secret)
	if err != nil {
		return "", fmt.Errorf("jwt.secret: %w", err)
	}
	claims, err := t.claims(from)
	if err != nil {
		return "", err
	}
	return signer.Sign("JWT", claims)
}

func (t TokenRequest) claims(from *identity.JWTConfig) (map[string]any, error) {
	claims := map[string]any{"sub": t.Subject, "iat": t.Now.Unix(), "exp": t.Now.Add(t.Expires).Unix()}
	for _, c := range t.Claims {
		name, value, ok := strings.Cut(c, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--claim %q is not KEY=VALUE", c)
		}
		if slices.Contains(reservedClaims, name) {
			return nil, fmt.Errorf("--claim %s: this claim is set by its own flag or by the configuration", name)
		}
		var parsed any
		if json.Unmarshal([]byte(value), &parsed) != nil {
			parsed = value
		}
		claims[name] = parsed
	}
	if from.Issuer != "" {
		claims["iss"] = from.Issuer
	}
	if len(from.Audience) > 0 {
		claims["aud"] = from.Audience[0]
	}
	if t.Email != "" {
		claims["email"] = t.Email
	}
	if t.Tenant != "" {
		name := from.TenantClaim
		if name == "" {
			name = "tenant_id"
		}
		claims[name] = t.Tenant
	}
	switch len(t.Roles) {
	case 0:
	case 1:
		claims["role"] = t.Roles[0]
	default:
		claims["roles"] = t.Roles
	}
	return claims, nil
}
