//go:build linux && (amd64 || arm64)

package actions

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// needed are the system calls of a Go process that computes and talks over a
// socket it has: memory, threads of its own, time, waiting. Everything else
// (files, sockets, processes, other processes' memory) is refused with EPERM,
// on every architecture but our own with an end.
//
// A list of our own in thirty lines rather than libseccomp, which is C.
func needed() []uint32 {
	return append([]uint32{
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME,
		unix.SYS_GETTIMEOFDAY, unix.SYS_MUNMAP, unix.SYS_MADVISE, unix.SYS_MINCORE, unix.SYS_BRK, unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK,
		unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETPID, unix.SYS_GETTID,
		unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_GETRANDOM, unix.SYS_RESTART_SYSCALL,
		unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_MEMBARRIER,
	}, neededHere[:]...)
}

// Offsets into struct seccomp_data.
const (
	atCall = 0
	atArch = 4
	atArgs = 16 // 8 bytes each, the lower half first on both architectures
)

// filterCalls installs the filter on every thread.
func filterCalls() error {
	f := program()
	prog := unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("filter of system calls: %w", errno)
	}
	return nil
}

func program() []unix.SockFilter {
	var (
		allow = ret(unix.SECCOMP_RET_ALLOW)
		deny  = ret(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM))
		none  = ret(unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS))
		out   []unix.SockFilter
	)
	add := func(f ...unix.SockFilter) { out = append(out, f...) }
	add(load(atArch), equal(ourArch, 1, 0), ret(unix.SECCOMP_RET_KILL_PROCESS), load(atCall))
	// A thread is a clone that shares all; anything else would be a process. The
	// flags of clone3 are out of reach: told that there is none, libc uses clone.
	add(equal(unix.SYS_CLONE, 0, 4), load(atArgs), set(unix.CLONE_THREAD, 1, 0), deny, allow)
	add(equal(unix.SYS_CLONE3, 0, 1), none)
	// Memory is never made executable.
	for _, call := range []uint32{unix.SYS_MMAP, unix.SYS_MPROTECT} {
		add(equal(call, 0, 4), load(atArgs+2*8), set(unix.PROT_EXEC, 0, 1), deny, allow)
	}
	// Signals go to our own threads: Go's preemption.
	add(equal(unix.SYS_TGKILL, 0, 4), load(atArgs), equal(uint32(os.Getpid()), 1, 0), deny, allow)
	for _, call := range needed() {
		add(equal(call, 0, 1), allow)
	}
	add(deny)
	return out
}

func load(at uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

func equal(k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jt: yes, Jf: no}
}

func set(bits uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: bits, Jt: yes, Jf: no}
}

func ret(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
}
