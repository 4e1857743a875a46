// Package proxy carries a decided request to its upstream and the answer back,
// over HTTP/1.1. It decides nothing: the whole outgoing head comes as an
// gateway.Forward, and what the upstream answers is refused rather than repaired.
//
// The flow of one exchange (exchange.go):
//
//	check and write the head (outbound.go) → send the body (upload.go) while
//	the answer's head is read strictly (answer.go) → headers to the client
//	(relay.go) → body to the client (inflow.go) → connection back to the pool
//	(pool.go), or closed when anything was left unfinished
//
// Why not http.Transport: it takes an answer with both lengths and drops one,
// folds header lines, accepts bare LF, re-orders and re-spells the request's
// headers, and spends two goroutines and several channel hand-overs on every
// request (BenchmarkHop measures both). httputil.ReverseProxy stays the oracle
// of a differential test. Sources: RFC 9110, RFC 9112.
package proxy
