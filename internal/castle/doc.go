// Package castle asks castle.io what it thinks of a sign-in: POST /v1/filter
// before the provider is asked, /v1/risk after it said yes.
//
// It owns the table castle_tokens. It must not know providers or what is done with
// a verdict: that is the login edge's.
//
// Sources: docs.castle.io (anonymous activity, login activity, custom activity,
// out-of-band actions) and the payloads that Castle's SDKs for Node (3.1.0) and
// Ruby (8.1.0) send. context.headers is an object, as theirs is; what is scrubbed
// is true there. A token that Castle does not take is status 422 with the type
// invalid_request_token.
//
// # Device tokens
//
// A token is the client's x-castle-request-token. Castle lets it live for 120
// seconds and serve one sign-in. Filter spends it: a digest of it is kept for that
// long, so that a token that was copied is worth nothing, on any node and whatever
// Castle makes of it. The calls that follow in the same sign-in send it again.
//
// # What Castle's answers mean
//
//	2xx with an action          the verdict
//	no answer, late, 429, 5xx   Castle is failing: onError
//	422 invalid_request_token   as deny
//	400, 413, 419, other 422    as deny: what the client sent is at fault, and must not be a way around
//	401, 403                    our secret is wrong: no verdict (503), and an alert
//	2xx that cannot be read     no verdict, and an alert: too large, no JSON, an action of tomorrow
//	anything else               baseURL is wrong: no verdict, and an alert
//
// A client that hangs up ends the call without a verdict. Nothing is tried again:
// by then the answer would be late.
//
// # The queue
//
// Refusals and the results of challenges are told to Castle later, by Run: 1,000
// events and 8 MiB at most, the oldest dropped and counted.
package castle
