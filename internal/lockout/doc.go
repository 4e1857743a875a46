// Package lockout slows down who guesses passwords: at a provider that may not do
// so, and before a guess costs anything there.
//
// It owns the tables lockout_*. It must not know providers: which refusals are of
// wrong credentials is the caller's to say, and nothing else counts.
//
// # What is counted
//
// Wrong credentials count for the pair of account and address, for the address,
// and for the account; an address is an IPv4 address or the /64 of an IPv6 one.
// The first two have limits in the configuration. An account alone is never
// locked: that would let anybody lock out anybody. Above 100 an hour, from
// wherever, it can only be tried from addresses that signed in to it within 30
// days. A success takes nothing back: who guesses beside somebody who knows gains
// nothing from that one's successes.
//
// Accounts are counted whether they exist or not: nobody here knows.
//
// # Attempts under way
//
// Check holds a place that Failed, Succeeded or Dropped gives up, and a place that
// is held counts as a failure does. Otherwise a thousand guesses at once would all
// be looked at before the first is found wrong. Places are counted, not named: of
// two attempts under the same Key it does not matter which one ends. One that
// nobody speaks of again, because its node died, is free after a minute.
//
// # Storage
//
// Counters are rows that hold the moments within their window: sliding windows,
// exact, shared by all nodes. Writers take turns on the rows, always in the order
// address, pair, account. Names and addresses are stored as HMAC-SHA-256 under a
// random key that is sealed by the master key, so that a copy of the store tells
// nobody who tried to sign in. The key survives a rotation of master keys, and with
// it the counters. Rows end with their last moment; one address can make 1,000 of
// them at most.
package lockout
