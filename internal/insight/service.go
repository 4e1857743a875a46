package insight

import (
	"context"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// Surface is the name of the operations.
const Surface = "insight"

// Deps are what a service asks. What is nil is not there: its operations answer
// 503 or an empty list.
type Deps struct {
	Now func() time.Time
	// Snapshot is what decides just now.
	Snapshot func() *gateway.Snapshot
	// Refusals are those that this process remembers.
	Refusals *explain.Ring
	// People is what is stored about who may call; a nil result: nothing is stored.
	People func() *People
	Node   Node
	Events Events
}

// Service answers. It is safe for concurrent use.
type Service struct {
	d         Deps
	verifying verifying
}

// New makes a service.
func New(d Deps) *Service { return &Service{d: d} }

// Routes lists the operations.
func (s *Service) Routes() []gateway.SurfaceRoute {
	return slices.Concat(s.refusalRoutes(), s.accessRoutes(), s.nodeRoutes(), s.eventRoutes())
}

// get is an operation that reads, for holders of a permission.
func get(path, permission, name string, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.SurfaceRoute {
	return gateway.SurfaceRoute{
		Method: "GET", Path: "/.portreeve/insight" + path, Require: policy.Requirements{RequiredPermissions: config.List[string]{permission}},
		Op: gateway.Operation{Surface: Surface, Name: name, Run: run},
	}
}
