// Package std is the net/http engine: complete, and the reference for any
// faster one.
//
// It owns how bytes become requests (Conn: the head check in front of
// net/http; http2Head: the same rules for HTTP/2), the bounds before
// authentication, and the order in which one request is answered (Engine). It
// must not know rules: gateway.Gate says what is let through, proxy carries
// what is forwarded, and a request is read from its checked head alone, never
// from what net/http made of it.
//
// Flow: Listen → Conn.Read (wire.ParseHead) → net/http → Engine.ServeHTTP →
// incoming (the raw head, or why it was refused) → Gate.Ask → reply, forward
// or refuse → Record.
//
// RFC 9110, 9112, 9113.
package std
