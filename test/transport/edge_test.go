package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// edge is a whole Portreeve and the application behind it.
type edge struct {
	t    testing.TB
	App  *app.App
	Addr string // of the public listener
	Dir  string
	Stop context.CancelFunc
	Done chan error
	log  *lines
	// ahead is how far Portreeve's clock is in front.
	ahead atomic.Int64

	mu  sync.Mutex
	saw []*standin.Received
}

// start serves until the test ends. In text, @ECHO@ is the application, @DIR@
// the file's folder; files beside it are given as name, content.
func start(t testing.TB, text string, files map[string]string) *edge {
	t.Helper()
	return startOn(t, "127.0.0.1:0", text, files)
}

func startOn(t testing.TB, listenOn, text string, files map[string]string) *edge {
	t.Helper()
	dir, err := os.MkdirTemp("", "tls-") // short: a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	e := &edge{t: t, Dir: dir, log: &lines{}, Done: make(chan error, 1)}
	echo := standin.NewEcho(listen(t), standin.EchoOptions{Saw: func(r *standin.Received) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.saw = append(e.saw, r)
	}})
	t.Cleanup(func() { _ = echo.Close() })
	for name, content := range files {
		e.write(name, content)
	}
	e.write("portreeve.yaml", strings.NewReplacer("@ECHO@", echo.URL(), "@DIR@", dir).Replace(text))
	storetest.Beside(t, dir)
	up := make(chan string, 1)
	e.App, err = app.New(app.Options{
		Source: app.Source{Path: filepath.Join(dir, "portreeve.yaml"), Getenv: func(string) (string, bool) { return "", false }},
		Listen: []string{listenOn}, Stderr: e.log, Now: func() time.Time { return time.Now().Add(time.Duration(e.ahead.Load())) },
		Started: func(addrs []net.Addr) { up <- addrs[0].String() },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	e.Stop = stop
	go func() { e.Done <- e.App.Run(ctx) }()
	t.Cleanup(func() { stop(); <-e.Done; e.Done <- nil })
	select {
	case e.Addr = <-up:
	case err := <-e.Done:
		e.Done <- err
		t.Fatal(err)
	}
	return e
}

func (e *edge) write(name, text string) {
	e.t.Helper()
	if err := os.WriteFile(filepath.Join(e.Dir, name), []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

// problems is what check says of a configuration.
func problems(t testing.TB, text string, files map[string]string) (out []string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range with(files, map[string]string{"portreeve.yaml": text}) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report, err := app.Check(app.Source{Path: filepath.Join(dir, "portreeve.yaml"), Getenv: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Problems {
		out = append(out, p.String())
	}
	return out
}

// received are the requests that the application got, in order.
func (e *edge) received() []*standin.Received {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*standin.Received(nil), e.saw...)
}

// client speaks to the edge by whatever host a URL names.
func (e *edge) client(c *tls.Config, h2 bool) *http.Client {
	e.t.Helper()
	p := new(http.Protocols)
	p.SetHTTP1(!h2)
	p.SetHTTP2(h2)
	tr := &http.Transport{TLSClientConfig: c, Protocols: p, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", e.Addr)
	}}
	e.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// answer is what a client got.
type answer struct {
	Status int
	Proto  string
	Header http.Header
	Body   string
	TLS    *tls.ConnectionState
}

// ask sends a request with header fields in pairs; Host is one of them.
func ask(t testing.TB, c *http.Client, method, url string, fields ...string) answer {
	t.Helper()
	a, err := try(c, method, url, fields...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func try(c *http.Client, method, url string, fields ...string) (a answer, err error) {
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		return a, err
	}
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == "Host" {
			req.Host = fields[i+1]
		}
		req.Header.Add(fields[i], fields[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		return a, err
	}
	raw, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Proto, resp.Header, string(raw), resp.TLS}, errors.Join(err, resp.Body.Close())
}

// echoed reads the application's answer.
func (a answer) echoed(t testing.TB) *standin.Received {
	t.Helper()
	var r standin.Received
	if err := json.Unmarshal([]byte(a.Body), &r); err != nil || a.Status != http.StatusOK {
		t.Fatalf("not the application's answer: %d %s", a.Status, a.Body)
	}
	return &r
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// eventually waits for what another goroutine brings about.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("in vain waited for: %s", what)
		}
	}
}

// lines is a log that several goroutines write.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
