package app

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/insight"
	"github.com/portreeve/portreeve/internal/server"
	"github.com/portreeve/portreeve/internal/sms"
)

// texts gives a site to text-me-the-app.
func (b *builder) texts(k *inherited, at *config.Reporter, in *gateway.SiteInput) {
	place := sms.Place{Prod: b.Written == "prod", Plain: b.Written != "prod"}
	k.SMS.Validate(at, place)
	if b.Doc.Failed() {
		return
	}
	b.told.texts = append(b.told.texts, insight.TextSite{Site: in.Name, Hosts: in.Hosts, Facts: k.SMS.Facts(place)})
	in.Owner = sms.Owner(k.SMS)
	in.Surfaces = b.stored().SMS.Routes(k.SMS, place)
}

// textCounts are the texts of this process, by outcome.
func (a *App) textCounts() (out []server.TextCount) {
	s := a.storing.stored.Load()
	if s == nil {
		return nil
	}
	for _, c := range s.SMS.Counts() {
		out = append(out, server.TextCount{Site: c.Site, Campaign: c.Campaign, Outcome: c.Outcome, N: c.N})
	}
	return out
}
