// Command bench measures Portreeve beside nginx and Go's own bare reverse proxy
// on one machine, and prints Markdown.
//
//	go run ./bench -portreeve bin/portreeve          everything
//	go run ./bench                                   nginx alone: how steady is this machine?
//	go run ./bench soak -portreeve bin/portreeve     everything at once, watched for growth and loss
//
// One nginx answers 128 bytes, or 1 MiB; a small Go program echoes WebSockets and
// takes uploads. In front of them stand another nginx that proxies and does
// nothing else, a bare httputil.ReverseProxy, and Portreeve processes made from
// generated configuration: RS256 tokens, RBAC, identity headers, a rate limit that
// counts and never refuses, and the access log in a file are all on. wrk, h2load
// and a WebSocket client drive each in turn, round after round, so that a machine
// that grows warm or busy does so for all of them. Absolute figures mean nothing
// elsewhere; the ratios, taken within each round, and the CPU seconds of the proxy
// per 1,000 requests do.
//
// It needs Linux (/proc), nginx, wrk and h2load; scripts/bench.sh installs them.
package main
