package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// driver loads a scenario for that long.
type driver func(ctx context.Context, s *scenario, connections int, length time.Duration) (load, error)

// scenario is one line of the table.
type scenario struct {
	name   string
	group  string // compared with the first of its group
	target target
	drive  driver // nil: byWrk
	path   string
	tokens int
	guards bool                   // it must refuse a request without token
	body   int                    // bytes of the request's
	single bool                   // one connection
	fresh  func() (target, error) // a new process for each run, that has seen no token

	house *house
	dir   string
	file  string // of tokens; the house's unless set
	who   string // the caller, as the upstream is told; the first token's unless set
}

func (s *scenario) verb() string {
	if s.body > 0 {
		return http.MethodPost
	}
	return http.MethodGet
}

// The groups.
const (
	inPlain  = "HTTP/1.1"
	inSecure = "HTTP/1.1 over TLS 1.3"
	inH2     = "HTTP/2 over TLS 1.3"
	inSocket = "WebSocket echo"
	inDown   = "1 MiB answers"
	inUp     = "1 MiB requests"
	inSingle = "one connection"
)

// The scenarios that targets refer to.
const (
	proxiedOne    = "proxied, 1 token, 10 routes"
	decidedOne    = "decided and answered, 1 token, 10 routes"
	firstSight    = "decided and answered, tokens never seen before"
	peerSecure    = "Go's own bare proxy, TLS"
	oursSecure    = "proxied, TLS"
	peerH2        = "Go's own bare proxy, HTTP/2"
	oursH2        = "proxied, HTTP/2"
	oursSingle    = "proxied, one connection"
	proxiedMany   = "proxied, many tokens, 10 routes"
	decidedMany   = "decided and answered, many tokens, 10 routes"
	proxiedWide   = "proxied, 1 token, many routes and roles"
	decidedWide   = "decided and answered, 1 token, many routes and roles"
	proxiedStored = "proxied, 1 token, with a store"
	decidedStored = "decided and answered, 1 token, with a store"
	proxiedKey    = "proxied, 1 API key, with a store"
	decidedKey    = "decided and answered, 1 API key, with a store"
)

// enoughTokens is from how many on tokens never seen before last for a run.
const enoughTokens = 20_000

// furnish starts everything and lists what to measure.
func (h *house) furnish(o options) (list []scenario, err error) {
	plain, err := h.nginxPlain("plain", "")
	if err != nil {
		return nil, err
	}
	list = append(list, scenario{name: "nginx, plain proxy", group: inPlain, target: plain, path: measuredPath})
	if o.portreeve == "" {
		// The same again: how far two equal lines differ is the noise.
		list = append(list, scenario{name: "nginx, plain proxy, again", group: inPlain, target: plain, path: measuredPath})
		return h.keep(list, o.only), nil
	}
	few, err := h.portreeve(o.portreeve, setup{name: "few", routes: 10, admin: o.profile != ""})
	if err != nil {
		return nil, err
	}
	many, err := h.portreeve(o.portreeve, setup{name: "many", routes: o.routes, admin: o.profile != ""})
	if err != nil {
		return nil, err
	}
	n := h.minted
	stored, err := h.portreeve(o.portreeve, setup{name: "stored", routes: 10, stores: true, admin: o.profile != ""})
	if err != nil {
		return nil, err
	}
	key, err := h.apiKey(o.portreeve, stored)
	if err != nil {
		return nil, err
	}
	list = append(list,
		scenario{name: proxiedStored, group: inPlain, target: stored, path: measuredPath, guards: true},
		scenario{name: proxiedKey, group: inPlain, target: stored, path: measuredPath, guards: true, file: key.file, who: key.id},
		scenario{name: decidedStored, group: inPlain, target: stored, path: decidedPath, guards: true},
		scenario{name: decidedKey, group: inPlain, target: stored, path: decidedPath, guards: true, file: key.file, who: key.id},
		scenario{name: proxiedOne, group: inPlain, target: few, path: measuredPath, guards: true},
		scenario{name: proxiedMany, group: inPlain, target: few, path: measuredPath, tokens: n, guards: true},
		scenario{name: proxiedWide, group: inPlain, target: many, path: measuredPath, guards: true},
		scenario{name: decidedOne, group: inPlain, target: few, path: decidedPath, guards: true},
		scenario{name: decidedMany, group: inPlain, target: few, path: decidedPath, tokens: n, guards: true},
		scenario{name: decidedWide, group: inPlain, target: many, path: decidedPath, guards: true},
		scenario{name: "nginx, one connection", group: inSingle, target: plain, path: measuredPath, single: true},
		scenario{name: oursSingle, group: inSingle, target: few, path: measuredPath, single: true, guards: true},
		scenario{name: "nginx, WebSocket", group: inSocket, target: plain, path: echoPath, drive: bySockets},
		scenario{name: "WebSocket through Portreeve", group: inSocket, target: few, path: echoPath, drive: bySockets, guards: true},
		scenario{name: "nginx, answers of 1 MiB", group: inDown, target: plain, path: largePath},
		scenario{name: "proxied, answers of 1 MiB", group: inDown, target: few, path: largePath, guards: true},
		scenario{name: "nginx, requests of 1 MiB", group: inUp, target: plain, path: uploadPath, body: largeBytes},
		scenario{name: "proxied, requests of 1 MiB", group: inUp, target: few, path: uploadPath, body: largeBytes, guards: true})
	if n >= enoughTokens {
		list = append(list, scenario{name: firstSight, group: inPlain, path: decidedPath, tokens: n, fresh: func() (target, error) {
			return h.portreeve(o.portreeve, setup{name: "fresh", routes: 10})
		}})
	}
	secure, err := h.furnishTLS(o)
	return h.keep(append(list, secure...), o.only), err
}

// furnishTLS lists what speaks TLS: nginx, Go's own bare proxy, Portreeve.
func (h *house) furnishTLS(o options) ([]scenario, error) {
	floor, err := h.nginxPlain("tls", "ssl http2")
	if err != nil {
		return nil, err
	}
	peer, err := h.peer(true)
	if err != nil {
		return nil, err
	}
	ours, err := h.portreeve(o.portreeve, setup{name: "tls", routes: 10, secure: true, admin: o.profile != ""})
	if err != nil {
		return nil, err
	}
	return []scenario{
		{name: "nginx, TLS", group: inSecure, target: floor, path: measuredPath},
		{name: peerSecure, group: inSecure, target: peer, path: measuredPath},
		{name: oursSecure, group: inSecure, target: ours, path: measuredPath, guards: true},
		{name: "nginx, HTTP/2", group: inH2, target: floor, path: measuredPath, drive: byH2load},
		{name: peerH2, group: inH2, target: peer, path: measuredPath, drive: byH2load},
		{name: oursH2, group: inH2, target: ours, path: measuredPath, drive: byH2load, guards: true},
	}, nil
}

// keep drops what was not asked for. What others are compared with stays.
func (h *house) keep(list []scenario, only string) (kept []scenario) {
	wanted := map[string]bool{}
	for _, s := range list {
		wanted[s.group] = wanted[s.group] || strings.Contains(s.name+" "+s.group, only)
	}
	first := map[string]bool{}
	for _, s := range list {
		is := strings.Contains(s.name+" "+s.group, only)
		if !first[s.group] {
			is, first[s.group] = wanted[s.group], true
		}
		if !is {
			continue
		}
		s.house, s.dir, s.file, s.tokens, s.who = h, h.dir, cmp.Or(s.file, h.tokens), max(1, s.tokens), cmp.Or(s.who, "user-00000")
		if s.drive == nil {
			s.drive = byWrk
		}
		kept = append(kept, s)
	}
	return kept
}

// sound makes sure that the scenario measures what it says.
func (s *scenario) sound() error {
	if s.fresh != nil { // each run looks at its own process
		return nil
	}
	token, err := firstToken(s.file)
	if err != nil {
		return err
	}
	if s.path == echoPath {
		return s.echoes(token)
	}
	status, body, header, err := s.ask(s.path, token)
	want := map[string]int{measuredPath: answerBytes, largePath: largeBytes, uploadPath: len(fmt.Sprint(largeBytes))}[s.path]
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", s.name, err)
	case status != http.StatusOK:
		return fmt.Errorf("%s: a request with a token gets %d", s.name, status)
	case want != 0 && len(body) != want:
		return fmt.Errorf("%s: an answer of %d bytes", s.name, len(body))
	case !s.guards:
		return nil
	case header.Get("X-RateLimit-Limit") == "":
		return fmt.Errorf("%s: the answer tells of no rate limit", s.name)
	}
	return s.checks(token)
}

// echoes makes sure that a WebSocket opens with a token, and only then.
func (s *scenario) echoes(token string) error {
	c, err := openSocket(s.target.address, s.path, token, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	defer func() { _ = c.Close() }()
	if err := c.echo(masked(), make([]byte, frameBytes)); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if !s.guards {
		return nil
	}
	if open, err := openSocket(s.target.address, s.path, "none", nil); err == nil {
		_ = open.Close()
		return fmt.Errorf("%s: a WebSocket opens without a token", s.name)
	}
	return nil
}

// checks makes sure that everything is on the path: identity headers, credential
// taken away, access log, and refusals of whatever has no good token.
func (s *scenario) checks(token string) error {
	body := s.body
	s.body = 0
	defer func() { s.body = body }()
	if _, who, _, err := s.ask(whoPath, token); err != nil || who != s.who+"|" {
		return fmt.Errorf("%s: the upstream was told of the caller and the credential: %q (%v)", s.name, who, err)
	}
	if log, err := os.Stat(s.target.log); err != nil || log.Size() == 0 {
		return fmt.Errorf("%s: no access log is written (%v)", s.name, err)
	}
	for what, bad := range map[string]string{"no token": "", "a changed token": token[:len(token)-8] + "AAAAAAAA"} {
		if status, _, _, err := s.ask(whoPath, bad); err != nil || status != http.StatusUnauthorized {
			return fmt.Errorf("%s: a request with %s gets %d (%v)", s.name, what, status, err)
		}
	}
	return nil
}

func (s *scenario) ask(path, token string) (status int, body string, header http.Header, err error) {
	r, err := http.NewRequest(s.verb(), s.target.url(path), bytes.NewReader(make([]byte, s.body)))
	if err != nil {
		return 0, "", nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	c := s.house.tls.client(false, 1)
	defer c.CloseIdleConnections()
	res, err := c.Do(r)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), res.Header, err
}
