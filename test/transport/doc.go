// Package transport tests how requests arrive, against a whole Portreeve on a
// free port: TLS and its certificates, HTTP/2 held to the rules of HTTP/1.1,
// the PROXY protocol, certificates by ACME. The clients are Go's, curl's,
// HAProxy's, and raw frames where no well-behaved client would send what a
// test needs.
package transport
