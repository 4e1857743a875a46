package app

import (
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
)

// owners are the surfaces of a site that each are all of it.
func (k *SiteKeys) owners() (out []string) {
	for _, s := range []struct {
		key   string
		there bool
	}{{"login", k.Login != nil}, {"backoffice", k.Backoffice != nil}, {"links", k.Links != nil}, {"sms", k.SMS != nil}} {
		if s.there {
			out = append(out, s.key)
		}
	}
	return out
}

// ownerStores reports whether the owner of a site keeps anything.
func ownerStores(key string) bool { return key != "links" }

// claim settles who owns a site; "" is nobody. What stands beside an owner is
// reported where it stands, and what would be read and not heeded too: a rule that
// does not hold is worse than none.
func (b *builder) claim(k *inherited) (owner string) {
	owners := k.owners()
	if len(owners) == 0 {
		return ""
	}
	owner = owners[0]
	for _, other := range owners[1:] {
		k.at.Errorf(other, "%s and %s each own their whole site; give one of them a site of its own", owner, other)
	}
	for key, there := range map[string]bool{
		"routes": len(k.Routes) > 0, "upstream": k.Upstream != nil, "tenantApi": k.TenantAPI != nil && !k.TenantAPI.off, "mfa": k.MFA != nil && k.MFA.On(),
		"agents": k.servesAgents(), "escrow": k.servesEscrow(), "portal": k.Portal.On(), "docs": k.Docs != nil && *k.Docs && k.at.Has("docs"),
	} {
		if there {
			k.at.Errorf(key, "%s owns its whole site: beside it no route and no other surface can stand; give them a site of their own", owner)
		}
	}
	b.unheeded(k, owner)
	return owner
}

// unheeded reports keys that mean nothing on a site that is owner's.
func (b *builder) unheeded(k *inherited, owner string) {
	// The top level's are every other site's too.
	own := func(key string) bool { return k.at.Has(key) && (k.at != b.root || len(b.File.Sites) == 0) }
	for _, key := range []string{"allow", "deny"} {
		switch {
		case own(key):
			k.at.Errorf(key, "does not hold here: %s is for people who have no credential yet", owner)
		case key == "allow" && k.Allow != nil || key == "deny" && k.Deny != nil:
			k.at.Warnf(owner, "%s of the top level does not hold here: %s is for people who have no credential yet", key, owner)
		}
	}
	if own("cors") {
		switch owner {
		case "sms":
			k.at.Errorf("cors", "sms.origins says which pages may call")
		case "backoffice":
			k.at.Errorf("cors", "backoffice answers no pages: a preflight is 404 there")
		}
	}
	var idle []string
	for _, key := range []string{"access", "firebase", "jwt", "oidc", "apiKey", "machine", "providers", "auth", "identityHeaders", "session", "signIn", "requireMfa",
		"strictness", "encodedSlash", "emptySegments", "semicolon", "dotSegments", "pathCase"} {
		if own(key) {
			idle = append(idle, key)
		}
	}
	if len(idle) > 0 {
		more := ""
		if len(idle) > 1 {
			more = ", nor is " + strings.Join(idle[1:], ", ")
		}
		k.at.Warnf(idle[0], "is not heeded here%s: %s owns the site, looks at no credential, and has paths that are exact", more, owner)
	}
}

// alone are the keys of a site that are left beside its owner.
func (k *inherited) alone(owner string) *inherited {
	out := *k
	out.SiteKeys = SiteKeys{Login: k.Login, Backoffice: k.Backoffice, Links: k.Links, SMS: k.SMS, RateLimit: k.RateLimit, Tenant: k.Tenant}
	if owner == "login" || owner == "links" {
		out.CORS = k.CORS
	}
	out.siteRBAC, out.implied = nil, false
	return &out
}

// own gives a site to its owner.
func (b *builder) own(k *inherited, owner string, in *gateway.SiteInput) {
	at := k.at.At(owner)
	switch owner {
	case "login", "backoffice":
		b.login(k, owner, at, in)
	case "links":
		b.deepLinks(k, at, in)
	case "sms":
		b.texts(k, at, in)
	}
	if in.Owner == nil { // of a configuration that has failed
		in.Owner = &gateway.Owner{Surface: owner, Shape: gateway.Flat}
	}
}
