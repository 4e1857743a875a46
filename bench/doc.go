// Command bench measures Portreeve beside plain nginx on one machine, and
// prints a Markdown table.
//
//	go run ./bench -portreeve bin/portreeve          everything
//	go run ./bench                                   nginx alone: how steady is this machine?
//
// One nginx answers 128 bytes; in front of it stand another nginx that proxies
// and does nothing else, and Portreeve processes made from generated
// configuration: RS256 tokens, RBAC, identity headers, a rate limit that counts
// and never refuses, and the access log in a file are all on. wrk drives each in
// turn, round after round, so that a machine that grows warm or busy does so
// for all of them. Absolute figures mean nothing elsewhere; the ratios, taken
// within each round, and the CPU seconds of the proxy per 1,000 requests do.
//
// It needs Linux (/proc), nginx and wrk.
package main
