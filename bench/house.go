package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// house holds what was started, and where files lie.
type house struct {
	ctx      context.Context
	dir      string
	keyFile  string
	tokens   string
	minted   int
	tls      certificate
	upstream string // nginx
	other    string // Go: WebSocket, uploads, events
	running  []*process
}

// open makes tokens, a certificate and the upstreams.
func (h *house) open(tokens int) (err error) {
	h.keyFile, h.tokens, h.minted = filepath.Join(h.dir, "key.pem"), filepath.Join(h.dir, "tokens"), max(1, tokens)
	fmt.Fprintf(os.Stderr, "minting %d tokens\n", h.minted)
	if err := mint(h.minted, h.tokens, h.keyFile); err != nil {
		return fmt.Errorf("mint tokens: %w", err)
	}
	if h.tls, err = makeCertificate(h.dir); err != nil {
		return err
	}
	if h.upstream, err = h.nginxUpstream(); err != nil {
		return err
	}
	t, err := h.program("upstream")
	h.other = t.address
	return err
}

func (h *house) start(name, address string, command ...string) (*process, time.Duration, error) {
	p, took, err := start(h.ctx, name, address, command...)
	if err == nil {
		h.running = append(h.running, p)
	}
	return p, took, err
}

// program starts this program again in another part.
func (h *house) program(part string, more ...string) (target, error) {
	self, err := os.Executable()
	if err != nil {
		return target{}, err
	}
	address, err := freeAddress()
	if err != nil {
		return target{}, err
	}
	p, took, err := h.start(part, address, append([]string{self, part, address}, more...)...)
	return target{process: p, address: address, ready: took, idle: memoryOf(p)}, err
}

// peer starts Go's own bare reverse proxy.
func (h *house) peer(secure bool) (target, error) {
	more := []string{h.upstream}
	if secure {
		more = append(more, h.tls.cert, h.tls.key)
	}
	t, err := h.program("peer", more...)
	t.secure = secure
	return t, err
}

// stop ends what was started, the last first.
func (h *house) stop() error {
	var errs []error
	for i := len(h.running) - 1; i >= 0; i-- {
		errs = append(errs, h.running[i].stop())
	}
	return errors.Join(errs...)
}

// end stops one process early.
func (h *house) end(p *process) error {
	for i, one := range h.running {
		if one == p {
			h.running = append(h.running[:i], h.running[i+1:]...)
			return p.stop()
		}
	}
	return nil
}

// target is a program under measurement.
type target struct {
	*process
	address string
	secure  bool
	ready   time.Duration // from start to the first connection
	idle    float64       // MB before any request
	log     string        // its access log
	file    string        // its configuration
	probes  string        // address
	admin   string        // address; "" where there is none
}

func (t target) url(path string) string {
	if t.secure {
		return "https://" + t.address + path
	}
	return "http://" + t.address + path
}
