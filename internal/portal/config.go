package portal

import (
	"net/url"

	"github.com/portreeve/portreeve/internal/config"
)

// Config is the key portal of a site: {…} or false.
type Config struct {
	// Escrow is the origin whose /v1 the pages call from the browser, like https://api.example.com, where people come to it by Access and its escrow.portalOrigin names this site; this site's own unless written.
	Escrow string `json:"escrow"`

	off bool
}

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

// Shapes are what portal takes.
func (Config) Shapes() []any { return []any{false, Config{}} }

// On reports whether the portal stands.
func (c *Config) On() bool { return c != nil && !c.off }

// Validate reports what is wrong with it. plain lets http count.
func (c *Config) Validate(r *config.Reporter, plain bool) {
	if c == nil || c.off || c.Escrow == "" {
		return
	}
	u, err := url.Parse(c.Escrow)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "":
		r.Errorf("escrow", "%q is no origin; write scheme and host, like https://api.example.com", c.Escrow)
	case u.Scheme != "https" && (!plain || u.Scheme != "http"):
		r.Errorf("escrow", "must be https")
	}
}
