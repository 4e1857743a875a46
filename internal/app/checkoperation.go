package app

import "github.com/portreeve/portreeve/internal/gateway"

// OperationReport says what a route of Portreeve's own surfaces does and asks
// for: the inventory of what can be managed.
type OperationReport struct {
	Surface     string   `json:"surface"`
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"` // all of them
	Tenant      bool     `json:"tenant"`      // a caller without a tenant is refused
	MaxBody     int64    `json:"maxBody"`     // bytes; 0: none is read
}

// operationReport is nil where a route is none of Portreeve's own surfaces.
func operationReport(route *gateway.Route) *OperationReport {
	op, ok := route.Answer.(*gateway.Operation)
	if !ok {
		return nil
	}
	return &OperationReport{Surface: op.Surface, Name: op.Name, Permissions: full(route.Requirement.Permissions()), Tenant: op.Tenant, MaxBody: op.BodyLimit()}
}
