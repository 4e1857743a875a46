package insight

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// Configuration is the configuration in service, as it may be shown.
type Configuration struct {
	LoadedAt    time.Time `json:"loadedAt"`
	Generation  uint64    `json:"generation"`
	File        string    `json:"file"`
	Environment string    `json:"environment"`
	Version     string    `json:"version"`
	Text        string    `json:"text"` // YAML without comments and secrets
	Sites       []Site    `json:"sites"`
	Warnings    []string  `json:"warnings"`
}

// Site is one site in short.
type Site struct {
	Name      string     `json:"name"`
	Hosts     []string   `json:"hosts"`           // none: whatever no other site has
	Owner     string     `json:"owner,omitempty"` // the surface that is all of it
	Surfaces  []string   `json:"surfaces"`
	Providers []Provider `json:"providers"`
	Routes    int        `json:"routes"`
	Tenant    string     `json:"tenant,omitempty"` // of its anonymous requests
}

// Provider is one of a site.
type Provider struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Off  string `json:"off,omitempty"` // why it accepts nothing
}

func (s *Service) configuration(context.Context, *gateway.Call) (request.Reply, error) {
	f := told(s.d.Node.File)
	out := Configuration{LoadedAt: f.LoadedAt, Generation: f.Generation, File: f.Path, Environment: f.Environment, Version: f.Version,
		Text: f.Text, Sites: []Site{}, Warnings: full(f.Warnings)}
	s.sites(func(site *gateway.Site) {
		if site.Empty {
			return
		}
		one := Site{Name: site.Name, Hosts: full(site.Hosts), Surfaces: full(site.Surfaces()), Providers: []Provider{}, Routes: len(site.Table.Sorted()), Tenant: site.Tenant}
		if site.Owner != nil {
			one.Owner = site.Owner.Surface
		}
		for _, p := range site.Identity.Providers() {
			one.Providers = append(one.Providers, Provider{p.Name, p.Kind, p.Off})
		}
		out.Sites = append(out.Sites, one)
	})
	return gateway.JSON(200, out), nil
}
