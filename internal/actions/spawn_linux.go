package actions

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// spawn starts our own binary again, by the file that runs even where another
// stands under its name by now. The child has one descriptor of ours, as its
// standard input, and no environment.
func spawn(args ...string) (*child, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket pair: %w", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "child")
	defer theirs.Close()
	if err := unix.SetNonblock(pair[0], true); err != nil { // so that it has deadlines
		_ = unix.Close(pair[0])
		return nil, err
	}
	ours := os.NewFile(uintptr(pair[0]), "parent")
	process, err := os.StartProcess("/proc/self/exe", append([]string{os.Args[0]}, args...), &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{theirs, nil, nil},
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true},
	})
	if err != nil {
		_ = ours.Close()
		return nil, err
	}
	return &child{process: process, conn: ours}, nil
}

// silent reports whether a read of a socket that does not block finds neither a
// byte nor the end.
func silent(fd uintptr) bool {
	var one [1]byte
	_, err := unix.Read(int(fd), one[:])
	return errors.Is(err, unix.EAGAIN)
}

// epitaph reads an exit status.
func epitaph(s *os.ProcessState) string {
	if s == nil {
		return "ended"
	}
	w, ok := s.Sys().(syscall.WaitStatus)
	switch {
	case ok && w.Signaled() && s.UserTime()+s.SystemTime() >= (cpuSeconds*time.Second)*9/10:
		return "takes more than 2 s of processor time"
	case ok && w.Signaled():
		return "is killed"
	case ok && w.ExitStatus() == 2: // the Go runtime's last word
		return "takes more memory or stack than there is"
	}
	return "ends early"
}
