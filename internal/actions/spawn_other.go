//go:build !linux

package actions

import (
	"errors"
	"os"
)

// spawn is for Linux: elsewhere nothing would shut the child in, and a script
// that nothing shuts in does not run.
func spawn(...string) (*child, error) {
	return nil, errors.New("actions run on Linux alone")
}

func silent(uintptr) bool { return false }

func epitaph(*os.ProcessState) string { return "ended" }

func shutIn() []string { return nil }
