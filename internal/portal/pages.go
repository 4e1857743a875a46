package portal

import (
	"slices"

	"github.com/portreeve/portreeve/internal/gateway"
)

// pages are all pages. This is the list: a page that is not here does not exist.
func (s *site) pages() []gateway.SurfaceRoute {
	return slices.Concat(
		s.fleet(),
		s.configs(),
		s.keys(),
		s.machineTokens(),
		s.users(),
		s.roles(),
		s.escrowKey(),
		s.factors(),
		s.sessions(),
		s.agents(),
		s.audit(),
		s.refusals(),
		s.why(),
		s.configuration(),
		s.reach(),
	)
}
