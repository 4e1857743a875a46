package loginhooks

import (
	"os"
	"testing"

	"github.com/portreeve/portreeve/internal/actions"
)

// The children of the tests are this binary, as those of Portreeve are Portreeve.
func TestMain(m *testing.M) {
	actions.Child(os.Args, os.Exit)
	os.Exit(m.Run())
}
