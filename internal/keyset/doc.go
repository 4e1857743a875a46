// Package keyset holds the keys of one issuer: fetched in the background,
// renewed before they expire, kept through an outage.
//
// It is the one mechanism that speaks HTTP. Reading a set never waits: Keys and
// Has load one pointer. What fetches is Run (in the background, by the clock)
// and Refetch (a token named a key that is not in the set, or there is no set
// yet), never a reader.
//
// What an issuer may do to us is bounded: 1 MiB and 256 keys an answer, ten
// seconds an exchange, redirects only within the host, https unless the caller
// allows otherwise, and a stranger's tokens cause at most one fetch in 30 s. An
// issuer that is down, slow or talks nonsense leaves the last good keys in
// place, for at most MaxAge. An answer that is a key set counts as it stands,
// empty included: keys that are gone are gone.
//
// Sources: RFC 7517 section 5, OpenID Connect Discovery 1.0 section 4.
package keyset
