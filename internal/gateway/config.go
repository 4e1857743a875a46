package gateway

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/template"
)

// RouteConfig is one route: which requests it is for, what it asks of them and
// how they are answered.
type RouteConfig struct {
	// Path is the pattern: segments, ":name" for one of them, a last "*" for the rest.
	Path string `json:"path" conf:"required"`
	// Method is one method, a list, or "any".
	Method config.List[string] `json:"method" conf:"required"`
	// Description is for people: the API reference (docs: true) shows it.
	Description string `json:"description"`
	// Tags group routes in the API reference.
	Tags config.List[string] `json:"tags"`

	policy.Requirements

	// Identify "none" looks at no credential: the caller's Authorization and cookies go to the upstream as they are.
	Identify string `json:"identify"`
	// RateLimit counts on top of the site's.
	RateLimit *limit.RuleConfig `json:"rateLimit"`
	// CORS replaces the site's.
	CORS *CORSConfig `json:"cors"`

	// Upstream is where matching requests go.
	Upstream *UpstreamConfig `json:"upstream"`
	// Data is a JSON answer; strings may hold templates.
	Data *template.Tree `json:"data"`
	// Response is a text answer.
	Response *template.Text `json:"response"`
	// Redirect is a URL, or {to, status}.
	Redirect *RedirectConfig `json:"redirect"`
	// Status is the status of data and response: 200 unless set.
	Status int `json:"status"`
	// Headers are set on data and response answers.
	Headers map[string]template.Text `json:"headers"`
	// SharedCache true lets shared caches keep the answers of a route with requirements.
	SharedCache bool `json:"sharedCache"`
}

// ForeignKeys are the older backend's data-layer keys.
func (RouteConfig) ForeignKeys() []string {
	return []string{"supabaseQueries", "firebaseQueries", "integrations", "workflow", "excludeFields"}
}

// LaterKeys names what is not in this release.
func (RouteConfig) LaterKeys() map[string]string {
	return map[string]string{"cache": "the older backend's answer cache; sharedCache: true lets shared caches keep answers"}
}

// RedirectConfig is a redirect answer.
type RedirectConfig struct {
	// To is the target; each template is encoded for its place.
	To template.Text `json:"to" conf:"required"`
	// Status is 301, 302, 303, 307 or 308; 302 unless set.
	Status int `json:"status"`
}

// DecodeConfig takes a URL or {to, status}.
func (c *RedirectConfig) DecodeConfig(v *config.Value) {
	if v.Kind() == config.Scalar {
		v.Decode(&c.To)
		return
	}
	type plain RedirectConfig
	v.Decode((*plain)(c))
}

// CORSConfig lets pages of other origins call.
type CORSConfig struct {
	// Origins are exact: https://app.example.com. "*" only without credentials.
	Origins config.List[string] `json:"origins" conf:"required"`
	// Methods that a preflight allows; those of the path unless set.
	Methods config.List[string] `json:"methods"`
	// Headers that a preflight allows; Authorization, Content-Type and X-API-Key unless set.
	Headers config.List[string] `json:"headers"`
	// Credentials lets the browser send cookies.
	Credentials bool `json:"credentials"`
	// MaxAge is how long a browser may remember a preflight.
	MaxAge config.Duration `json:"maxAge"`
}

// UpstreamConfig is where requests go and how they look when they arrive.
type UpstreamConfig struct {
	// URL is http://host:port or https://… with an optional base path, or unix:FILE.
	URL config.URL `json:"url"`
	// URLs are several such URLs: the members among which requests are balanced.
	URLs config.List[config.URL] `json:"urls"`
	// Balance is roundRobin or leastConnections; roundRobin unless set.
	Balance string `json:"balance"`
	// Retries is how often a request that is safe to repeat may be tried at another member, within one retry for ten requests; 1 unless set.
	Retries *int `json:"retries"`
	// HealthCheck asks each member for its health; without it only failed connections count.
	HealthCheck *HealthCheckConfig `json:"healthCheck"`
	// TLS is for https URLs: the system's authorities and no certificate of ours unless set.
	TLS *UpstreamTLSConfig `json:"tls"`
	// Name is what assertions are addressed to (aud), and what metrics call the upstream; the URL's host unless set.
	Name string `json:"name"`
	// StripPrefix is taken off the path before it is sent.
	StripPrefix string `json:"stripPrefix"`
	// Rewrite is the path to send instead: /v2/users/{{params.id}}. Each template stays within one segment.
	Rewrite *template.Text `json:"rewrite"`
	// Headers sets and removes request headers.
	Headers UpstreamHeaders `json:"headers"`
	// Timeout bounds the wait for the head of the answer: 60s unless set.
	Timeout config.Duration `json:"timeout"`
	// ConnectTimeout bounds connecting: 5s unless set.
	ConnectTimeout config.Duration `json:"connectTimeout"`
	// IdleTimeout bounds the wait between bytes of a body: 5m unless set.
	IdleTimeout config.Duration `json:"idleTimeout"`
	// HTTP2 speaks HTTP/2 to https URLs that take it, HTTP/1.1 to the others.
	HTTP2 bool `json:"http2"`
	// H2C speaks HTTP/2 without TLS to http URLs and sockets, which must take it.
	H2C bool `json:"h2c"`
	// RequestTrailers are the names of request trailers that go on; those of gRPC do anyway.
	RequestTrailers config.List[string] `json:"requestTrailers"`
	// MaxBody bounds the request body; unset means no bound.
	MaxBody config.Size `json:"maxBody"`
	// AccessHeaders adds Cf-Access-Authenticated-User-Email.
	AccessHeaders bool `json:"accessHeaders"`
	// Assertion adds X-Portreeve-Assertion, a short-lived signed statement of who calls.
	Assertion bool `json:"assertion"`
	// PassCredential sends the caller's credential on.
	PassCredential bool `json:"passCredential"`
}

// UpstreamHeaders changes the request's headers on their way.
type UpstreamHeaders struct {
	// Set puts a header, replacing what the client sent. {{secret:KEY}} is a secret of the caller's tenant.
	Set map[string]template.Text `json:"set" conf:"sensitive"`
	// Remove drops headers.
	Remove config.List[string] `json:"remove"`
}

// HealthCheckConfig is how members are asked for their health.
type HealthCheckConfig struct {
	// Path is asked for by GET, as it stands: no base path comes before it. 2xx and 3xx are well.
	Path string `json:"path" conf:"required"`
	// Interval lies between two checks: 10s unless set. Two in a row change a verdict.
	Interval config.Duration `json:"interval"`
}

// UpstreamTLSConfig is what https upstreams are asked for and shown.
type UpstreamTLSConfig struct {
	// CA is a file of the authorities that count instead of the system's, in PEM form.
	CA string `json:"ca"`
	// Cert is a file with the certificate that is shown to the upstream, in PEM form.
	Cert string `json:"cert"`
	// Key is a file with its private key.
	Key string `json:"key"`
	// ServerName is what the upstream's certificate must be for: the URL's host unless set.
	ServerName string `json:"serverName"`
}

// DecodeConfig takes a URL or the whole form.
func (c *UpstreamConfig) DecodeConfig(v *config.Value) {
	if v.Kind() == config.Scalar {
		v.Decode(&c.URL)
		return
	}
	type fields UpstreamConfig
	v.Decode((*fields)(c))
}

// Shapes are what upstream takes.
func (UpstreamConfig) Shapes() []any { return []any{config.URL(""), UpstreamConfig{}} }

// Shapes are what redirect takes.
func (RedirectConfig) Shapes() []any { return []any{template.Text{}, RedirectConfig{}} }
