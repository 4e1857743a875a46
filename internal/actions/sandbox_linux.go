package actions

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// What a child may have.
const (
	dataBytes  = 128 << 20
	cpuSeconds = 2
)

// shutIn takes everything from this process that it does not need to read
// messages and compute, and returns what the machine would not take. It is not
// undone, and comes before the first byte is read.
func shutIn() (lacks []string) {
	lack := func(what string, err error) {
		if err != nil {
			lacks = append(lacks, fmt.Sprintf("%s: %v", what, err))
		}
	}
	runtime.LockOSThread() // no_new_privs is a thread's, and the filter gives it to all others
	defer runtime.UnlockOSThread()
	time.Sleep(time.Microsecond) // the runtime makes its poller at the first timer, and could not later
	lack("descriptors", closeRest())
	for _, l := range []struct {
		name     string
		resource int
		limit    uint64
	}{
		{"RLIMIT_CPU", unix.RLIMIT_CPU, cpuSeconds},
		{"RLIMIT_FSIZE", unix.RLIMIT_FSIZE, 0},
		{"RLIMIT_CORE", unix.RLIMIT_CORE, 0},
		{"RLIMIT_NOFILE", unix.RLIMIT_NOFILE, 0},
		{"RLIMIT_MEMLOCK", unix.RLIMIT_MEMLOCK, 0},
		{"RLIMIT_MSGQUEUE", unix.RLIMIT_MSGQUEUE, 0},
		{"RLIMIT_DATA", unix.RLIMIT_DATA, dataBytes},
	} {
		if l.resource == unix.RLIMIT_DATA && raceDetector {
			lacks = append(lacks, "RLIMIT_DATA: a binary with the race detector maps more than that at its start")
			continue
		}
		lack(l.name, unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.limit, Max: l.limit}))
	}
	lack("no_new_privs", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	lack("seccomp", filterCalls())
	return lacks
}

// closeRest closes every descriptor but the socket (0) and the runtime's own
// poller. What somebody handed to our parent without close-on-exec, a service
// manager's sockets, ends here.
func closeRest() error {
	const dir = "/proc/self/fd/"
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		fd, err := strconv.Atoi(n.Name())
		if err != nil || fd == 0 {
			continue
		}
		if what, err := os.Readlink(dir + n.Name()); err == nil && (what == "anon_inode:[eventpoll]" || what == "anon_inode:[eventfd]") {
			continue
		}
		_ = unix.Close(fd) // ReadDir's own is closed already
	}
	return nil
}
