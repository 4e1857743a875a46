package actions

import (
	"os"
	"testing"
)

// The children of the tests are this binary, as those of Portreeve are Portreeve.
func TestMain(m *testing.M) {
	Child(os.Args, os.Exit)
	if status, is := captive(os.Args); is {
		os.Exit(status)
	}
	os.Exit(m.Run())
}
