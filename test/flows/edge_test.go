package flows

import (
	"bytes"
	"context"
	"encoding/json"
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
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// edge is a whole Portreeve and the application behind it.
type edge struct {
	URL, Probes string
	Echo        string // the application's URL
	Source      app.Source
	App         *app.App
	Clock       *clock
	Dir         string
	log         *lines
}

// clock is the time that Portreeve believes.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time           { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) Advance(by time.Duration) { c.ahead.Add(int64(by)) }

// setting is what a test starts Portreeve with. In Text, @ECHO@ is the
// application and @NAME@ any other word of Words.
type setting struct {
	Text    string
	Words   map[string]string
	Files   map[string]string
	KeySets func(*keyset.Config)
	Clock   *clock // where the stand-ins share it
}

// start serves until the test ends.
func start(t testing.TB, s setting) *edge {
	t.Helper()
	dir, err := os.MkdirTemp("", "flow-") // short: a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	echo := standin.NewEcho(listen(t), standin.EchoOptions{})
	t.Cleanup(func() { _ = echo.Close() })
	e := &edge{Clock: s.Clock, Dir: dir, log: &lines{}, Echo: echo.URL(), Source: app.Source{
		Path: filepath.Join(dir, "portreeve.yaml"), Getenv: func(string) (string, bool) { return "", false }}}
	if e.Clock == nil {
		e.Clock = &clock{}
	}
	probes := listen(t)
	e.Probes = "http://" + probes.Addr().String()
	words := []string{"@ECHO@", echo.URL(), "@PROBES@", probes.Addr().String()}
	_ = probes.Close()
	for k, v := range s.Words {
		words = append(words, "@"+k+"@", v)
	}
	for name, text := range s.Files {
		e.write(t, name, text)
	}
	e.write(t, "portreeve.yaml", strings.NewReplacer(words...).Replace(s.Text))
	storetest.Beside(t, dir)
	up := make(chan string, 1)
	e.App, err = app.New(app.Options{
		Source: e.Source,
		Listen: []string{"127.0.0.1:0"}, Stderr: e.log, Now: e.Clock.Now, KeySets: s.KeySets,
		Started: func(addrs []net.Addr) { up <- addrs[0].String() },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.App.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Portreeve ended with %v", err)
		}
	})
	select {
	case addr := <-up:
		e.URL = "http://" + addr
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
	return e
}

func (e *edge) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(e.Dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
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

// answer is what a client got.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// ask sends a request. fields are "Name: value", in their own spelling.
func (e *edge) ask(t testing.TB, method, path string, fields ...string) answer {
	t.Helper()
	a, err := e.try(t.Context(), method, path, fields...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (e *edge) try(ctx context.Context, method, path string, fields ...string) (a answer, err error) {
	url := path
	if strings.HasPrefix(path, "/") {
		url = e.URL + path
	}
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return a, err
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header[name] = append(req.Header[name], value)
	}
	res, err := client.Do(req)
	if err != nil {
		return a, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return answer{res.StatusCode, res.Header, string(body)}, err
}

var client = &http.Client{
	Timeout:       30 * time.Second,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// admin asks the admin listener, on its socket beside the configuration.
func (e *edge) admin(t testing.TB, path string) answer {
	t.Helper()
	socket := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(e.Dir, "portreeve.sock"))
	}}
	defer socket.CloseIdleConnections()
	res, err := (&http.Client{Transport: socket, Timeout: 10 * time.Second}).Get("http://admin" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

// decode reads an answer's JSON.
func decode[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		t.Fatalf("answer %d is not the JSON that was expected: %v\n%s", a.Status, err, a.Body)
	}
	return v
}

// arrived is the request as the application received it.
func arrived(t testing.TB, a answer) *standin.Received {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("answer %d: %s", a.Status, a.Body)
	}
	r := decode[standin.Received](t, a)
	return &r
}

// got is the one value of a field as the application received it, "" for none.
func got(t testing.TB, r *standin.Received, name string) string {
	t.Helper()
	switch v := r.Header(name); len(v) {
	case 0:
		return ""
	case 1:
		return v[0]
	default:
		t.Errorf("%s arrived %d times", name, len(v))
		return strings.Join(v, " | ")
	}
}

// until asks again until the answer is right. It gives up after ten seconds.
func until(t testing.TB, what string, right func() bool) {
	t.Helper()
	for give := time.Now().Add(10 * time.Second); ; {
		if right() {
			return
		}
		if time.Now().After(give) {
			t.Fatalf("in vain for ten seconds: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// must is for what cannot go wrong but in the test itself.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encode(v any) []byte { return must(json.Marshal(v)) }
