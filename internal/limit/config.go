package limit

import (
	"fmt"
	"time"

	"github.com/portreeve/portreeve/internal/config"
)

const (
	longestWindow = 31 * 24 * time.Hour
	highestMax    = 100_000_000
)

// Config is the key rateLimit of a file or site.
type Config struct {
	// Enabled false switches off the limits here and in perEndpoint, but not those of single routes.
	Enabled *bool `json:"enabled"`
	// Default counts every request to the site.
	Default *RuleConfig `json:"default"`
	// PerEndpoint counts besides, by a route's path as it is written in the file.
	PerEndpoint map[string]RuleConfig `json:"perEndpoint"`
}

// LaterKeys names what is not in this release.
func (Config) LaterKeys() map[string]string {
	return map[string]string{"store": "rate limits shared by several nodes"}
}

// RuleConfig is one limit: a route's rateLimit, or one within the site's.
type RuleConfig struct {
	// WindowMs is the window in milliseconds; no span of that length ever holds more than max.
	WindowMs int64 `json:"windowMs" conf:"required"`
	// Max is how many requests a window may hold.
	Max int `json:"max" conf:"required"`
	// By is whom requests count for: ip (the client address; IPv6 by /64, and by /48 at 16 times max) unless set.
	By string `json:"by" conf:"oneof=ip|principal|tenant|key"`
}

// Rule is the limit itself.
func (c RuleConfig) Rule() Rule {
	return Rule{Window: time.Duration(c.WindowMs) * time.Millisecond, Max: c.Max}
}

// Validate reports what the types cannot say.
func (c *Config) Validate(r *config.Reporter) {
	if c.Default != nil {
		c.Default.Validate(r.At("default"))
	}
	for path, rule := range c.PerEndpoint {
		rule.Validate(r.At("perEndpoint").At(config.Key(path)))
	}
}

// Validate reports what the types cannot say. A limit that admits nobody is an
// error: it is a mistake more often than a wish, and deny says it better.
func (c RuleConfig) Validate(r *config.Reporter) {
	if r.Has("windowMs") && (c.WindowMs < 1 || c.WindowMs > longestWindow.Milliseconds()) {
		r.Errorf("windowMs", "must be from 1 to %d (31 days), in milliseconds", longestWindow.Milliseconds())
	}
	if r.Has("max") && (c.Max < 1 || c.Max > highestMax) {
		r.Errorf("max", "must be from 1 to %d", highestMax)
	}
}

// Wrong tells add what is wrong with a limit that comes from elsewhere than the
// file: the same bounds as there.
func (c RuleConfig) Wrong(add func(field, issue string)) {
	if c.WindowMs < 1 || c.WindowMs > longestWindow.Milliseconds() {
		add("windowMs", fmt.Sprintf("must be from 1 to %d (31 days), in milliseconds", longestWindow.Milliseconds()))
	}
	if c.Max < 1 || c.Max > highestMax {
		add("max", fmt.Sprintf("must be from 1 to %d", highestMax))
	}
}
