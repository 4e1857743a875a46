package peer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

var portreeve = sync.OnceValues(func() (string, error) { return Build() })

// Portreeve returns the path of the command, built from the tree as it is.
func Portreeve(t testing.TB) string {
	t.Helper()
	path, err := portreeve()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Build builds the command with further flags of go build, and returns its path.
// `go build -o` links anew for each file that it writes, which takes longer than many
// a test; what `go run` runs is kept in Go's cache for as long as nothing of it
// changes. So go run it is, of which "echo" runs the command. The one that had to link
// ran it from a folder that is gone by then: it is asked again.
func Build(flags ...string) (string, error) {
	path, err := run(flags)
	if _, gone := os.Stat(path); err == nil && gone != nil {
		path, err = run(flags)
	}
	return path, err
}

func run(flags []string) (string, error) {
	args := append(append([]string{"run", "-exec", "echo"}, flags...), "github.com/portreeve/portreeve/cmd/portreeve")
	var said strings.Builder
	c := exec.CommandContext(context.Background(), "go", args...)
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("build the command: %w\n%s", err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}
