// Package assertion makes X-Portreeve-Assertion: a JWT, signed with EdDSA, in
// which Portreeve tells an upstream who called and for which request, so that
// the upstream need not believe headers that anybody inside the network could
// write.
//
// Keys holds the key in use and the next one. Both stand in the key set (JWKS,
// served at /.portreeve/jwks.json) long before the next one signs anything, and
// a retired key stays there until nothing signed with it is valid any more.
// The keys are this process's own; nodes that share them come with the store.
//
// The package must not know the gateway: what is asserted comes as Facts.
// Sources: RFC 7515, RFC 7519, RFC 8037 (EdDSA), RFC 8725 section 3.11 (typ).
package assertion
