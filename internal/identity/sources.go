package identity

import "github.com/portreeve/portreeve/internal/keyset"

// Source is an issuer of a provider's tokens and the keys that speak for it.
type Source struct {
	Issuer string // exact; "": any
	Keys   *keyset.Set
}

// Sources lists those that have keys of their own: neither a shared secret nor
// what the store knows is among them.
func (p *Provider) Sources() (out []Source) {
	for _, k := range p.keyed {
		if k.keys != nil {
			out = append(out, Source{k.issuer, k.keys})
		}
	}
	return out
}
