// Package apikey owns a tenant's API keys and machine tokens: their two
// formats, the rows they are kept in, who may make and change them, and what a
// presented one proves.
//
// # Two formats, one table
//
//	prk_<env>_<12 id characters>_<43 secret><6 checksum>     an API key, or a token of the machine class
//	tok_<base64url of 24 bytes>                              a machine token as the provisioning backend made them
//
// A key has one row, which keeps its id for life, and one secret, or two while
// a rotation's grace lasts. Secrets are found by what can be read off the
// token: the 12 characters (unique), or the first eight characters of a tok_
// (shared by any number of rows, which are all compared). Both are kept as a
// salted SHA-256, which is enough for 192 bits of randomness and more; a
// password hash would only make every first sight slow.
//
// # What is decided when
//
// Parse looks at a token without I/O: shape, checksum, environment. Verify asks
// the store once and proves which row a token belongs to. What may change while
// a principal is remembered (revoked, disabled, expired, scopes, addresses, and
// whether the secret that matched still counts) is not in the principal: the
// tenant directory reads it, through Keys, for every decision.
//
// # What this package must not know
//
// Sockets, and how a refusal looks on the wire. Requests are counted elsewhere;
// Touch is where the counts arrive.
package apikey
