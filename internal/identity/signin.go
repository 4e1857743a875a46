package identity

import (
	"slices"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

// SignInRules let people sign in with a browser: as which client Portreeve asks
// the provider.
type SignInRules struct {
	// ClientID is Portreeve's own at the provider; with it people can sign in here with a browser.
	ClientID string `json:"clientId"`
	// ClientSecret goes with it. Without one Portreeve is a public client, which PKCE alone protects.
	ClientSecret secret.Value `json:"clientSecret"`
	// Scopes are what sign-in asks for: openid, profile and email unless set. offline_access asks for a refresh token.
	Scopes config.List[string] `json:"scopes"`
}

func (s SignInRules) validate(r *config.Reporter) {
	switch {
	case s.ClientID == "" && r.Has("clientId"):
		r.Errorf("clientId", "is empty, so nobody could sign in; give it a value, or remove the key")
	case s.ClientID == "" && !s.ClientSecret.Empty():
		r.Errorf("clientSecret", "belongs to a clientId, which is missing")
	case s.ClientID == "" && len(s.Scopes) > 0:
		r.Errorf("scopes", "are asked for at sign-in, which needs a clientId")
	case r.Has("clientSecret") && s.ClientSecret.Empty():
		r.Errorf("clientSecret", "is empty; give it a value, or remove the key for a public client")
	}
	if len(s.ClientID) > 255 || hasControl(s.ClientID) {
		r.Errorf("clientId", "is no client id")
	}
	for i, scope := range s.Scopes {
		if !scopeToken(scope) {
			r.Errorf("scopes"+config.Index(i), "is no scope: visible characters without quotes and spaces")
		}
	}
}

// scopeToken reports whether s is a scope-token (RFC 6749 section 3.3).
func scopeToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

func (s SignInRules) apply(p *Provider) {
	if s.ClientID == "" {
		return
	}
	scopes := []string(s.Scopes)
	if len(scopes) == 0 {
		scopes = []string{"openid", "profile", "email"}
	}
	if !slices.Contains(scopes, "openid") { // without it there is no ID token
		scopes = append([]string{"openid"}, scopes...)
	}
	p.client = &Client{ID: s.ClientID, Secret: s.ClientSecret, Scopes: scopes}
}

// Client is Portreeve as a client of a provider.
type Client struct {
	ID     string
	Secret secret.Value // empty: a public client
	Scopes []string     // openid among them
}

// Client is what Portreeve signs people in as; nil: nobody can sign in by this
// provider.
func (p *Provider) Client() *Client {
	if p == nil || p.Off != "" || len(p.keyed) == 0 {
		return nil
	}
	return p.client
}
