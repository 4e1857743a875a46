// Package peer finds the real programs that tests talk to: Node packages in
// test/npm, what the system has, and the command itself. Where one is missing the
// test is skipped, unless PORTREEVE_PEERS is "required", which `make test` sets after
// installing them: then it fails.
package peer

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Node returns test/npm, in which a script can import the packages.
func Node(t testing.TB, packages ...string) (dir string) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	dir = filepath.Join(filepath.Dir(here), "..", "npm")
	Program(t, "node")
	for _, p := range packages {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", filepath.FromSlash(p))); err != nil {
			missing(t, "the npm package "+p)
		}
	}
	return dir
}

// Program returns the path of a program.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name) // where Debian puts servers, and not on everybody's PATH
	}
	if err != nil {
		missing(t, name)
	}
	return path
}

// Chromium returns the path of a Chromium. That without windows is the same to a
// page, and opens one for somebody new in a seventh of the time.
func Chromium(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("chromium-headless-shell"); err == nil {
		return path
	}
	return Program(t, "chromium")
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("PORTREEVE_PEERS") == "required" {
		t.Fatalf("%s is missing (make deps)", what)
	}
	t.Skipf("%s is not installed: make deps", what)
}
