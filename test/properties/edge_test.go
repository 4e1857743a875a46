package properties

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// engine is one way of reading requests off a socket: the word for it in the
// configuration.
type engine struct{ name string }

// engines are held to every rule.
var engines = []engine{{"std"}}

// eachEngine runs a rule for every engine.
func eachEngine(t *testing.T, rule func(t *testing.T, e engine)) {
	t.Helper()
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			rule(t, e)
		})
	}
}

// edge is a Portreeve that serves, and the application behind it.
type edge struct {
	addr string
	app  *app.App
	log  *journal
	echo *application
}

// start serves a configuration until the test ends. @ECHO@ in it is the
// application's URL; files are written beside it.
func start(t testing.TB, e engine, configuration string, files map[string]string) *edge {
	t.Helper()
	dir := t.TempDir()
	d := &edge{log: newJournal(), echo: newApplication(t)}
	text := "engine: " + e.name + "\n" + strings.ReplaceAll(configuration, "@ECHO@", d.echo.URL())
	for name, content := range files {
		write(t, filepath.Join(dir, name), content)
	}
	path := filepath.Join(dir, "portreeve.yaml")
	write(t, path, text)
	storetest.Beside(t, dir)
	up := make(chan string, 1)
	a, err := app.New(app.Options{
		Source: app.Source{Path: path, Getenv: func(string) (string, bool) { return "", false }},
		Listen: []string{"127.0.0.1:0"}, Stderr: d.log, Started: func(addrs []net.Addr) { up <- addrs[0].String() },
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	d.app = a
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
	})
	select {
	case d.addr = <-up:
	case err := <-done:
		done <- err
		t.Fatalf("Portreeve did not start: %v\n%s", err, d.log.text())
	}
	return d
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func loopback(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closing(t testing.TB, c io.Closer) {
	t.Helper()
	t.Cleanup(func() { _ = c.Close() })
}

// application is the echo behind an edge. It keeps what it was sent by the
// request id that Portreeve gave it.
type application struct {
	*standin.Echo
	mu      sync.Mutex
	saw     map[string]*standin.Received
	strange []string // requests without exactly one id of Portreeve's, and malformed ones
}

func newApplication(t testing.TB) *application {
	t.Helper()
	a := &application{saw: map[string]*standin.Received{}}
	a.Echo = standin.NewEcho(loopback(t), standin.EchoOptions{
		Saw: func(r *standin.Received) {
			a.mu.Lock()
			defer a.mu.Unlock()
			ids := r.Header("X-Request-Id")
			if len(ids) != 1 || a.saw[ids[0]] != nil {
				a.strange = append(a.strange, r.Method+" "+r.Target)
				return
			}
			a.saw[ids[0]] = r
		},
		Refused: func(err error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.strange = append(a.strange, err.Error())
		},
	})
	closing(t, a.Echo)
	return a
}

// got is what the application was sent under a request id; nil for nothing.
func (a *application) got(id string) *standin.Received {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.saw[id]
}

// strangers are requests that no answer accounts for: smuggled or malformed.
func (a *application) strangers() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.strange
}

// journal is the log of an edge: whole text, and the access lines by request id.
type journal struct {
	mu    sync.Mutex
	more  *sync.Cond
	all   bytes.Buffer
	lines map[string]map[string]any
}

func newJournal() *journal {
	j := &journal{lines: map[string]map[string]any{}}
	j.more = sync.NewCond(&j.mu)
	return j
}

// Write takes one line of JSON, as slog writes it.
func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var line map[string]any
	if json.Unmarshal(b, &line) == nil {
		if id, ok := line["request"].(string); ok {
			j.lines[id] = line
			j.more.Broadcast()
		}
	}
	return j.all.Write(b)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all.String()
}

// line waits for the access line of a request: it is written once the answer is
// complete, which the client may see first.
func (j *journal) line(t fataler, id string) map[string]any {
	t.Helper()
	tooLate := false
	alarm := time.AfterFunc(20*time.Second, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		tooLate = true
		j.more.Broadcast()
	})
	defer alarm.Stop()
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.lines[id] == nil && !tooLate {
		j.more.Wait()
	}
	if j.lines[id] == nil {
		t.Fatalf("no access line for request %q", id)
	}
	return j.lines[id]
}

// fataler is what a *testing.T and a *rapid.T have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}
