package app

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// logFile is where the log goes: standard error, or a file that every reload
// opens anew, so that it can be rotated. A nil *logFile is closed already.
type logFile struct {
	stderr io.Writer

	mu sync.Mutex
	f  *os.File
}

// Write writes one line.
func (l *logFile) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		return l.f.Write(line)
	}
	return l.stderr.Write(line)
}

// reopen writes to that file from now on, to standard error where it is "".
func (l *logFile) reopen(path string) (err error) {
	var f *os.File
	if path != "" {
		if f, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640); err != nil {
			return fmt.Errorf("the log cannot be opened: %w", err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		_ = l.f.Close()
	}
	l.f = f
	return nil
}

// Close ends writing to a file.
func (l *logFile) Close() {
	if l != nil {
		_ = l.reopen("")
	}
}
