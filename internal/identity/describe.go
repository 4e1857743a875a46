package identity

import "strings"

// Place is where a provider's credential is put, for those who describe an API.
type Place struct {
	Header string // Authorization: the token comes after "Bearer "; else alone. A key may also come there. "" of a session
	Cookie string // that counts besides; "". Of a session alone
	// Discovery is the address of an OpenID provider's description; "".
	Discovery string
}

// Place says where the provider reads its credential.
func (p *Provider) Place() Place {
	if p.source == accessHeader {
		return Place{Header: headerAccess, Cookie: cookieAccess}
	}
	if p.source == sessionCookie {
		return Place{Cookie: CookieSession}
	}
	if p.source == keyHeader {
		return Place{Header: p.header}
	}
	out := Place{Header: headerAuthorization}
	if p.Kind == KindOIDC && len(p.keyed) > 0 && p.keyed[0].issuer != "" {
		out.Discovery = strings.TrimSuffix(p.keyed[0].issuer, "/") + "/.well-known/openid-configuration"
	}
	return out
}
