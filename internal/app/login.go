package app

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/login"
)

// login gives a site to the login edge, or to its smaller sister.
func (b *builder) login(k *inherited, key string, at *config.Reporter, in *gateway.SiteInput) {
	s, site := b.stored().Login, login.Site{Name: in.Name}
	var settings any
	var fresh func() (*login.Surface, error)
	if key == "login" {
		k.Login.Validate(at, b.Written)
		settings, fresh = k.Login, func() (*login.Surface, error) { return s.Login(site, k.Login) }
	} else {
		k.Backoffice.Validate(at, b.Written)
		settings, fresh = k.Backoffice, func() (*login.Surface, error) { return s.Backoffice(site, k.Backoffice) }
	}
	if b.Doc.Failed() {
		return // what is not valid cannot be made
	}
	if b.deps.Edges == nil {
		b.deps.Edges = func(_ string, _ any, fresh func() (*login.Surface, error)) (*login.Surface, error) { return fresh() }
	}
	edge, err := b.deps.Edges(key+" of "+in.Name, settings, fresh)
	if err != nil {
		k.at.Errorf(key, "%v", err)
		return
	}
	b.edges = append(b.edges, edge)
	in.Owner = &gateway.Owner{Surface: key, Shape: edge.Shape(), ExactMethods: true}
	in.Surfaces = edge.Routes()
}
