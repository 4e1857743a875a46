//go:build !race

package login_test

// crowd is who signs in at once.
const crowd = 1000
