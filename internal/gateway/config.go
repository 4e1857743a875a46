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
	// Description is for people: the check table and, later, the API reference.
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
	later := map[string]string{"cache": "the older backend's answer cache; sharedCache: true lets shared caches keep answers"}
	for k, v := range (policy.Requirements{}).LaterKeys() {
		later[k] = v
	}
	return later
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
	// URL is http://host:port with an optional base path.
	URL config.URL `json:"url"`
	// URLs is a list of one such URL.
	URLs config.List[config.URL] `json:"urls"`
	// Name is what assertions are addressed to (aud); the URL's host unless set.
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
	// Set puts a header, replacing what the client sent. {{secret:KEY}} comes with tenant secrets.
	Set map[string]template.Text `json:"set"`
	// Remove drops headers.
	Remove config.List[string] `json:"remove"`
}

// LaterKeys names what is not in this release.
func (UpstreamConfig) LaterKeys() map[string]string {
	return map[string]string{
		"retries":     "retries to another member",
		"healthCheck": "active health checks",
		"balance":     "load balancing",
		"tls":         "client certificates and own authorities for upstreams",
	}
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
