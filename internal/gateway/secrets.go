package gateway

import (
	"errors"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/template"
	"github.com/portreeve/portreeve/internal/trace"
)

// SecretFinder has the values of tenants' secrets. Find is pure but for atomic
// loads: what is not at hand is a Job. Keys that the tenant has not are missing
// from the values.
type SecretFinder interface {
	Find(tenant string, keys []string, now time.Time, settled []park.Settled) (values map[string]string, job *park.Job, f *fault.Error)
}

// secretKeys collects the tenant secrets that headers to set read: all, and those
// without which a header would say something else than the file means. A header
// that is one {{secret:KEY?}} alone is left out without it.
func secretKeys(set []HeaderTemplate) (all, needed []string) {
	add := func(list []string, key string) []string {
		if slices.Contains(list, key) {
			return list
		}
		return append(list, key)
	}
	for _, h := range set {
		for _, ref := range h.Value.Refs() {
			if ref.Source != template.Secret {
				continue
			}
			key := ref.Path[0].Name
			all = add(all, key)
			if only, alone := h.Value.Alone(); !alone || !only.Optional {
				needed = add(needed, key)
			}
		}
	}
	return all, needed
}

// provide fills x.secrets with what an allowed request's upstream is shown. A
// secret that the tenant has not refuses: the upstream would otherwise get a
// request without the credential that it was meant to have. No value stands in a
// trace, a fault or a log.
func provide(x *Exchange, now time.Time, settled []park.Settled, rec *trace.Recorder) Verdict {
	to, forwards := x.Route.Answer.(*Forwarding)
	if !forwards || len(to.Secrets) == 0 {
		return Verdict{Kind: Allow}
	}
	tenant := x.tenant()
	if tenant == "" || x.Snap.Secrets == nil {
		rec.Fail("secrets", "tenant", "a tenant whose secrets they are", "none", "a caller with a tenant")
		return refuse(missingSecret("no tenant, or no store"))
	}
	values, job, f := x.Snap.Secrets.Find(tenant, to.Secrets, now, settled)
	switch {
	case f != nil:
		rec.Fail("secrets", "tenant secrets", "the tenant's secrets", f.Code, "a store that can be asked")
		return refuse(f)
	case job != nil:
		return Verdict{Kind: Park, Job: job}
	}
	for _, key := range to.needed {
		if values[key] == "" {
			rec.Fail("secrets", "tenant secrets", "secret "+key, "none of the tenant's", "a secret of that key (POST /tenant/secrets)")
			return refuse(missingSecret(key))
		}
	}
	x.secrets = values
	return Verdict{Kind: Allow}
}

// missingSecret is a 503: it is the tenant's setting that is missing, and nothing
// that the caller could change about the request.
func missingSecret(key string) *fault.Error {
	return fault.Wrap(fault.Unavailable, "secret_missing", "A setting of this route is missing", errors.New("tenant secret "+key))
}

// SecretKeys lists the tenant secrets that the site's routes show upstreams.
func (s *Site) SecretKeys() []string {
	var out []string
	for _, r := range s.Table.routes() {
		if to, ok := r.Answer.(*Forwarding); ok {
			out = append(out, to.Secrets...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
