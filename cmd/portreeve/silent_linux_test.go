package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/term"
)

// Who interrupts a question for a passphrase has the terminal back as it was.
func TestAnInterruptedQuestionLeavesTheTerminal(t *testing.T) {
	if os.Getenv("PORTREEVE_TEST_ASKS") != "" {
		_, _ = hidden(streams{in: os.Stdin, err: os.Stderr}, "", "passphrase: ")
		return
	}
	t.Parallel()
	ours, theirs := terminal(t)
	was, err := term.GetState(int(ours.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnInterruptedQuestionLeavesTheTerminal$")
	cmd.Env = append(os.Environ(), "PORTREEVE_TEST_ASKS=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if now, err := term.GetState(int(ours.Fd())); err != nil || time.Now().After(until) {
			t.Fatal("it does not ask without echo", err)
		} else if *now != *was {
			break
		}
	}
	if _, err := ours.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("it ended with %v", err)
	}
	if now, err := term.GetState(int(ours.Fd())); err != nil || *now != *was {
		t.Errorf("the terminal shows nothing that is typed: %v", err)
	}
}

// terminal is a pseudo-terminal, both ends of it.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no pseudo-terminals here:", err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	var n, unlocked int32
	for request, to := range map[uintptr]*int32{syscall.TIOCGPTN: &n, syscall.TIOCSPTLCK: &unlocked} {
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, ours.Fd(), request, uintptr(unsafe.Pointer(to))); e != 0 {
			t.Fatal(e)
		}
	}
	if theirs, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = theirs.Close() })
	return ours, theirs
}
