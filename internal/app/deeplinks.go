package app

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/insight"
	"github.com/portreeve/portreeve/internal/links"
)

// deepLinks gives a site to the links of an app.
func (b *builder) deepLinks(k *inherited, at *config.Reporter, in *gateway.SiteInput) {
	k.Links.Validate(at)
	k.Links.ValidateHosts(at, in.Hosts)
	if b.Doc.Failed() {
		return
	}
	t := links.Site{Config: k.Links, Env: b.Env, Pages: b.stored().Pages}
	if count := b.deps.Links; count != nil {
		site := in.Name
		t.Count = func(outcome string) { count(site, outcome) }
	}
	b.told.links = append(b.told.links, insight.LinkSite{Site: in.Name, Hosts: in.Hosts, Facts: k.Links.Facts(b.Env)})
	in.Owner = &gateway.Owner{Surface: links.Surface, Shape: links.Shape, EncodedSlash: true}
	in.Surfaces = links.Routes(t)
}
