package escrow

import (
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
)

// Config is the key escrow of a site: {…}, or false.
type Config struct {
	// PortalOrigin is the origin of the portal's pages where they stand on another host, like https://portal.example.com: its pages may call with credentials.
	PortalOrigin string `json:"portalOrigin"`
	// PerDay is how much one tenant's machines may hand over on one day, in bytes or like 512MiB: 1GiB unless written.
	PerDay config.Size `json:"perDay"`

	off bool
}

// Off reports whether the surface is switched off here.
func (c *Config) Off() bool { return c != nil && c.off }

// DecodeConfig takes {…} or false.
func (c *Config) DecodeConfig(v *config.Value) {
	if on, is := v.Bool(); is {
		if c.off = !on; on {
			v.Errorf("takes {} (on) or false (off)")
		}
		return
	}
	type fields Config
	v.Decode((*fields)(c))
}

// Shapes are what escrow takes.
func (Config) Shapes() []any { return []any{false, Config{}} }

// Validate reports what the types cannot say; r stands at the key escrow. plain
// says that an origin may be http.
func (c *Config) Validate(r *config.Reporter, plain bool) {
	switch o := c.PortalOrigin; {
	case o == "":
	case !gateway.IsOrigin(o):
		r.Errorf("portalOrigin", "is no origin; write scheme and host alone, like https://portal.example.com")
	case !plain && !strings.HasPrefix(strings.ToLower(o), "https://"):
		r.Errorf("portalOrigin", "must be https: what its pages open must not cross the network in the clear")
	}
	if c.PerDay != 0 && c.PerDay < 2*reportBody {
		r.Errorf("perDay", "must be at least 2MiB: one report can be half of it")
	}
}

// CORS is what the site says to browsers of other origins: what the older
// system's Access application was set up for, and no more.
func (c *Config) CORS() *gateway.CORSConfig {
	if c == nil || c.off || c.PortalOrigin == "" {
		return nil
	}
	return &gateway.CORSConfig{Origins: config.List[string]{c.PortalOrigin}, Methods: config.List[string]{"GET", "POST", "OPTIONS"},
		Headers: config.List[string]{"Content-Type"}, Credentials: true}
}
