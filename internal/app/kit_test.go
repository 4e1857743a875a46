package app

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store/storetest"
)

const secret32 = "0123456789abcdef0123456789abcdef"

// served is a whole Portreeve on a free port, with a file of its own.
type served struct {
	t   *testing.T
	app *App
	dir string
	url string
	log *lockedBuffer
	// links are those that were made at start, as "who url".
	links []string
	stop  context.CancelFunc
	done  chan error
}

// serveFile serves a configuration until the test is over. Files beside it are
// given as name, content.
func serveFile(t *testing.T, yaml string, files ...string) *served {
	t.Helper()
	dir := t.TempDir()
	storetest.Beside(t, dir)
	return serveIn(t, dir, yaml, files...)
}

// serveIn serves in a folder, with the store that is in it or none.
func serveIn(t *testing.T, dir, yaml string, files ...string) *served {
	t.Helper()
	s := &served{t: t, dir: dir, log: &lockedBuffer{}, done: make(chan error, 1)}
	for i := 0; i < len(files); i += 2 {
		s.write(files[i], files[i+1])
	}
	s.write("portreeve.yaml", yaml)
	up := make(chan net.Addr, 1)
	var err error
	s.app, err = New(Options{Source: s.source(nil), Listen: []string{"127.0.0.1:0"}, Stderr: s.log,
		Started: func(addrs []net.Addr) { up <- addrs[0] }, SignInLink: func(who, url string) { s.links = append(s.links, who+" "+url) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { s.done <- s.app.Run(ctx) }()
	select {
	case a := <-up:
		s.url = "http://" + a.String()
	case err := <-s.done:
		t.Fatalf("did not start: %v", err)
	}
	t.Cleanup(func() { stop(); <-s.done; s.done <- nil })
	return s
}

func (s *served) source(env map[string]string) Source {
	return Source{Path: filepath.Join(s.dir, "portreeve.yaml"), Getenv: vars(env)}
}

func vars(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func (s *served) write(name, content string) {
	s.t.Helper()
	put(s.t, filepath.Join(s.dir, name), content)
}

func put(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reload writes the file and takes it up.
func (s *served) reload(yaml string) error {
	s.t.Helper()
	s.write("portreeve.yaml", yaml)
	return s.app.Reload()
}

// get asks for a path, with header fields in pairs.
func (s *served) get(path string, fields ...string) (status int, body string, h http.Header) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(raw), resp.Header
}

// token signs with the file's shared secret.
func (s *served) token(sub string, roles ...string) string {
	s.t.Helper()
	token, err := Token(s.source(nil), TokenRequest{Subject: sub, Roles: roles, Expires: time.Hour, Now: time.Now()})
	if err != nil {
		s.t.Fatal(err)
	}
	return "Bearer " + token
}

// eventually waits for something that another goroutine brings about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(15 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("in vain waited for: %s", what)
		}
	}
}

// lockedBuffer is a log that a test reads while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) has(text string) bool { return strings.Contains(l.String(), text) }
