package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// slowUpstream answers a request when it is let go. begun gets one word for
// each request that has arrived.
func slowUpstream(t *testing.T) (url string, begun chan string, letGo func()) {
	t.Helper()
	begun, gone := make(chan string, 16), make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- r.URL.Path
		<-gone
		_, _ = io.WriteString(w, "at last")
	}))
	done := false
	letGo = func() {
		if !done {
			done = true
			close(gone)
		}
	}
	t.Cleanup(func() { letGo(); up.Close() })
	return up.URL, begun, letGo
}

type answer struct {
	status int
	body   string
	close  bool
	err    error
}

// ask makes a request of its own connection in the background.
func ask(url string) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		tr := &http.Transport{}
		defer tr.CloseIdleConnections()
		resp, err := (&http.Client{Transport: tr, Timeout: 20 * time.Second}).Get(url)
		if err != nil {
			out <- answer{err: err}
			return
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		out <- answer{resp.StatusCode, string(raw), resp.Close, err}
	}()
	return out
}

// free is an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Told to stop, a process says that it is not ready, finishes what it has begun
// and takes nothing new.
func TestStoppingFinishesWhatHasBegun(t *testing.T) {
	t.Parallel()
	up, begun, letGo := slowUpstream(t)
	probes := free(t)
	s := serveFile(t, "environment: test\nprobes: {listen: '"+probes+"'}\nroutes: [{path: /slow, method: get, upstream: '"+up+"'}]")
	if got := <-ask("http://" + probes + "/readyz"); got.status != 200 {
		t.Fatalf("readyz answers %d", got.status)
	}
	first := ask(s.url + "/slow")
	<-begun
	s.stop()
	eventually(t, "a closed door", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	if got := <-ask("http://" + probes + "/readyz"); got.status != 503 || !strings.Contains(got.body, "stopping") {
		t.Errorf("readyz answers %d %s", got.status, got.body)
	}
	if got := <-ask("http://" + probes + "/livez"); got.status != 200 {
		t.Errorf("livez answers %d", got.status)
	}
	letGo()
	if got := <-first; got.status != 200 || got.body != "at last" {
		t.Errorf("what had begun came to %+v", got)
	}
	err := <-s.done
	s.done <- nil
	if err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// While drainDelay lasts requests are still taken, although readiness fails; it
// does not outlast a reload that shortens it beforehand.
func TestDrainDelayStillTakesRequests(t *testing.T) {
	t.Parallel()
	probes := free(t)
	file := "environment: test\nprobes: {listen: '" + probes + "'}\ndrainDelay: DELAY\nroutes: [{path: /a, method: get, response: a}]"
	s := serveFile(t, strings.Replace(file, "DELAY", "1h", 1))
	if err := s.reload(strings.Replace(file, "DELAY", "700ms", 1)); err != nil {
		t.Fatal(err)
	}
	s.stop()
	eventually(t, "not ready", func() bool { got := <-ask("http://" + probes + "/readyz"); return got.status == 503 })
	if got := <-ask(s.url + "/a"); got.status != 200 {
		t.Errorf("a request during drainDelay: %+v", got)
	}
	err := <-s.done
	s.done <- nil
	if err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// What is not over when drain is over is cut off, and the process says so.
func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	up, begun, _ := slowUpstream(t)
	s := serveFile(t, "environment: test\ndrain: 50ms\nroutes: [{path: /slow, method: get, upstream: '"+up+"'}]")
	first := ask(s.url + "/slow")
	<-begun
	s.stop()
	err := <-s.done
	s.done <- nil
	if err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("stopping: %v", err)
	}
	if got := <-first; got.err == nil {
		t.Errorf("got %+v", got)
	}
}

// A reload opens new doors and closes those that are gone; one that stays is
// not touched.
func TestListenFollowsAReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "portreeve.yaml")
	a, b, c := free(t), free(t), free(t)
	write := func(listen, probes string) {
		put(t, file, "environment: test\nlisten: ["+listen+"]\n"+probes+"\nroutes: [{path: /a, method: get, response: a}]")
	}
	write("'"+a+"'", "")
	up := make(chan struct{})
	app, err := New(Options{Source: Source{Path: file, Getenv: vars(nil)}, Stderr: io.Discard, Started: func([]net.Addr) { close(up) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx) }()
	defer func() { stop(); <-done }()
	<-up
	kept, err := net.Dial("tcp", a)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	over := func() int {
		_, _ = io.WriteString(kept, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(kept), nil)
		if err != nil {
			return 0
		}
		return resp.StatusCode
	}
	write("'"+a+"', '"+b+"'", "probes: {listen: '"+c+"'}")
	if err := app.Reload(); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"http://" + a + "/a", "http://" + b + "/a", "http://" + c + "/readyz"} {
		if got := <-ask(url); got.status != 200 {
			t.Errorf("%s: %+v", url, got)
		}
	}
	write("'"+b+"'", "")
	if err := app.Reload(); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"http://" + a + "/a", "http://" + c + "/readyz"} {
		if got := <-ask(url); got.err == nil {
			t.Errorf("%s is still open: %+v", url, got)
		}
	}
	if got := over(); got != 200 {
		t.Errorf("a connection that was open got %d", got)
	}
}

// The command line's addresses are held to the rules of the file's.
func TestListenOfTheCommandLineIsChecked(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "portreeve.yaml")
	put(t, file, "routes: [{path: /a, method: get, response: a}]")
	_, err := New(Options{Source: Source{Path: file, Getenv: vars(nil)}, Listen: []string{"0.0.0.0:0"}, Stderr: io.Discard})
	var bad *ConfigError
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "--listen 0.0.0.0:0: is public and without TLS") {
		t.Errorf("got %v", err)
	}
}

// An upstream that leads back here is refused.
func TestUpstreamMayNotBePortreeveItself(t *testing.T) {
	t.Parallel()
	addr := free(t)
	file := filepath.Join(t.TempDir(), "portreeve.yaml")
	put(t, file, "environment: test\nlisten: '"+addr+"'\nroutes: [{path: /a, method: get, upstream: 'http://"+strings.Replace(addr, "127.0.0.1", "localhost", 1)+"'}]")
	var log lockedBuffer
	up := make(chan struct{})
	app, err := New(Options{Source: Source{Path: file, Getenv: vars(nil)}, Stderr: &log, Started: func([]net.Addr) { close(up) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx) }()
	<-up
	got := <-ask("http://" + addr + "/a")
	stop()
	<-done
	if got.status != 502 || strings.Count(log.String(), `"msg":"access"`) != 1 {
		t.Errorf("got %+v\n%s", got, log.String())
	}
}

// Two processes of one file: the second has no admin socket and says so, rather
// than not serving.
func TestAdminSocketIsNotWorthAFailedStart(t *testing.T) {
	t.Parallel()
	s := serveFile(t, "environment: test\nroutes: [{path: /a, method: get, response: a}]")
	info, err := os.Stat(filepath.Join(s.dir, "portreeve.sock"))
	if err != nil || info.Mode().Perm() != 0o600 || info.Mode()&os.ModeSocket == 0 {
		t.Fatalf("the admin socket: %v %v", info, err)
	}
	var log lockedBuffer
	up := make(chan net.Addr, 1)
	second, err := New(Options{Source: s.source(nil), Listen: []string{"127.0.0.1:0"}, Stderr: &log, Started: func(a []net.Addr) { up <- a[0] }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- second.Run(ctx) }()
	if got := <-ask("http://" + (<-up).String() + "/a"); got.status != 200 || !log.has("no admin listener") {
		t.Errorf("got %+v\n%s", got, log.String())
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if status, err := adminGet(s, "/state"); err != nil || status != 200 {
		t.Errorf("the first one's admin listener: %d %v", status, err)
	}
}

func adminGet(s *served, path string) (int, error) {
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.dir, "portreeve.sock"))
	}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://admin" + path)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}

// Requests at one time are bounded; more are turned away cheaply, and a reload
// changes the bound.
func TestConcurrentRequestsAreBounded(t *testing.T) {
	t.Parallel()
	up, begun, letGo := slowUpstream(t)
	file := "environment: test\nlimits: {concurrent: %d}\nroutes: [{path: /slow, method: get, upstream: '" + up + "'}, {path: /a, method: get, response: a}]"
	s := serveFile(t, fmt.Sprintf(file, 1))
	first := ask(s.url + "/slow")
	<-begun
	if got := <-ask(s.url + "/a"); got.status != 503 {
		t.Errorf("one too many got %+v", got)
	}
	if err := s.reload(fmt.Sprintf(file, 2)); err != nil {
		t.Fatal(err)
	}
	if got := <-ask(s.url + "/a"); got.status != 200 {
		t.Errorf("with room for two the second got %+v", got)
	}
	letGo()
	if got := <-first; got.status != 200 {
		t.Errorf("the first got %+v", got)
	}
}

// A head that does not come in time, is too long or has too many fields is
// refused; so is one that a reload has made so.
func TestHeadsAreBounded(t *testing.T) {
	t.Parallel()
	file := "environment: test\nlimits: {headTimeout: %s, headers: %d, headBytes: 4KiB}\nroutes: [{path: /a, method: get, response: a}]"
	s := serveFile(t, fmt.Sprintf(file, "100ms", 5))
	send := func(text string) string {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(c, text)
		line, _ := bufio.NewReader(c).ReadString('\n')
		return strings.TrimSpace(line)
	}
	fields := "Host: x\r\n" + strings.Repeat("X-A: b\r\n", 6)
	for _, test := range []struct{ name, text, want string }{
		{"fine", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK"},
		{"slow", "GET /a HTTP/1.1\r\nHost", "HTTP/1.1 408 Request Timeout"},
		{"many fields", "GET /a HTTP/1.1\r\n" + fields + "\r\n", "HTTP/1.1 431 Request Header Fields Too Large"},
		{"long", "GET /a HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 8<<10) + "\r\n\r\n", "HTTP/1.1 431 Request Header Fields Too Large"},
	} {
		if got := send(test.text); got != test.want {
			t.Errorf("%s: %q", test.name, got)
		}
	}
	if err := s.reload(fmt.Sprintf(file, "10s", 50)); err != nil {
		t.Fatal(err)
	}
	if got := send("GET /a HTTP/1.1\r\n" + fields + "\r\n"); got != "HTTP/1.1 200 OK" {
		t.Errorf("with more fields allowed: %q", got)
	}
}
