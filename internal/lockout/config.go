package lockout

import (
	"time"

	"github.com/portreeve/portreeve/internal/config"
)

// Defaults and bounds.
const (
	defaultPerAccount = 10
	defaultPerIP      = 50
	defaultWindow     = 15 * time.Minute
	longestWindow     = 24 * time.Hour
	highestMax        = 1000 // a counter keeps its moments
)

// Config is the key lockout.
type Config struct {
	// PerAccount is how many wrong passwords one address may send for one account: 10 in 15 minutes unless set.
	PerAccount *RuleConfig `json:"perAccount"`
	// PerIP is how many wrong passwords one address may send for all accounts: 50 in 15 minutes unless set.
	PerIP *RuleConfig `json:"perIP"`
}

// RuleConfig is one limit: no span of windowMs ever holds more than max.
type RuleConfig struct {
	// Max is how many wrong passwords a window may hold.
	Max int `json:"max" conf:"required"`
	// WindowMs is the window in milliseconds.
	WindowMs int64 `json:"windowMs" conf:"required"`
}

// Validate reports what the types cannot say.
func (c *Config) Validate(r *config.Reporter) {
	for key, rule := range map[string]*RuleConfig{"perAccount": c.PerAccount, "perIP": c.PerIP} {
		if rule == nil {
			continue
		}
		at := r.At(key)
		if at.Has("max") && (rule.Max < 1 || rule.Max > highestMax) {
			at.Errorf("max", "must be from 1 to %d", highestMax)
		}
		if at.Has("windowMs") && (rule.WindowMs < 1000 || rule.WindowMs > longestWindow.Milliseconds()) {
			at.Errorf("windowMs", "must be from 1000 to %d (a day), in milliseconds", longestWindow.Milliseconds())
		}
	}
}

// rule is a limit: at most max in any span of window.
type rule struct {
	max    int
	window time.Duration
}

func (c *RuleConfig) or(most int) rule {
	if c == nil {
		return rule{most, defaultWindow}
	}
	return rule{clamp(c.Max), time.Duration(c.WindowMs) * time.Millisecond}
}

func (c *Config) rules() (account, ip rule) {
	if c == nil {
		c = &Config{}
	}
	return c.PerAccount.or(defaultPerAccount), c.PerIP.or(defaultPerIP)
}

// clamp keeps a limit one that a counter can hold.
func clamp(most int) int { return min(max(most, 1), highestMax) }
