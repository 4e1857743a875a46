package gateway

import (
	"strconv"

	"github.com/portreeve/portreeve/internal/limit"
)

// tenantLimit is the limit that the caller's tenant set for itself. All its
// callers count together, over all sites, besides all other limits.
func (x *Exchange) tenantLimit(claims []limit.Claim) []limit.Claim {
	if x.Known == nil || x.Known.TenantLimit == nil || x.Stand.Tenant == "" {
		return claims
	}
	rule := x.Known.TenantLimit.Rule()
	return append(claims, limit.Claim{Key: limit.TextKey(tenantLimitID(rule), x.Stand.Tenant), Rule: rule})
}

const tenantLimitWhere = "rateLimit of the tenant"

func tenantLimitID(r limit.Rule) uint64 {
	return limit.RuleID(tenantLimitWhere, strconv.FormatInt(int64(r.Window), 10), strconv.Itoa(r.Max))
}

// isTenantLimit reports whether a limit is the tenant's own.
func (x *Exchange) isTenantLimit(id uint64) bool {
	return x.Known != nil && x.Known.TenantLimit != nil && id == tenantLimitID(x.Known.TenantLimit.Rule())
}
