// Package limit counts requests: never more than max in any span of a window,
// for every key, exactly.
//
// It owns the sliding windows, their bounded table, the keys and the rateLimit
// setting. It does not know requests or answers: the gateway makes the keys,
// asks Take and writes the headers.
//
// A window is a short list of moments (see window.go). GCRA was rejected, since
// it admits up to 2·max−1 in one window, and so were fixed windows. The table
// (table.go) is sharded and bounded; when a shard is full, new keys share its
// overflow windows, and a live window is never thrown away: pushing a counter
// out is how limits of this kind are got around.
package limit
