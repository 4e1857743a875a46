package sms

import (
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// DefaultCampaign is the campaign of a path that names none.
const DefaultCampaign = "default"

// campaignOf is the campaign that a path names: its last segment up to the first
// dot. Pages were once told to post to /spring.json too.
func campaignOf(p request.Path) string {
	last := ""
	if n := len(p.Segments); n > 0 {
		last = p.Segments[n-1].Value
	}
	if name, _, _ := strings.Cut(last, "."); name != "" {
		return name
	}
	return DefaultCampaign
}
