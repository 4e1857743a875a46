package durability

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/test/peer"
)

// times reads how often something is done.
func times(t testing.TB, name string, standard int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is no number", name, text)
	}
	return n
}

// house is a folder with a configuration that any number of processes serve.
type house struct {
	dir     string
	program string
	store   string
	env     []string
}

// sharedSecret signs the tokens of people.
const sharedSecret = "0123456789abcdef0123456789abcdef"

// settings are what differs between houses.
type settings struct {
	store    string // sqlite:FILE or an address
	maxStale string
	upstream string
	noKey    bool // the key stands beside the store
	prod     bool
	escrow   bool
}

// newHouse writes a configuration.
func newHouse(t testing.TB, s settings) *house {
	t.Helper()
	at := peer.Portreeve(t)
	dir, err := os.MkdirTemp("", "dur-") // short: a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	h := &house{dir: dir, program: at, store: s.store, env: append(os.Environ(), "NO_COLOR=1")}
	if s.store == "" {
		h.store = "sqlite:" + filepath.Join(dir, "portreeve.db")
	}
	h.write(t, "secret", sharedSecret)
	h.write(t, "portreeve.yaml", h.text(s))
	if !s.noKey {
		h.write(t, "master", seal.NewKey())
	}
	return h
}

// Secrets stand in the headers of /sealed/N.
const mostSealed = 8

func (h *house) text(s settings) string {
	var b strings.Builder
	if s.prod {
		b.WriteString("environment: prod\n")
	} else {
		b.WriteString("environment: test\n")
	}
	fmt.Fprintf(&b, "store: {url: %q", h.store)
	if s.maxStale != "" {
		fmt.Fprintf(&b, ", maxStale: %s", s.maxStale)
	}
	b.WriteString("}\n")
	if !s.noKey {
		b.WriteString("masterKey: \"{{file.master}}\"\n")
	}
	b.WriteString("jwt: {secret: \"{{file.secret}}\"}\nrbac: {roles: [{name: reader, permissions: [\"docs:read\"]}]}\ntenantApi: {}\nroutes:\n" +
		"  - {path: /public, method: get, data: {ok: true}}\n" +
		"  - {path: /docs, method: get, requiredPermissions: [\"docs:read\"], data: {ok: true}}\n")
	if s.escrow {
		b.WriteString("escrow: {}\n")
		return strings.Replace(b.String(), "jwt:", "tenants: {defaultFor: [jwt]}\njwt:", 1)
	}
	if s.upstream != "" {
		for i := range mostSealed {
			fmt.Fprintf(&b, "  - {path: /sealed/%d, method: get, requireAuth: true, upstream: {url: %q, headers: {set: {X-Sealed: \"{{secret:S%d?}}\"}}}}\n", i, s.upstream, i)
		}
	}
	return b.String()
}

func (h *house) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command is the program with these words, in the house.
func (h *house) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, h.program, args...)
	cmd.Dir, cmd.Env = h.dir, h.env
	return cmd
}

// run runs a command to its end and returns what it printed.
func (h *house) run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := h.try(t, args...)
	if err != nil {
		t.Fatalf("portreeve %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (h *house) try(t testing.TB, args ...string) (string, error) {
	t.Helper()
	out, err := h.command(t.Context(), args...).CombinedOutput()
	return string(out), err
}

// node is a serving process.
type node struct {
	URL  string
	log  *lines
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // how, after done
}

// serve starts a node and waits until it answers.
func (h *house) serve(t testing.TB) *node {
	t.Helper()
	n := h.launch(t)
	n.await(t)
	return n
}

// launch starts a node.
func (h *house) launch(t testing.TB) *node {
	t.Helper()
	n := &node{log: &lines{}, done: make(chan struct{}), cmd: h.command(context.Background(), "serve", "--listen", "127.0.0.1:0")}
	n.cmd.Stderr, n.cmd.Stdout = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		n.err = n.cmd.Wait()
		close(n.done)
	}()
	t.Cleanup(n.kill)
	return n
}

// await waits until the node says where it serves.
func (n *node) await(t testing.TB) {
	t.Helper()
	for give := time.Now().Add(30 * time.Second); ; {
		if n.URL = n.address(); n.URL != "" {
			return
		}
		select {
		case <-n.done:
			if n.URL = n.address(); n.URL == "" {
				t.Fatalf("the process ended (%v) before it served:\n%s", n.err, n.log)
			}
			return
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(give) {
			t.Fatalf("the process does not serve:\n%s", n.log)
		}
	}
}

// address reads the line that says where the node serves.
func (n *node) address() string {
	for line := range strings.Lines(n.log.String()) {
		if strings.HasPrefix(line, "portreeve ") {
			if _, at, ok := strings.Cut(strings.TrimRight(line, "\n"), " on "); ok && strings.HasSuffix(line, "\n") {
				return "http://" + at
			}
		}
	}
	return ""
}

// kill ends the node with SIGKILL.
func (n *node) kill() {
	_ = n.cmd.Process.Kill()
	<-n.done
}

// stop ends the node with SIGTERM, as an operator would.
func (n *node) stop(t testing.TB) {
	t.Helper()
	_ = n.cmd.Process.Signal(os.Signal(syscall.SIGTERM))
	select {
	case <-n.done:
		if n.err != nil {
			t.Errorf("the process ended with %v:\n%s", n.err, n.log)
		}
	case <-time.After(40 * time.Second):
		t.Errorf("the process does not stop:\n%s", n.log)
	}
}

// lines is a log that is read while it is written. Access records, which are
// most of it, are left out.
type lines struct {
	mu   sync.Mutex
	b    strings.Builder
	part string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.part + string(p)
	for {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			l.part = text
			return len(p), nil
		}
		if !strings.Contains(line, `"msg":"access"`) {
			l.b.WriteString(line + "\n")
		}
		text = rest
	}
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   string
}

// client keeps connections, as real ones do.
type client struct{ http *http.Client }

func newClient(t testing.TB) *client {
	t.Helper()
	tr := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &client{&http.Client{Transport: tr, Timeout: 30 * time.Second}}
}

// ask sends a request. An error means that nobody knows whether it was done.
func (c *client) ask(ctx context.Context, method, url, auth, body string) (answer, error) {
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, from)
	if err != nil {
		return answer{}, err
	}
	switch {
	case strings.HasPrefix(auth, "prk_"):
		req.Header.Set("X-Api-Key", auth)
	case auth != "":
		req.Header.Set("Authorization", "Bearer "+auth)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return answer{res.StatusCode, res.Header, string(raw)}, errors.Join(err, res.Body.Close())
}

// must asks and fails the test where the status is another.
func (c *client) must(t testing.TB, want int, method, url, auth, body string) answer {
	t.Helper()
	a, err := c.ask(context.Background(), method, url, auth, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	if a.status != want {
		t.Fatalf("%s %s: %d %s, want %d", method, url, a.status, a.body, want)
	}
	return a
}
