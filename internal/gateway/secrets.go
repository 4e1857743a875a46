package gateway

import (
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
)

// SecretFinder has the values of tenants' secrets. Find is pure but for atomic
// loads: what is not at hand is a Job. Keys that the tenant has not are missing
// from the values.
type SecretFinder interface {
	Find(tenant string, keys []string, now time.Time, settled []park.Settled) (values map[string]string, job *park.Job, f *fault.Error)
}
