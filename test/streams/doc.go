// Package streams tests what runs for long, and what is more than a request and
// an answer, against a whole Portreeve on a free port: WebSockets, events, gRPC
// with trailers, 1xx, bodies that flow, and how each of them ends: with its
// credential, with a reload, with age, with the process. Clients and servers are
// real ones (coder/websocket, grpc-go, net/http, curl), and raw sockets where no
// well-behaved peer would do what a test needs.
package streams
