package app

import (
	"github.com/portreeve/portreeve/internal/agents"
	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/datadog"
	"github.com/portreeve/portreeve/internal/escrow"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/links"
	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/mfa"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/portal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/sms"
	"github.com/portreeve/portreeve/internal/template"
)

// File is portreeve.yaml.
type File struct {
	// Environment is prod, test or dev; the process's WORKER_ENV unless written, else prod.
	Environment template.Text `json:"environment"`
	// Listen is where requests arrive: an address or a list; 127.0.0.1:8787 unless written.
	Listen config.List[string] `json:"listen"`
	// TLS are the certificates of the public listeners: {cert, key}, or {acme: {email, cacheDir}}, or a list of them.
	TLS config.List[TLSConfig] `json:"tls"`
	// InsecurePlainHTTP lets a public listener without TLS stand in prod.
	InsecurePlainHTTP bool `json:"insecurePlainHTTP"`
	// Probes serves /livez, /readyz and /metrics and nothing else.
	Probes *ProbesConfig `json:"probes"`
	// Admin serves reload, explain and state to the people who run Portreeve.
	Admin *AdminConfig `json:"admin"`
	// Store is where tenants, users, roles and keys live: sqlite:FILE or postgres://…, or {url, migrate, maxStale}; sqlite:portreeve.db unless written. It is opened where it, a master key or a surface with stored things stands.
	Store *StoreConfig `json:"store"`
	// MasterKey seals stored columns: 32 bytes in base64, as portreeve masterkey new prints them. Outside prod one is made beside a new SQLite store.
	MasterKey secret.Value `json:"masterKey"`
	// MasterKeys are several: the first seals, all open.
	MasterKeys []MasterKeyConfig `json:"masterKeys"`
	// TrustedProxies are those whose word about the client counts, each by one header.
	TrustedProxies config.List[client.TrustedProxyConfig] `json:"trustedProxies"`
	// Tenants says which tenant callers without one of their own get.
	Tenants *policy.TenantsConfig `json:"tenants"`
	// Watch reloads when the file or one that it names changes.
	Watch bool `json:"watch"`
	// Log is how the access log is written.
	Log *LogConfig `json:"log"`
	// Audit is how the audit trail is kept from being cut short.
	Audit *AuditConfig `json:"audit"`
	// Drain bounds how long requests in flight may take after SIGTERM: 30s unless written.
	Drain config.Duration `json:"drain"`
	// DrainDelay is how long new requests are still taken after SIGTERM: 5s in prod, else 0.
	DrainDelay *config.Duration `json:"drainDelay"`
	// Limits are the bounds before authentication.
	Limits *LimitsConfig `json:"limits"`
	// Engine is std, the net/http engine.
	Engine string `json:"engine"`

	SiteKeys

	// Sites are hosts with something else on them than the default site.
	Sites []SiteConfig `json:"sites"`

	fragment bool // one route: what the rest of a file would hold is taken as given
}

// LaterKeys names what is not in this release.
func (File) LaterKeys() map[string]string {
	return with(SiteKeys{}.LaterKeys(), map[string]string{
		"decisions": "answering other proxies",
	})
}

// ForeignKeys are the older backend's data-layer keys.
func (File) ForeignKeys() []string { return SiteKeys{}.ForeignKeys() }

// SiteKeys are the keys of a site. On the top level they are the default site's;
// those up to docs are inherited by every other one.
type SiteKeys struct {
	// Access is Cloudflare Access.
	Access *identity.AccessConfig `json:"access"`
	// Firebase is Firebase Authentication.
	Firebase *identity.FirebaseConfig `json:"firebase"`
	// JWT is a token provider with a shared secret or public keys: one, or a list with names.
	JWT config.List[identity.JWTConfig] `json:"jwt"`
	// OIDC are OpenID Connect issuers.
	OIDC config.List[identity.OIDCConfig] `json:"oidc"`
	// APIKey is how API keys are read; they count where tenantApi stands, with or without this key.
	APIKey *APIKeyConfig `json:"apiKey"`
	// Machine lets machine tokens count on routes that say authProvider: machine.
	Machine *MachineConfig `json:"machine"`
	// Providers lists those that count on this site; all of them unless written.
	Providers config.List[string] `json:"providers"`
	// Auth "none" turns identification off, in test and dev alone.
	Auth string `json:"auth"`
	// IdentityHeaders are further header names that clients may not send to upstreams.
	IdentityHeaders config.List[string] `json:"identityHeaders"`
	// RBAC are the roles of the file.
	RBAC *policy.RBACConfig `json:"rbac"`
	// RateLimit counts requests.
	RateLimit *limit.Config `json:"rateLimit"`
	// CORS lets pages of other origins call.
	CORS *gateway.CORSConfig `json:"cors"`
	// Allow lets only these callers in.
	Allow *policy.MatchConfig `json:"allow"`
	// Deny keeps these callers out; it wins over allow.
	Deny *policy.MatchConfig `json:"deny"`
	// RequireMFA lists permissions: whatever of Portreeve's own operations asks for one of them asks for a second factor too. Either part may be *.
	RequireMFA config.List[string] `json:"requireMfa"`
	// SignIn is the provider that browsers without a credential are led to sign in by; it has a clientId.
	SignIn string `json:"signIn"`
	// Session is how long browsers' sessions last: {…}, or false for none. They stand where a provider has a clientId.
	Session *SessionConfig `json:"session"`
	// Strictness "report" logs paths without canonical form instead of refusing them.
	Strictness string `json:"strictness"`
	// EncodedSlash "allow" lets %2F, %5C, backslashes and escapes of escapes (%252F) stand in segments.
	EncodedSlash string `json:"encodedSlash"`
	// EmptySegments "keep" lets // stand in paths.
	EmptySegments string `json:"emptySegments"`
	// Semicolon "allow" lets ; stand in segments.
	Semicolon string `json:"semicolon"`
	// DotSegments "resolve" resolves . and .. instead of refusing them.
	DotSegments string `json:"dotSegments"`
	// PathCase "fold" compares paths without regard to case.
	PathCase string `json:"pathCase"`
	// Docs true serves the API reference, /openapi.json (also /doc) and /reference (also /ui), and this documentation at /docs/. Whoever the site is for may read them.
	Docs *bool `json:"docs"`

	// Tenant is that of the site's anonymous requests.
	Tenant string `json:"tenant"`
	// TenantAPI serves /tenant/…, /rbac/… and /usage/…: {} or false. On in a file without sites as soon as a provider is configured.
	TenantAPI *TenantAPIConfig `json:"tenantApi"`
	// MFA serves /mfa/…, second factors: {…} or false. On in a file without sites as soon as a provider is configured.
	MFA *mfa.Config `json:"mfa"`
	// Agents serves /api/agents, things that people share: {} or {collections: […]}.
	Agents *agents.Config `json:"agents"`
	// Escrow keeps machines' secrets that only a browser which knows the passphrase opens: {} or {portalOrigin: …}.
	Escrow *escrow.Config `json:"escrow"`
	// Portal is the pages that people run Portreeve by: {} or {escrow: …}. It brings tenantApi, mfa, agents and escrow to its site, unless they stand there as false.
	Portal *portal.Config `json:"portal"`
	// Login is what stands in front of an identity provider for applications: sign-in, sign-up, second factors, with risk scoring around them. It owns its site.
	Login *login.Config `json:"login"`
	// Backoffice serves POST /oauth/token for user names and passwords and nothing else. It owns its site.
	Backoffice *login.BackofficeConfig `json:"backoffice"`
	// Links is the host behind an app's links. It owns its site.
	Links *links.Config `json:"links"`
	// SMS sends people a text with a link to the app. It owns its site.
	SMS *sms.Config `json:"sms"`
	// Upstream answers routes that have no answer of their own.
	Upstream *gateway.UpstreamConfig `json:"upstream"`
	// Routes say which requests are answered and what they ask.
	Routes []gateway.RouteConfig `json:"routes"`
}

// LaterKeys names what is not in this release.
func (SiteKeys) LaterKeys() map[string]string {
	return map[string]string{
		"qa": "the QA bypass",
	}
}

// ForeignKeys are the older backend's data-layer keys.
func (SiteKeys) ForeignKeys() []string {
	return []string{"supabase", "sqlite", "databaseProvider", "credentials", "cache", "agent", "userLimits"}
}

// SiteConfig is one entry of sites.
type SiteConfig struct {
	// Hosts are the names that select the site; *.example.com matches one label.
	Hosts config.List[string] `json:"hosts" conf:"required"`

	SiteKeys
}

func with(maps ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range maps {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// ProbesConfig is the listener for orchestrators and Prometheus.
type ProbesConfig struct {
	// Listen is an address such as 127.0.0.1:9788.
	Listen string `json:"listen" conf:"required"`
}

// AdminConfig is the listener for the people who run Portreeve.
type AdminConfig struct {
	// Listen is unix:FILE, or an address together with a token.
	Listen string `json:"listen" conf:"required"`
	// Token is sent as Authorization: Bearer; at least 32 characters.
	Token secret.Value `json:"token"`
	// Pprof serves /debug/pprof/.
	Pprof bool `json:"pprof"`
}

// LogConfig is how the access log is written.
type LogConfig struct {
	// User "email" writes e-mail addresses instead of a keyed digest.
	User string `json:"user"`
	// Format is json or text; text on a terminal unless written.
	Format string `json:"format"`
	// File takes the log instead of standard error.
	File string `json:"file"`
	// Datadog ships the access log to Datadog besides, while there is an API key.
	Datadog *datadog.Config `json:"datadog"`
}

// LimitsConfig are the bounds before authentication.
type LimitsConfig struct {
	// HeadBytes bounds a request head: 64KiB unless written.
	HeadBytes config.Size `json:"headBytes"`
	// Headers bounds its fields: 100 unless written.
	Headers int `json:"headers"`
	// HeadTimeout bounds how long a head may take: 10s unless written.
	HeadTimeout config.Duration `json:"headTimeout"`
	// BodyIdle bounds the wait between bytes of a body: 30s unless written.
	BodyIdle config.Duration `json:"bodyIdle"`
	// ConnectionsPerIP bounds open connections of one address, loopback and trusted proxies excepted: 1000 unless written.
	ConnectionsPerIP int `json:"connectionsPerIP"`
	// Concurrent bounds requests at one time: 10000 unless written.
	Concurrent int `json:"concurrent"`
	// MaxStreamAge bounds how long a WebSocket, an event stream or any other answer of an upstream may run: 24h unless written.
	MaxStreamAge config.Duration `json:"maxStreamAge"`
}
