// Package usage counts what tenants and their API keys call, and tells.
//
// It owns the table usage_hours: one row for a tenant, a key and an hour (UTC)
// with the answers by status class and their bytes. It must not know what a key
// is (Keys and Toucher are small interfaces that the package of keys satisfies)
// nor how a request is decided.
//
// An API call is a request that was decided for a principal of the tenant:
// whoever presented a valid credential of the tenant, person, key or machine,
// and whatever came of it, refusals (403, 429) and Portreeve's own management
// included. What was refused before a caller was known, and anonymous requests,
// are nobody's calls. Bandwidth is the bytes of the answers' bodies.
//
// The flow: the access record calls Count, which adds to a counter in memory;
// Run writes the counters in batches at least every five seconds and once more
// when it is told to stop; the queries read what was written. A process that is
// killed loses at most what was counted since the last batch.
package usage
