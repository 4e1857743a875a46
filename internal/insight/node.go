package insight

import "github.com/portreeve/portreeve/internal/gateway"

// Node is what the operations about this node itself ask.
type Node struct{}

func (s *Service) nodeRoutes() []gateway.SurfaceRoute { return nil }
