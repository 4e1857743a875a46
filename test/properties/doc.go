// Package properties holds the properties of the threat model, P1 to P8, against
// a whole Portreeve: every test here is a rule about any request, with a
// generator for the requests, and none is a list of past cases. The same hole
// comes back through the sibling header, the lower-case spelling and the
// rewritten path.
//
// It owns the generators and the rules. A rule sees sockets alone: it writes raw
// bytes to an engine and reads what reached internal/standin.Echo, which has a
// reader of its own, so that what net/http would tidy up stands as it was. It
// must not call what it judges: the reference path, the reference router and the
// readings of an upstream are written here a second time, in other words.
//
// Every rule runs once for each entry of engines. A new engine joins there and
// nowhere else.
package properties
