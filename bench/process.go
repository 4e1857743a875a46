package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticks is how many units of /proc's utime and stime make a second: USER_HZ,
// which is 100 on every Linux that Go runs on.
const ticks = 100

// process is one program under measurement, its children included.
type process struct {
	name string
	cmd  *exec.Cmd
	log  bytes.Buffer
	done chan error
}

// start runs a program and waits until address takes connections.
func start(ctx context.Context, name, address string, command ...string) (*process, time.Duration, error) {
	p := &process{name: name, cmd: exec.CommandContext(ctx, command[0], command[1:]...), done: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 10 * time.Second
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, 0, fmt.Errorf("start %s: %w", name, err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	for {
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = c.Close()
			return p, time.Since(began), nil
		}
		select {
		case err := <-p.done:
			return nil, 0, fmt.Errorf("%s ended at once (%v):\n%s", name, err, p.log.Bytes())
		case <-time.After(time.Millisecond):
		}
		if time.Since(began) > 30*time.Second {
			return nil, 0, errors.Join(fmt.Errorf("%s does not listen on %s", name, address), p.stop())
		}
	}
}

func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("%s did not end when it was told to", p.name)
	}
}

// family is the process and its children.
func (p *process) family() []int {
	root := p.cmd.Process.Pid
	pids := []int{root}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		if s, err := parseStat(string(b)); err == nil && s.parent == root {
			pids = append(pids, s.pid)
		}
	}
	return pids
}

// stat is what this program needs of /proc/PID/stat.
type stat struct {
	pid, parent int
	cpu         time.Duration
}

// parseStat reads proc_pid_stat(5). The name, in brackets, may hold anything.
func parseStat(s string) (stat, error) {
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 1 || end < open {
		return stat{}, fmt.Errorf("no process name in %q", s)
	}
	rest := strings.Fields(s[end+1:])
	if len(rest) < 13 {
		return stat{}, fmt.Errorf("too few fields in %q", s)
	}
	var n [4]int
	for i, text := range []string{strings.TrimSpace(s[:open]), rest[1], rest[11], rest[12]} {
		v, err := strconv.Atoi(text)
		if err != nil {
			return stat{}, err
		}
		n[i] = v
	}
	return stat{pid: n[0], parent: n[1], cpu: time.Duration(n[2]+n[3]) * time.Second / ticks}, nil
}

// cpu is the processor time that the process and its children have used.
func (p *process) cpu() (time.Duration, error) {
	var sum time.Duration
	for _, pid := range p.family() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		s, err := parseStat(string(b))
		if err != nil {
			return 0, err
		}
		sum += s.cpu
	}
	return sum, nil
}

// memory is the resident memory of the process and its children, in MB.
func (p *process) memory() float64 {
	var kb float64
	for _, pid := range p.family() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
				n, _ := strconv.ParseFloat(f[1], 64)
				kb += n
			}
		}
	}
	return kb / 1024
}

// freeAddress finds a loopback address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}
