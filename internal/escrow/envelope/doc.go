// Package envelope reads the formats of secret escrow, and says what is wrong
// with one: public keys, what a signing key says of them, wrapped private keys,
// sealed secrets, recovery copies. docs/escrow-formats.md describes each.
//
// It opens nothing and derives nothing: what a server may see of an envelope is
// its outside. Whoever opens one checks the same things first, so that neither
// an endless key derivation (RFC 7518 section 4.8.1.2) nor a second reading of
// one text is ever tried.
//
// Everything is the compact serialisation (RFC 7515, RFC 7516) in canonical
// base64url, with the members of the protected header that the format lists and
// no others. Errors are issues of a field: they say what would be right, and
// quote nothing.
//
// It does no I/O.
package envelope
