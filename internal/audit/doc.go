// Package audit keeps the trail: who did what, to what, with which result.
//
// It owns the tables audit_events, audit_people, audit_heads, audit_keys,
// audit_erasures and audit_turn. It does not know what the events mean: features append them in the transaction of
// what they tell of.
//
// Every tenant has a chain, and the host has one under the empty tenant. Rows
// are numbered without gap, and each carries an HMAC-SHA-256 over all its
// columns and the hash of the row before (row.go), under a key that is derived
// from a master key: whoever can write to the store but has no master key
// cannot change, remove, insert or move a row so that Verify would not see it.
// What that person can do is to cut the end off, or to put an older state back.
// Against that the ends of the chains are signed by Ed25519 at least hourly
// (checkpoint.go), to the log and to a file.
//
// E-mail and IP addresses stand in a table of their own; the chain holds but a
// salted digest of them. Erase removes them and says so in the chain, with the
// number of rows, so that nobody else can remove them unseen.
//
// Refusals and failed log-ins are counted in memory and become one row per
// tenant, reason, account or network, and minute (refused.go): a stranger cannot
// fill the store.
package audit
