package edge

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// Edge is a Portreeve that serves.
type Edge struct {
	URL, Addr string
	Source    app.Source
	App       *app.App
	Dir       string
	Log       *Lines
	// Links are the one-time links that were made at start, by whom they sign in.
	Links map[string]string

	now  func() time.Time
	stop func() error
}

// Setting is what Portreeve is started with. In Text, @NAME@ is a word of Words;
// Files are written beside it.
type Setting struct {
	Text  string
	Words map[string]string
	Files map[string]string
	// Now is Portreeve's clock; the machine's where it is nil.
	Now func() time.Time
}

// Prepare writes the configuration and serves nothing yet.
func Prepare(t testing.TB, s Setting) *Edge {
	t.Helper()
	dir, err := os.MkdirTemp("", "edge-") // short: a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	e := &Edge{Dir: dir, Log: &Lines{}, Links: map[string]string{}, now: s.Now, Source: app.Source{
		Path: filepath.Join(dir, "portreeve.yaml"), Getenv: func(string) (string, bool) { return "", false }}}
	for name, text := range s.Files {
		e.Write(t, name, text)
	}
	words := make([]string, 0, 2*len(s.Words))
	for k, v := range s.Words {
		words = append(words, "@"+k+"@", v)
	}
	text := strings.NewReplacer(words...).Replace(s.Text)
	e.Write(t, "portreeve.yaml", text)
	if store := beside.FindStringSubmatch(text); store != nil {
		storetest.SQLiteFile(t, filepath.Join(dir, store[1]))
		if !strings.Contains(text, "masterKey") { // it is made with the store, not for one that is there
			e.Write(t, store[1]+".key", seal.NewKey())
		}
	}
	return e
}

// beside is a store beside the configuration. It is there already, and empty: to
// copy it takes a fraction of what making it takes.
var beside = regexp.MustCompile(`"?sqlite:([\w.-]+)"?[,}\s]`)

// Start serves until the test ends.
func Start(t testing.TB, s Setting) *Edge {
	t.Helper()
	e := Prepare(t, s)
	e.Serve(t)
	return e
}

// Serve serves what was prepared until the test ends.
func (e *Edge) Serve(t testing.TB) {
	t.Helper()
	up := make(chan string, 1)
	var err error
	e.App, err = app.New(app.Options{Source: e.Source, Listen: []string{"127.0.0.1:0"}, Stderr: e.Log, Now: e.now,
		SignInLink: func(who, url string) { e.Links[who] = url }, Started: func(addrs []net.Addr) { up <- addrs[0].String() }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.App.Run(ctx) }()
	e.stop = sync.OnceValue(func() error { stop(); return <-done })
	t.Cleanup(func() {
		if err := e.stop(); err != nil {
			t.Errorf("Portreeve ended with %v", err)
		}
	})
	select {
	case e.Addr = <-up:
		e.URL = "http://" + e.Addr
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
}

// Stop ends serving and says what came of it. A second call says the same.
func (e *Edge) Stop() error { return e.stop() }

// Host is the hand of who sits at the machine, beside the serving process.
func (e *Edge) Host(t testing.TB) *app.Host {
	t.Helper()
	h, err := app.OpenHost(t.Context(), e.Source, app.HostOptions{Who: "root", Log: e.Log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// Write writes a file beside the configuration.
func (e *Edge) Write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(e.Dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Listen is a free port.
func Listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Until asks again until the answer is right, and says how long that took. It
// gives up after ten seconds.
func Until(t testing.TB, what string, right func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !right() {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("in vain for ten seconds: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
	return time.Since(began)
}

// Lines is a log that several goroutines write.
type Lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
