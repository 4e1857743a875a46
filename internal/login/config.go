package login

import (
	"time"

	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/lockout"
	"github.com/portreeve/portreeve/internal/metric"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/userservice"
)

// Config is the key login of a site: the mobile application's way in.
type Config struct {
	ProviderConfig
	// MFA are the credentials for the provider's own MFA interface.
	MFA *MFAConfig `json:"mfa"`
	// Management are the credentials for the provider's Management API; without them /email/verify is unknown.
	Management *ManagementConfig `json:"management"`
	// Social lets people in by other people's accounts.
	Social *SocialConfig `json:"social"`
	// Session is how long session tokens (/layer/session) last.
	Session *SessionConfig `json:"session"`
	// Metrics is where what applications track (/metric/track) is sent.
	Metrics *metric.Config `json:"metrics"`
	// Risk scores attempts.
	Risk *RiskConfig `json:"risk"`
	// UserService is asked whether people may sign in, and told of new ones.
	UserService *userservice.Config `json:"userService"`
	// QA lists logins that skip risk and lock-out: test and dev only.
	QA *QAConfig `json:"qa"`
	// Reissue has Portreeve sign access and ID tokens itself, so that actions can set claims; for provider: oidc.
	Reissue bool `json:"reissue"`
	// Factors says how Portreeve's own second factors stand here, which actions ask for with provider: oidc.
	Factors *FactorsConfig `json:"factors"`
}

// BackofficeConfig is the key backoffice of a site: POST /oauth/token and nothing
// else.
type BackofficeConfig struct {
	ProviderConfig
}

// ProviderConfig is who signs people in, and Portreeve as its client.
type ProviderConfig struct {
	// Provider is auth0, or oidc for any that speaks the standard password and refresh_token grants; auth0 unless set.
	Provider string `json:"provider" conf:"oneof=auth0|oidc"`
	// BaseURL is https://tenant.auth0.com; with oidc the issuer.
	BaseURL config.URL `json:"baseURL" conf:"required"`
	// ClientID is Portreeve's.
	ClientID string `json:"clientId" conf:"required"`
	// ClientSecret is Portreeve's; with oidc a public client has none.
	ClientSecret secret.Value `json:"clientSecret"`
	// Audience is the API that tokens are for.
	Audience string `json:"audience"`
	// Connection is Auth0's database of users (the realm).
	Connection string `json:"connection"`
	// Scope is what is asked for: "openid email profile offline_access" unless set.
	Scope string `json:"scope"`
	// Timeout bounds one exchange with the provider: 10s unless set.
	Timeout config.Duration `json:"timeout"`
	// Endpoints are those of provider oidc where it has no discovery document.
	Endpoints *EndpointsConfig `json:"endpoints"`
	// Actions are scripts that run beside a login.
	Actions *actions.Config `json:"actions"`
	// Lockout bounds wrong passwords: 10 in 15 minutes for an account and address, 50 for an address, unless set.
	Lockout *lockout.Config `json:"lockout"`
}

// RiskConfig is who scores attempts.
type RiskConfig struct {
	// Castle is castle.io.
	Castle *castle.Config `json:"castle" conf:"required"`
}

// EndpointsConfig names the endpoints of provider oidc.
type EndpointsConfig struct {
	// Token is the token endpoint.
	Token config.URL `json:"token" conf:"required"`
	// Revocation is where tokens are revoked (RFC 7009).
	Revocation config.URL `json:"revocation"`
}

// MFAConfig is Portreeve as the client of Auth0's MFA API.
type MFAConfig struct {
	// Audience is that of the MFA API: <baseURL>/mfa/ unless set.
	Audience string `json:"audience"`
	// ClientID is that of login unless set.
	ClientID string `json:"clientId"`
	// ClientSecret goes with clientId.
	ClientSecret secret.Value `json:"clientSecret"`
}

// ManagementConfig is Portreeve as the client of Auth0's Management API.
type ManagementConfig struct {
	// ClientID is that of a machine-to-machine application.
	ClientID string `json:"clientId" conf:"required"`
	// ClientSecret is its secret.
	ClientSecret secret.Value `json:"clientSecret" conf:"required"`
	// Audience is <baseURL>/api/v2/ unless set.
	Audience string `json:"audience"`
}

// SocialConfig is sign-in by other people's accounts.
type SocialConfig struct {
	// Connections are those of the provider that may be used: google-oauth2, apple.
	Connections config.List[string] `json:"connections" conf:"required"`
	// ReturnURLs are where people may be sent back to: an exact URL (https://app.example/done, or one of an application's own scheme), or scheme:// for every URL of that scheme.
	ReturnURLs config.List[string] `json:"returnURLs" conf:"required"`
}

// SessionConfig is the session tokens of /layer/session.
type SessionConfig struct {
	// Lifetime is how long one lasts: 15m unless set.
	Lifetime config.Duration `json:"lifetime"`
}

// FactorsConfig is about Portreeve's own second factors.
type FactorsConfig struct {
	// Issuer is what authenticator apps call the account's side: the site's host unless set.
	Issuer string `json:"issuer"`
	// PasskeyHost is the host of the site with mfa where passkeys are registered; without it passkeys are not asked for.
	PasskeyHost string `json:"passkeyHost"`
	// PasskeyOrigins are those that may show them: https://<passkeyHost> unless set; for an Android application android:apk-key-hash:….
	PasskeyOrigins config.List[string] `json:"passkeyOrigins"`
}

// QAConfig lists logins of testers.
type QAConfig struct {
	// Emails are addresses.
	Emails config.List[string] `json:"emails"`
	// Domains are what follows the @ of addresses.
	Domains config.List[string] `json:"domains"`
}

// Standard values and bounds.
const (
	standardScope   = "openid email profile offline_access"
	standardTimeout = 10 * time.Second
	longestTimeout  = 20 * time.Second // below gateway.OperationTime, with room for an answer
	standardSession = 15 * time.Minute
	longestSession  = 24 * time.Hour
	mostListed      = 1000
)

func (c *ProviderConfig) auth0() bool { return c.Provider != "oidc" }

func (c *ProviderConfig) scope() string {
	if c.Scope == "" {
		return standardScope
	}
	return c.Scope
}

func (c *ProviderConfig) timeout() time.Duration { return c.Timeout.Or(standardTimeout) }
