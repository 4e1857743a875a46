//go:build unix

package app

import (
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
)

// umask is the process's: only one socket is made at a time under a changed one.
var umask sync.Mutex

// listenUnix makes a socket that has its mode from the first moment on.
func listenUnix(file string, mode os.FileMode) (net.Listener, error) {
	umask.Lock()
	old := syscall.Umask(int(^mode & 0o777))
	l, err := net.Listen("unix", file)
	syscall.Umask(old)
	umask.Unlock()
	if err != nil {
		return nil, fmt.Errorf("cannot listen on unix:%s: %w", file, err)
	}
	return l, nil
}
