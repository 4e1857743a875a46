// Package standin holds the servers that Portreeve otherwise meets on other
// people's accounts: an OpenID Connect issuer, a Cloudflare Access team, an
// application, and what stands around a login: an Auth0 tenant, Castle and a user
// service. `portreeve demo` runs Portreeve in front of them, and tests use them
// where the real thing cannot run.
//
// Each is a real server on a net.Listener that it is given, and checks what it
// is sent as the real one does: a stand-in that accepts anything proves
// nothing. They know nothing of Portreeve's own parsers: the application reads
// its requests from the socket itself, so that what it reports is what stood on
// the wire.
//
// Those around a login keep what they were sent (Seen), complain of every
// parameter and header that the vendor does not document (Complaints, which a test
// asks for at its end), and fail when they are told to (Fail).
//
// None of them is for use outside a demonstration or a test: the clients'
// secrets are printed, and the transport is plain HTTP.
package standin
