package identity

import (
	"slices"

	"github.com/portreeve/portreeve/internal/config"
)

// FactorRules say whether a provider is believed about second factors.
type FactorRules struct {
	// TrustAmr are the values of the amr claim that count as a second factor where requireMfa asks for one: [mfa].
	TrustAmr config.List[string] `json:"trustAmr"`
}

func (f FactorRules) validate(r *config.Reporter) {
	if f.TrustAmr != nil && len(f.TrustAmr) == 0 {
		r.Errorf("trustAmr", "is empty, so nothing would be believed; name values such as mfa, or remove the key")
	}
	for i, v := range f.TrustAmr {
		if v == "" || hasControl(v) {
			r.Errorf("trustAmr"+config.Index(i), "is no value of an amr claim")
		}
	}
}

func (f FactorRules) apply(p *Provider) { p.amr = f.TrustAmr }

// secondFactor reports whether verified claims tell of a second factor in a way
// that counts (RFC 8176, the amr claim: an array of strings). What is no such
// array says nothing.
func (p *Provider) secondFactor(all map[string]any) bool {
	if len(p.amr) == 0 {
		return false
	}
	list, _ := all["amr"].([]any)
	for _, v := range list {
		if s, ok := v.(string); ok && slices.Contains(p.amr, s) {
			return true
		}
	}
	return false
}
