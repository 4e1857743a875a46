package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// house holds what was started, and where files lie.
type house struct {
	ctx     context.Context
	dir     string
	keyFile string
	tokens  string
	running []*process
}

func (h *house) start(name, address string, command ...string) (*process, time.Duration, error) {
	p, took, err := start(h.ctx, name, address, command...)
	if err == nil {
		h.running = append(h.running, p)
	}
	return p, took, err
}

// stop ends what was started, the last first.
func (h *house) stop() error {
	var errs []error
	for i := len(h.running) - 1; i >= 0; i-- {
		errs = append(errs, h.running[i].stop())
	}
	return errors.Join(errs...)
}

// target is a program under measurement.
type target struct {
	*process
	address string
	ready   time.Duration // from start to the first connection
	idle    float64       // MB before any request
	log     string        // its access log
}

// scenario is one line of the table.
type scenario struct {
	name   string
	target target
	path   string
	tokens int
	guards bool // it must refuse a request without token
	dir    string
	file   string // of tokens
}

// furnish starts everything and lists what to measure; the first is the floor.
func (h *house) furnish(o options) ([]scenario, error) {
	h.keyFile, h.tokens = filepath.Join(h.dir, "key.pem"), filepath.Join(h.dir, "tokens")
	n := 1
	if o.portreeve != "" {
		n = max(1, o.tokens)
		fmt.Fprintf(os.Stderr, "minting %d tokens\n", n)
	}
	if err := mint(n, h.tokens, h.keyFile); err != nil {
		return nil, fmt.Errorf("mint tokens: %w", err)
	}
	upstream, err := h.nginxUpstream()
	if err != nil {
		return nil, err
	}
	plain, err := h.nginxPlain(upstream)
	if err != nil {
		return nil, err
	}
	list := []scenario{{name: "nginx, plain proxy", target: plain, path: measuredPath, tokens: 1}}
	if o.portreeve == "" {
		// The same again: how far two equal lines differ is the noise.
		list = append(list, list[0])
		list[1].name = "nginx, plain proxy, again"
	} else {
		few, err := h.portreeve(o.portreeve, upstream, "few", 10)
		if err != nil {
			return nil, err
		}
		many, err := h.portreeve(o.portreeve, upstream, "many", o.routes)
		if err != nil {
			return nil, err
		}
		list = append(list,
			scenario{name: "proxied, 1 token, 10 routes", target: few, path: measuredPath, tokens: 1, guards: true},
			scenario{name: fmt.Sprintf("proxied, %d tokens, 10 routes", n), target: few, path: measuredPath, tokens: n, guards: true},
			scenario{name: fmt.Sprintf("proxied, 1 token, %d routes and roles", o.routes), target: many, path: measuredPath, tokens: 1, guards: true},
			scenario{name: "decided and answered, 1 token, 10 routes", target: few, path: decidedPath, tokens: 1, guards: true},
			scenario{name: fmt.Sprintf("decided and answered, %d tokens, 10 routes", n), target: few, path: decidedPath, tokens: n, guards: true},
			scenario{name: fmt.Sprintf("decided and answered, 1 token, %d routes and roles", o.routes), target: many, path: decidedPath, tokens: 1, guards: true})
	}
	kept := list[:0:0]
	for i, s := range list {
		if i == 0 || strings.Contains(s.name, o.only) {
			s.dir, s.file = h.dir, h.tokens
			kept = append(kept, s)
		}
	}
	return kept, nil
}

// sound makes sure that the scenario measures what it says.
func (s *scenario) sound() error {
	b, err := os.ReadFile(s.file)
	if err != nil {
		return err
	}
	token, _, _ := strings.Cut(string(b), "\n")
	status, body, header, err := s.ask(s.path, token)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", s.name, err)
	case status != http.StatusOK:
		return fmt.Errorf("%s: a request with a token gets %d", s.name, status)
	case s.path == measuredPath && len(body) != answerBytes:
		return fmt.Errorf("%s: an answer of %d bytes", s.name, len(body))
	case !s.guards:
		return nil
	case header.Get("X-RateLimit-Limit") == "":
		return fmt.Errorf("%s: the answer tells of no rate limit", s.name)
	}
	if _, who, _, err := s.ask(whoPath, token); err != nil || who != "user-00000|" {
		return fmt.Errorf("%s: the upstream was told of the caller and the credential: %q (%v)", s.name, who, err)
	}
	if log, err := os.Stat(s.target.log); err != nil || log.Size() == 0 {
		return fmt.Errorf("%s: no access log is written (%v)", s.name, err)
	}
	return s.refuses(token)
}

// refuses makes sure that nothing gets in without a good token.
func (s *scenario) refuses(token string) error {
	for what, bad := range map[string]string{"no token": "", "a changed token": token[:len(token)-8] + "AAAAAAAA"} {
		if status, _, _, err := s.ask(s.path, bad); err != nil || status != http.StatusUnauthorized {
			return fmt.Errorf("%s: a request with %s gets %d (%v)", s.name, what, status, err)
		}
	}
	return nil
}

func (s *scenario) ask(path, token string) (status int, body string, header http.Header, err error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+s.target.address+path, nil)
	if err != nil {
		return 0, "", nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := (&http.Client{Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), res.Header, err
}
