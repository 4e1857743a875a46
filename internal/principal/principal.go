// Package principal says who a caller is: the words that every room shares.
// It does no I/O and knows no transport.
package principal

import (
	"encoding/json"
	"time"
)

// Kind sorts callers as /.portreeve/whoami names them.
type Kind string

// The kinds of caller.
const (
	Anonymous Kind = "anonymous"
	User      Kind = "user"
	Service   Kind = "service" // an API key, or an Access service token, known by its common name
	Machine   Kind = "machine"
)

// Principal is what a verified credential proved, and nothing else: it is
// immutable and shared by all requests that present the same credential. What
// Portreeve grants on top (tenant, roles, permissions) is worked out anew for
// every decision, see policy.Standing.
type Principal struct {
	Kind         Kind
	Provider     string // the configured name: "access", "jwt", "entra"
	ProviderKind string // access | firebase | oidc | jwt | apiKey | machine | session
	// Via is the kind of the provider that signed a session in, whose name is
	// Provider: a session counts where that one does. "" of everything else.
	Via string

	Issuer        string
	Subject       string
	Email         string // as the provider wrote it
	EmailFolded   string // for comparison; "" unless EmailVerified
	EmailDomain   string // folded, what follows the only '@'; "" unless EmailVerified
	EmailVerified bool
	CommonName    string // of a service token

	Audience []string
	Scopes   []string // the scope claim, split
	Groups   []string // the groups claim
	Roles    []string // role and roles claims, as claimed: only a trusted provider's count
	Tenant   string   // the tenant claim, as claimed: only a trusted provider's counts

	// CredentialID is the row of a key or machine token, SecretDigest the digest of
	// the one of its secrets that matched, in hexadecimal. A session has the latter
	// too, of the cookie that was shown.
	CredentialID, SecretDigest string
	// SessionID is the row of a session.
	SessionID string
	// SecondFactor says that the token tells of a second factor by its amr claim,
	// and that its provider is trusted for it (trustAmr).
	SecondFactor bool

	TrustRoles  bool // the provider's word about roles counts
	TrustTenant bool // the provider's word about the tenant counts
	// SharedSecret reports that the provider's tokens are signed with a secret
	// that stands in the configuration.
	SharedSecret bool
	// IssuerFree reports that the provider is configured without an issuer: iss
	// takes no part in who somebody is.
	IssuerFree bool
	// Realm is the first issuer of a provider that has several, all of which speak of
	// the same accounts: Firebase's ID tokens and session cookies. "" elsewhere.
	Realm string

	// Claims is the whole verified payload. Nobody writes to it. Numbers are
	// json.Number.
	Claims map[string]any
	// Raw is the payload as it was signed.
	Raw json.RawMessage

	AuthTime time.Time // zero when the credential does not say
	// Anew reports of a session that its sign-in asked the provider to authenticate
	// anew: only then does its beginning say when somebody was asked who they are.
	Anew     bool
	IssuedAt time.Time // zero when the credential does not say
	Expires  time.Time // never zero for a token, always for a key: what is stored tells
}

// Nobody is the anonymous principal.
var nobody = &Principal{Kind: Anonymous}

// Nobody returns the anonymous principal.
func Nobody() *Principal { return nobody }

// Authenticated reports whether a credential stands behind the principal.
func (p *Principal) Authenticated() bool { return p != nil && p.Kind != Anonymous }

// Authority is the issuer that takes part in who somebody is: one account has one,
// whatever sort of token it shows. "" where the provider is configured without.
func (p *Principal) Authority() string {
	switch {
	case p.IssuerFree:
		return ""
	case p.Realm != "":
		return p.Realm
	}
	return p.Issuer
}

// ID is the short name for logs and headers: the subject, or the common name
// of a service token.
func (p *Principal) ID() string {
	if p == nil {
		return ""
	}
	if p.Subject == "" {
		return p.CommonName
	}
	return p.Subject
}
