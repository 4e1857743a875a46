package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// silently reads a line that the terminal does not show. Whoever interrupts it has
// the terminal back as it was: without that the next thing typed would not be seen.
func silently(s streams, f *os.File) ([]byte, error) {
	fd := int(f.Fd())
	was, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	stop, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer func() { signal.Stop(stop); close(done) }()
	go func() {
		select {
		case <-stop:
			_ = term.Restore(fd, was)
			fmt.Fprintln(s.err)
			os.Exit(exitRefused)
		case <-done:
		}
	}()
	return term.ReadPassword(fd)
}
