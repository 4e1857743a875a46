//go:build race

package login_test

// crowd is who signs in at once: under the race detector fewer, since everything
// takes ten times as long and a transaction of the store has ten seconds.
const crowd = 150
