// Package jws reads, verifies and makes signed tokens: the compact form of JSON
// Web Signature (RFC 7515) with the algorithms of RFC 7518 section 3 and
// RFC 8037, and nothing else.
//
// It is stricter than the libraries of the field on purpose: one text has one
// reading. A token is parsed (Parse), which proves nothing but its shape; its
// claims may then be looked at to choose a key (DecodeClaims); only Verify
// says that the holder of the key signed it.
//
// What is refused, with what it prevents:
//
//   - more than 16 KiB, other than three parts, any character outside the
//     base64url alphabet, padding, non-zero trailing bits: a token has one
//     spelling, so that a cache or a revocation list that goes by the token's
//     digest cannot be walked around (RFC 4648 section 3.5);
//   - member names twice in one object, at any depth: two readers would see two
//     tokens (RFC 7515 section 4, RFC 7519 section 4);
//   - "none", encryption, the JSON serialisations, crit, b64;
//   - an algorithm that is not the key's own: the token does not choose
//     (RFC 8725 section 3.1).
//
// jku, x5u, jwk and x5c are read past: no token brings its own key.
//
// All cryptography is the standard library's. The package knows no network, no
// clock and no issuer.
package jws
