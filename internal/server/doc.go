// Package server owns the listeners: the public ones, the probes', the
// admin's; what stands in front of them (bounds, TLS), what is said about
// requests behind them (access log, metrics), and how it all starts, follows a
// reload, and drains.
//
// It knows net/http and sockets. It must not know configuration files, sites
// or rules: package app hands it handlers and options. The engine that answers
// public requests is package std's.
//
// Flow: Doors open → std.ListenWith (places, head check, TLS) → http.Server →
// the engine → Access, Metrics. A signal ends the context of Run: readiness
// fails, requests are still taken for a while, then connections are told to
// close and what is in flight may take its time.
package server
