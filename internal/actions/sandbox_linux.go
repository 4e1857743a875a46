package actions

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What a child may have. Its memory is counted from where it starts: the Go
// runtime and a binary of this size have mapped about 120 MiB by then, most of
// it never touched, and more where threads have C stacks.
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
	mapped, err := mappedData()
	lack("RLIMIT_DATA", err)
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
		{"RLIMIT_DATA", unix.RLIMIT_DATA, mapped + dataBytes},
	} {
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

// mappedData is what RLIMIT_DATA counts, as it stands.
func mappedData() (uint64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmData:" {
			kilobytes, err := strconv.ParseUint(f[1], 10, 40)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmData")
}
