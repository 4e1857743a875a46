// Package edge starts a whole Portreeve for tests: a configuration in a folder
// of its own, a free port, a client that keeps what it is answered, and the hand
// of who sits at the machine.
package edge
