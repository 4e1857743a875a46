package login_test

import (
	"os"
	"testing"

	"github.com/portreeve/portreeve/internal/actions"
)

// Scripts run in children of this binary, as they do in Portreeve's own.
func TestMain(m *testing.M) {
	actions.Child(os.Args, os.Exit)
	os.Exit(m.Run())
}
