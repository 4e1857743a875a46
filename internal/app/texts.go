package app

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/sms"
)

// texts gives a site to text-me-the-app.
func (b *builder) texts(k *inherited, at *config.Reporter, in *gateway.SiteInput) {
	place := sms.Place{Prod: b.Written == "prod", Plain: b.Written != "prod"}
	k.SMS.Validate(at, place)
	if b.Doc.Failed() {
		return
	}
	in.Owner = sms.Owner(k.SMS)
	in.Surfaces = b.stored().SMS.Routes(k.SMS, place)
}
