// Package client finds out which address a request comes from: the TCP peer's,
// unless the peer is a proxy that the configuration trusts, and then the one
// header counts that this proxy is trusted for. With nothing configured nobody
// is believed.
//
// All surfaces use the one value that Resolve returns: rules, limits, logs.
package client
