package actions

import (
	"slices"
	"strings"
)

// reserved are the claims that no script sets: those that say who a token is
// from, for and about (RFC 7519, OpenID Connect Core), and those that Auth0's
// page "Create Custom Claims" keeps to itself.
var reserved = [...]string{
	"acr", "act", "active", "amr", "at_hash", "ath", "attest", "aud", "auth_time", "authorization_details", "azp", "c_hash",
	"client_id", "cnf", "cty", "dest", "entitlements", "events", "exp", "groups", "gty", "htm", "htu", "iat", "internalService",
	"iss", "jcard", "jku", "jti", "jwe", "jwk", "kid", "may_act", "mky", "nbf", "nonce", "object_id", "org_id", "org_name",
	"orig", "origid", "permissions", "roles", "rph", "s_hash", "scope", "sid", "sip_callid", "sip_cseq_num", "sip_date",
	"sip_from_tag", "sip_via_branch", "sub", "sub_jwk", "toe", "tnr", "txn", "typ", "uuid", "vot", "vtm", "x5t#s256",
}

// namespaces are Auth0's own, under which a claim is left out as well.
var namespaces = [...]string{"auth0.com", "webtask.io", "webtask.run"}

// reservedClaim reports whether a claim is not a script's to set. A name that
// differs from a reserved one in case alone is none either: some reader folds it.
func reservedClaim(name string) bool {
	folded := strings.ToLower(name)
	if slices.ContainsFunc(reserved[:], func(r string) bool { return strings.ToLower(r) == folded }) {
		return true
	}
	rest, ok := strings.CutPrefix(folded, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(folded, "http://")
	}
	if !ok {
		return false
	}
	if end := strings.IndexAny(rest, "/?#:"); end >= 0 {
		rest = rest[:end]
	}
	return slices.ContainsFunc(namespaces[:], func(n string) bool { return rest == n || strings.HasSuffix(rest, "."+n) })
}
