// Package gateway turns a request into a route, a decision and an answer.
//
// It owns sites, path patterns and their table, the canonical request
// (Exchange), what is stripped and set on the way to an upstream, the answers
// that Portreeve gives itself, CORS, rate limits and the flat error shape. It
// must not know sockets, net/http, or how a credential is verified.
//
// Flow, one direction (package comment of Gate.Ask):
//
//	Place     host → site → canonical path → pattern → route; pure
//	limits    by address
//	Decide    who asks, and whether the route lets them; pure, parks what is slow
//	limits    by principal, tenant, key
//	Forward   the whole outgoing head, or Answer a reply
//
// A page among the operations asks others of its site by Call.Ask, which takes the
// same way from the path on.
//
// A refusal is decided once more by the same pure functions with a recorder
// (Explain): that is its trace. What a reload changes is one immutable
// Snapshot, built by BuildSite from the file's keys.
//
// RFC 3986 (paths), 9110 (methods, fields), Fetch standard (CORS).
package gateway
