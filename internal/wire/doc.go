// Package wire reads the raw bytes of HTTP/1.1 requests before any engine does
// and decides whether they mean one thing to every reader: ParseHead for the
// head, Body for where the body ends and the next head begins.
//
// It refuses instead of repairing (RFC 9112 sections 2.2, 3.2, 5, 6, 7.1 and
// 11.2). net/http alone drops a Content-Length beside Transfer-Encoding, joins
// folded lines, accepts bare LF and lets an absolute-form target override
// Host, and no handler behind it can tell. Whatever is accepted here, net/http
// accepts too and reads alike; internal/server/std holds that by fuzzing.
//
// The package knows no sockets and no net/http.
package wire
