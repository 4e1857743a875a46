package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// idleFigure is what connections cost that ask once and then stay.
type idleFigure struct {
	name        string
	connections int
	before      float64 // MB
	after       float64
	kept        bool // one of them was answered again at the end
}

func (f idleFigure) each() float64 { return (f.after - f.before) * 1024 / float64(f.connections) }

// openFiles raises the number of open files as far as the system lets it, and
// returns how many there may be.
func openFiles() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 1024
	}
	if l.Cur < l.Max {
		l.Cur = l.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
		_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
	}
	return int(min(l.Cur, 1<<30))
}

// idle opens n connections to t, asks once on each, and sees how much more
// memory t has when nothing has happened for settle.
func idle(ctx context.Context, t target, name, path, token string, n int, settle time.Duration) (f idleFigure, err error) {
	f = idleFigure{name: name, connections: n, before: t.memory()}
	open := make([]net.Conn, n)
	defer func() {
		for _, c := range open {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	errs := make([]error, 16)
	var all sync.WaitGroup
	for w := range errs {
		all.Go(func() {
			for i := w; i < n && errs[w] == nil && ctx.Err() == nil; i += len(errs) {
				if open[i], errs[w] = net.DialTimeout("tcp", t.address, 10*time.Second); errs[w] == nil {
					errs[w] = askOn(open[i], t.address, path, token)
				}
			}
		})
	}
	all.Wait()
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return f, fmt.Errorf("%s: idle connections: %w", name, err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(settle):
	}
	f.after = t.memory()
	f.kept = askOn(open[n/2], t.address, path, token) == nil
	return f, nil
}

// askOn asks once on a connection and leaves it open.
func askOn(c net.Conn, host, path, token string) error {
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, host, token); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s (%w)", res.Status, errors.Join(err, io.EOF))
	}
	return nil
}

// idleFigures measures nginx, Go's own bare proxy and Portreeve, each in a
// fresh process.
func (h *house) idleFigures(o options) (list []idleFigure, err error) {
	token, err := firstToken(h.tokens)
	if err != nil {
		return nil, err
	}
	one := func(name string, t target, err error) error {
		if err != nil {
			return err
		}
		defer func() { _ = h.end(t.process) }()
		f, err := idle(h.ctx, t, name, measuredPath, token, o.idle, 2*time.Second)
		list = append(list, f)
		return err
	}
	t, err := h.nginxPlain("idle", "")
	if err := one("nginx, plain proxy", t, err); err != nil {
		return nil, err
	}
	t, err = h.peer(false)
	if err := one("Go's own bare proxy", t, err); err != nil {
		return nil, err
	}
	t, err = h.portreeve(o.portreeve, setup{name: "idle", routes: 10})
	return list, one("Portreeve", t, err)
}
