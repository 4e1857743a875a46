package insight

import "github.com/portreeve/portreeve/internal/gateway"

// Events is what the operations about the record of changes ask.
type Events struct{}

func (s *Service) eventRoutes() []gateway.SurfaceRoute { return nil }
