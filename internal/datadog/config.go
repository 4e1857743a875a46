package datadog

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/secret"
)

// Config is the key log.datadog.
type Config struct {
	// APIKey is the organisation's; nothing is shipped while it is empty.
	APIKey secret.Value `json:"apiKey" conf:"env=DATADOG_API_KEY"`
	// Site is Datadog's, as in its own settings: datadoghq.com, datadoghq.eu, us5.datadoghq.com.
	Site string `json:"site" conf:"default=datadoghq.com"`
	// Service is what the entries are filed under.
	Service string `json:"service" conf:"default=portreeve"`
	// Tags are added to every entry, like team:identity. env and version are there already, unless one of these says otherwise.
	Tags config.List[string] `json:"tags"`
	// BaseURL is where the intake is: https://http-intake.logs.SITE unless written.
	BaseURL config.URL `json:"baseURL"`
}

const (
	maxTags = 50
	maxTag  = 200 // Datadog's
)

// On reports whether anything is shipped.
func (c *Config) On() bool { return c != nil && !c.APIKey.Empty() }

// base is the intake's address.
func (c *Config) base() string {
	if c.BaseURL != "" {
		return c.BaseURL.String()
	}
	return "https://http-intake.logs." + c.Site
}

// Validate reports what the types cannot say. plain lets the address be http.
func (c *Config) Validate(r *config.Reporter, plain bool) {
	switch {
	case !hostName(c.Site):
		r.Errorf("site", "is no site of Datadog's; write it like datadoghq.com or datadoghq.eu")
	case strings.HasPrefix(c.Site, "app.") || strings.HasPrefix(c.Site, "http-intake."):
		r.Errorf("site", "begins with what is not part of it; write it like datadoghq.com or us5.datadoghq.com")
	}
	if c.BaseURL != "" {
		if _, err := outbound.New(outbound.Options{BaseURL: c.BaseURL.String(), Plain: plain}); err != nil {
			r.Errorf("baseURL", "%v", err)
		}
	}
	if c.Service == "" || len(c.Service) > 100 || strings.ContainsFunc(c.Service, func(r rune) bool { return r <= ' ' || r == 0x7f || r == ',' }) {
		r.Errorf("service", "is one word of at most 100 characters")
	}
	if key := c.APIKey.Reveal(); strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		r.Errorf("apiKey", "holds white space, or something else that no key holds")
	}
	if len(c.Tags) > maxTags {
		r.Errorf("tags", "more than %d", maxTags)
	}
	for i, tag := range c.Tags {
		if key, _, pair := strings.Cut(tag, ":"); key == "" || !pair || len(tag) > maxTag || strings.ContainsFunc(tag, func(r rune) bool { return r <= ' ' || r == 0x7f || r == ',' }) {
			r.Errorf("tags"+config.Index(i), "is no tag; write it like team:identity, without blanks and commas")
		}
	}
}

func hostName(s string) bool {
	return strings.Contains(s, ".") && len(s) < 200 && !strings.HasPrefix(s, ".") && !strings.HasSuffix(s, ".") && !strings.Contains(s, "..") &&
		!strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' })
}

// tags are those of every entry, as ddtags has them.
func (c *Config) tags(env, version string) string {
	list := slices.Clone(c.Tags)
	for _, own := range [...]struct{ key, value string }{{"env:", env}, {"version:", version}} {
		if own.value != "" && !slices.ContainsFunc(list, func(t string) bool { return strings.HasPrefix(t, own.key) }) {
			list = append(list, own.key+own.value)
		}
	}
	return strings.Join(list, ",")
}
