// Package identity turns the credential of a request into a principal.
//
// It owns the providers (access, firebase, oidc, jwt, keys: one file each), the rule
// which of them a token belongs to, the claims rules that all share, the table
// of remembered tokens, and the rule about ambient credentials. It must not
// know routes, roles, tenants or sockets, and imports no net/http.
//
// # Flow
//
// Identify is a pure function of the request's View, the time, the key sets as
// they stand and the table of remembered tokens:
//
//	credentials → remembered? → shape → provider by unverified iss → algorithm,
//	audience, times → key → (park: signature) → principal
//
// All that is cheap comes before the signature. A signature, or a fetch of
// keys, is a park.Job: whoever holds the socket runs it under a bound and calls
// Identify again with what came back.
//
// Nothing that a token says reaches a caller of this package before its
// signature has been verified: until then a Result holds the anonymous
// principal and a fault.
//
// API keys and machine tokens go another way: shape and checksum, remembered?,
// (park: their row). What is remembered of them is whose they are; what they may
// do is looked up at every decision (policy.Directory).
//
// # Sources
//
// JWT: RFC 7519, RFC 8725 (best practice), RFC 9068 (at+jwt). Bearer: RFC 6750.
// Access: developers.cloudflare.com/cloudflare-one, "Validate JWTs". Firebase:
// firebase.google.com/docs/auth/admin/verify-id-tokens and manage-cookies.
//
// A session goes the way of keys: its cookie is looked up, and what is remembered
// is whose it is. It is held to the settings of the provider that signed it in
// (Provider.vouch) and counts where that one does (Accept.holds).
package identity
