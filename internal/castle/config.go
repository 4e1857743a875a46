package castle

import (
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

const (
	defaultBaseURL = "https://api.castle.io"
	defaultTimeout = 800 * time.Millisecond
	longestTimeout = 10 * time.Second
)

// Config is the key risk.castle.
type Config struct {
	// APISecret is the API secret of the Castle environment.
	APISecret secret.Value `json:"apiSecret" conf:"required"`
	// Blocking false records what Castle would deny and lets it go on: {{env.ENABLE_CASTLE_BLOCKING}}.
	Blocking bool `json:"blocking" conf:"required"`
	// Timeout is how long both calls of a sign-in may take together: 800ms unless set.
	Timeout config.Duration `json:"timeout"`
	// OnError is what counts while Castle is late, unreachable, limiting or failing. There is no default.
	OnError string `json:"onError" conf:"required,oneof=allow|deny"`
	// BaseURL is where Castle is: https://api.castle.io unless set.
	BaseURL config.URL `json:"baseURL"`
	// AfterSuccess says whether an answer waits for Castle's word on a success: wait unless set.
	AfterSuccess string `json:"afterSuccess" conf:"oneof=wait|queue"`
}

// Validate reports what the types cannot say.
func (c *Config) Validate(r *config.Reporter) {
	if r.Has("timeout") && (c.Timeout.Std() < 10*time.Millisecond || c.Timeout.Std() > longestTimeout) {
		r.Errorf("timeout", "must be from 10ms to %s", longestTimeout)
	}
}
