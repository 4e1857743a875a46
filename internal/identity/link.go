package identity

// KindLink is the kind, and the name, of the provider of one-time sign-in links:
// it has no credential of its own but the sessions that it signs in.
const KindLink = "link"

// LinkIssuer is the issuer of the people whom a link signs in; their subject is
// the id of their users row.
const LinkIssuer = "urn:portreeve:link"

// NewLink builds the provider of one-time sign-in links, for test and dev. No
// token is ever one of its: it has no keys, and takes no algorithm. Its word
// about the tenant counts, since it was the host's.
func NewLink() *Provider {
	p := &Provider{
		Name: KindLink, Kind: KindLink, source: sessionCookie, algs: []string{}, keyed: []keyed{{issuer: LinkIssuer}},
		trustTenant: true, tenantClaim: "tenant_id", extra: subjectRule,
	}
	return p.seal("")
}
