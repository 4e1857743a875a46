package assertion

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// Type is the typ of an assertion's header.
const Type = "portreeve-assertion+jwt"

// Life is how long an assertion is valid.
const Life = 60 * time.Second

// Facts is what one assertion says.
type Facts struct {
	Issuer   string // the site's origin: https://app.example
	Audience string // the upstream's name
	Subject  string // the principal's id
	Email    string // verified; "" leaves it out
	Tenant   string
	Roles    []string
	Provider string

	Method   string // as sent to the upstream
	Host     string
	Path     string
	Query    string // without '?'
	HasQuery bool
}

type claims struct {
	Issuer   string   `json:"iss"`
	Audience string   `json:"aud"`
	Subject  string   `json:"sub"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp"`
	Email    string   `json:"email,omitempty"`
	Tenant   string   `json:"tenant,omitempty"`
	Roles    []string `json:"roles,omitempty"`
	Provider string   `json:"provider,omitempty"`
	Method   string   `json:"htm"`
	Host     string   `json:"hth"`
	Path     string   `json:"htp"`
	Query    *string  `json:"qh,omitempty"`
}

// QueryHash is the qh claim: base64url, without padding, of the SHA-256 of the
// raw query without its '?'. An assertion for a request without '?' has none.
func QueryHash(query string) string {
	return digest(query)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return encode(sum[:])
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Sign makes the assertion of f, valid from now for Life.
func (k *Keys) Sign(f Facts, now time.Time) (string, error) {
	c := claims{
		Issuer: f.Issuer, Audience: f.Audience, Subject: f.Subject,
		IssuedAt: now.Unix(), Expires: now.Add(Life).Unix(),
		Email: f.Email, Tenant: f.Tenant, Roles: f.Roles, Provider: f.Provider,
		Method: f.Method, Host: f.Host, Path: f.Path,
	}
	if f.HasQuery {
		qh := QueryHash(f.Query)
		c.Query = &qh
	}
	set, err := k.at(now)
	if err != nil {
		return "", err
	}
	token, err := set.current.Sign(Type, c)
	if err != nil {
		return "", fmt.Errorf("sign an assertion: %w", err)
	}
	return token, nil
}
