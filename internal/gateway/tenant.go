package gateway

import (
	"bytes"
	"encoding/json"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/trace"
)

// headerTenant lets a holder of platform:* choose the tenant that an operation is
// about.
const headerTenant = "X-Tenant-ID"

// tenant is whose secrets and rows a request is about: the caller's tenant, the
// site's for the anonymous; "" for none.
func (x *Exchange) tenant() string {
	if t := x.Stand.Tenant; t != "" || x.Stand.Who.Authenticated() {
		return t
	}
	return x.Site.Tenant
}

// actFor settles x.Tenant, whom an operation acts for.
func (x *Exchange) actFor(op *Operation, rec *trace.Recorder) *fault.Error {
	own := x.tenant()
	x.Tenant = own
	if x.owned() { // where a header of that name means nothing
		return nil
	}
	switch n := x.View.Header.Count(headerTenant); {
	case n > 1:
		rec.Fail("decide", headerTenant, "one", "several", "one "+headerTenant+", or none")
		return fault.New(fault.BadRequest, "duplicate_tenant", "More than one "+headerTenant+" header")
	case n == 1:
		named := x.View.Header.Get(headerTenant)
		if named != own && !x.Stand.Has("platform:*") {
			if rec.On() {
				rec.Fail("decide", headerTenant, "the caller's own tenant", clip(named), "a request without "+headerTenant+", or a caller who holds platform:*")
			}
			return fault.New(fault.Forbidden, "tenant_mismatch", "")
		}
		x.Tenant = named
		if rec.On() {
			rec.Pass("decide", headerTenant, "", clip(named))
		}
	}
	if op.Tenant && x.Tenant == "" {
		if rec.On() {
			found := x.Stand.TenantProblem
			if found == "" {
				found = "none"
			}
			rec.Fail("decide", "tenant", "a caller with a tenant", found, "a credential whose tenant claim counts, a users row, or its provider in tenants.defaultFor")
		}
		return fault.New(fault.Forbidden, "no_tenant", "")
	}
	return nil
}

// bodyTenant is the tenant that a JSON body names by a member of its own. Nothing
// acts in it: a call that means another tenant than it acts in is refused. What
// cannot be read is the operation's to refuse.
func bodyTenant(body []byte) (named string, ok bool) {
	if !bytes.Contains(body, []byte("tenant")) {
		return "", false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return "", false
	}
	for _, member := range []string{"tenantId", "tenant_id"} {
		var one string
		if raw, there := members[member]; !there || json.Unmarshal(raw, &one) != nil {
			continue
		}
		if ok && one != named {
			return "", true // two of them: nobody's
		}
		named, ok = one, true
	}
	return named, ok
}

// clip keeps what a client sent short and on one line.
func clip(s string) string {
	out := make([]rune, 0, 80)
	for _, r := range s {
		if len(out) == 80 {
			return string(out) + "…"
		}
		if r < ' ' || r == 0x7f {
			r = '?'
		}
		out = append(out, r)
	}
	return string(out)
}
