//go:build !unix

package app

import (
	"fmt"
	"net"
	"os"
)

func listenUnix(file string, _ os.FileMode) (net.Listener, error) {
	l, err := net.Listen("unix", file)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on unix:%s: %w", file, err)
	}
	return l, nil
}
