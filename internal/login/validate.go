package login

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// relaxed reports whether what weakens checks may be used.
func relaxed(env string) bool { return env == "test" || env == "dev" }

// Validate reports what the types cannot say. env is prod, test or dev as the file
// itself says it; prod where it says nothing.
func (c *Config) Validate(r *config.Reporter, env string) {
	c.ProviderConfig.Validate(r, env)
	if !c.auth0() {
		for _, k := range []struct {
			key string
			set bool
		}{{"mfa", c.MFA != nil}, {"management", c.Management != nil}, {"social", c.Social != nil}} {
			if k.set {
				r.Errorf(k.key, "is for Auth0's own interfaces, which provider: oidc has not")
			}
		}
	}
	if c.MFA != nil && (c.MFA.ClientID == "") != c.MFA.ClientSecret.Empty() {
		r.Errorf("mfa", "clientId and clientSecret go together")
	}
	if c.Social != nil {
		c.Social.Validate(r.At("social"))
	}
	if c.Session != nil {
		if d := c.Session.Lifetime.Std(); r.Has("session.lifetime") && (d < time.Minute || d > longestSession) {
			r.Errorf("session.lifetime", "must be from 1m to 24h")
		}
	}
	if c.Risk != nil && c.Risk.Castle != nil {
		c.Risk.Castle.Validate(r.At("risk.castle"))
	}
	if c.UserService != nil {
		c.UserService.Validate(r.At("userService"))
	}
	if c.QA != nil {
		c.QA.Validate(r.At("qa"), env)
	}
	if c.Reissue && (c.auth0() || c.Audience == "") {
		r.Errorf("reissue", "is for provider: oidc with an audience; Auth0's own Actions set claims of its tokens")
	}
	if c.Factors != nil {
		c.Factors.Validate(r.At("factors"), c.auth0())
	}
}

// Validate reports what the types cannot say.
func (c *FactorsConfig) Validate(r *config.Reporter, auth0 bool) {
	if auth0 {
		r.Errorf("", "is for provider: oidc; with auth0 the factors are Auth0's")
	}
	if len(c.Issuer) > 64 || strings.ContainsFunc(c.Issuer, func(r rune) bool { return r < ' ' || r == ':' || r == 0x7f }) {
		r.Errorf("issuer", "must be at most 64 characters on one line, without a colon")
	}
	if c.PasskeyHost != "" {
		if host, ok := request.CanonicalHost(c.PasskeyHost); !ok || host != c.PasskeyHost || strings.HasPrefix(host, "[") {
			r.Errorf("passkeyHost", "must be a host name in lower case, without scheme and port")
		}
	} else if len(c.PasskeyOrigins) > 0 {
		r.Errorf("passkeyOrigins", "needs passkeyHost")
	}
	for i, o := range c.PasskeyOrigins {
		rest, web := strings.CutPrefix(o, "https://")
		key, android := strings.CutPrefix(o, "android:apk-key-hash:")
		if web && (rest == "" || strings.ContainsAny(rest, "/?#@ ")) || android && key == "" || !web && !android {
			r.Errorf("passkeyOrigins"+config.Index(i), "must be https:// and a host, or android:apk-key-hash: and a hash")
		}
	}
}

// Validate is that of Config.
func (c *BackofficeConfig) Validate(r *config.Reporter, env string) {
	c.ProviderConfig.Validate(r, env)
}

// Validate is that of Config.
func (c *ProviderConfig) Validate(r *config.Reporter, env string) {
	checkURL(r, "baseURL", c.BaseURL, env)
	if d := c.timeout(); d < 100*time.Millisecond || d > longestTimeout {
		r.Errorf("timeout", "must be from 100ms to %s", longestTimeout)
	}
	if strings.ContainsFunc(c.Scope, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		r.Errorf("scope", "must be words separated by spaces")
	}
	if c.Lockout != nil {
		c.Lockout.Validate(r.At("lockout"))
	}
	if c.Actions != nil {
		c.Actions.Validate(r.At("actions"), relaxed(env))
	}
	if c.auth0() {
		for _, k := range []struct{ key, value string }{{"audience", c.Audience}, {"connection", c.Connection}} {
			if k.value == "" {
				r.Errorf(k.key, "is required with provider: auth0")
			}
		}
		if c.ClientSecret.Empty() {
			r.Errorf("clientSecret", "is required with provider: auth0")
		}
		if c.Endpoints != nil {
			r.Errorf("endpoints", "is for provider: oidc; those of auth0 are known")
		}
		return
	}
	if c.Connection != "" {
		r.Errorf("connection", "is Auth0's; provider: oidc has none")
	}
	if c.Endpoints != nil {
		checkURL(r, "endpoints.token", c.Endpoints.Token, env)
		if c.Endpoints.Revocation != "" {
			checkURL(r, "endpoints.revocation", c.Endpoints.Revocation, env)
		} else {
			r.Warnf("endpoints", "without revocation, tokens that are withheld after a late refusal stay valid until they expire")
		}
	}
}

func checkURL(r *config.Reporter, key string, raw config.URL, env string) {
	if raw == "" {
		return // required says so
	}
	u, err := url.Parse(raw.String())
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		r.Errorf(key, "is not a URL with https:// and a host")
	case u.Scheme == "http" && !relaxed(env):
		r.Errorf(key, "must be https: passwords go there; http needs `environment: test` or `dev` in the file")
	case u.User != nil:
		r.Errorf(key, "must not hold a user name or password")
	case u.RawQuery != "" || u.Fragment != "":
		r.Errorf(key, "must not have a query or fragment")
	}
}

var connectionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)

// Validate reports connections that are no names and returns that lead anywhere.
func (c *SocialConfig) Validate(r *config.Reporter) {
	for i, name := range c.Connections {
		if !connectionName.MatchString(name) || name == "callback" {
			r.Errorf("connections"+config.Index(i), "must be the name of a connection: letters, digits, - and _")
		}
	}
	for i, raw := range c.ReturnURLs {
		if why := wrongReturn(raw); why != "" {
			r.Errorf("returnURLs"+config.Index(i), "%s", why)
		}
	}
}

var schemeName = regexp.MustCompile(`^[a-z][a-z0-9+.-]{1,62}$`)

// browserSchemes are those by which a browser runs or shows something itself.
const browserSchemes = " http https javascript data vbscript file blob about view-source filesystem ws wss ftp mailto tel sms intent "

// wrongReturn says what is wrong with one of returnURLs; "" where nothing is.
func wrongReturn(raw string) string {
	if scheme, ok := strings.CutSuffix(raw, "://"); ok {
		if !schemeName.MatchString(scheme) || strings.Contains(browserSchemes, " "+scheme+" ") {
			return "must be a scheme that belongs to one application: com.example.app://"
		}
		return ""
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme == "" || u.Opaque != "" || u.User != nil || u.Fragment != "":
		return "must be a URL without user name and fragment, or scheme://"
	case u.Scheme == "https" && u.Host != "":
		return ""
	case u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"):
		return "" // an application on the user's own machine (RFC 8252 section 7.3)
	case !schemeName.MatchString(u.Scheme) || strings.Contains(browserSchemes, " "+u.Scheme+" "):
		return "must be https, or an application's own scheme"
	}
	return ""
}

// Validate refuses the list in prod: it would be a way around every check.
func (c *QAConfig) Validate(r *config.Reporter, env string) {
	if !relaxed(env) {
		r.Errorf("", "skips risk and lock-out; it needs `environment: test` or `dev` in the file")
	}
	if len(c.Emails)+len(c.Domains) > mostListed {
		r.Errorf("", "lists more than %d", mostListed)
	}
	for i, e := range c.Emails {
		if _, _, ok := principal.FoldEmail(e); !ok {
			r.Errorf("emails"+config.Index(i), "is not an e-mail address")
		}
	}
	for i, d := range c.Domains {
		if _, domain, ok := principal.FoldEmail("x@" + d); !ok || domain == "" {
			r.Errorf("domains"+config.Index(i), "is not a domain")
		}
	}
}
