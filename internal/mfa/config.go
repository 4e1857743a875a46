package mfa

import (
	"time"

	"github.com/portreeve/portreeve/internal/config"
)

// Config is the key mfa of a file or site: the surface of second factors. {}
// switches it on.
type Config struct {
	// StepUpFor is how long a second factor counts once it was shown: 10m unless written, at most 24h.
	StepUpFor config.Duration `json:"stepUpFor"`
	// Issuer is what authenticator apps call the account's side: the site's host unless written.
	Issuer string `json:"issuer"`

	off bool
}

const (
	standardStepUp = 10 * time.Minute
	longestStepUp  = 24 * time.Hour
)

// DecodeConfig takes {…} or false.
func (c *Config) DecodeConfig(v *config.Value) {
	if on, is := v.Bool(); is {
		if c.off = !on; on {
			v.Errorf("takes {} (on) or false (off)")
		}
		return
	}
	type plain Config
	v.Decode((*plain)(c))
}

// Shapes are what mfa takes.
func (Config) Shapes() []any { return []any{false, Config{}} }

// Validate reports what the types cannot say.
func (c *Config) Validate(r *config.Reporter) {
	if d := c.StepUpFor.Std(); r.Has("stepUpFor") && (d < time.Second || d > longestStepUp) {
		r.Errorf("stepUpFor", "must be from 1s to 24h")
	}
	if !plainText(c.Issuer, 64) || hasColon(c.Issuer) {
		r.Errorf("issuer", "must be at most 64 characters on one line, without a colon")
	}
}

// On reports whether the surface stands. A nil Config is one that nobody wrote.
func (c *Config) On() bool { return c != nil && !c.off }

// Settings are a Config with its standard values filled in.
type Settings struct {
	StepUpFor time.Duration
	Issuer    string // "": the site's host
}

// Resolve fills in the standard values.
func (c *Config) Resolve() Settings {
	if c == nil {
		return Settings{StepUpFor: standardStepUp}
	}
	return Settings{StepUpFor: min(c.StepUpFor.Or(standardStepUp), longestStepUp), Issuer: c.Issuer}
}
