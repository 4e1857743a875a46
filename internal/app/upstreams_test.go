package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/portreeve/portreeve/internal/proxy"
)

// worker is an application whose health the test chooses.
type worker struct {
	*httptest.Server
	ill    atomic.Bool
	checks atomic.Int32
}

func newWorker(t *testing.T, name string) *worker {
	w := &worker{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/healthz") {
			w.checks.Add(1)
			if w.ill.Load() {
				rw.WriteHeader(500)
			}
			return
		}
		_, _ = fmt.Fprint(rw, name)
	}))
	t.Cleanup(w.Close)
	return w
}

// figures is what /metrics says.
func (s *served) figures() string {
	w := httptest.NewRecorder()
	promhttp.HandlerFor(s.app.metrics.Registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func (s *served) group(t *testing.T) *proxy.Group {
	t.Helper()
	all := s.app.current.Load().runtime.Upstreams
	if len(all) != 1 {
		t.Fatalf("%d groups", len(all))
	}
	for _, g := range all {
		return g
	}
	return nil
}

func TestGroupOverReloads(t *testing.T) {
	t.Parallel()
	a, b := newWorker(t, "a"), newWorker(t, "b")
	b.ill.Store(true)
	file := func(check, more string) string {
		return strings.NewReplacer("A", a.URL, "B", b.URL, "CHECK", check, "MORE", more).Replace(`
environment: test
upstream: {name: jobs, urls: ["A", "B"], healthCheck: {path: CHECK, interval: 1h}}
routes:
  - {path: "/x/*", method: any}
MORE
`)
	}
	s := serveFile(t, file("/healthz", ""))
	eventually(t, "the first checks", func() bool { return !s.group(t).Health().Members[1].Up })
	first := s.group(t)
	for range 6 {
		if status, body, _ := s.get("/x/y"); status != 200 || body != "a" {
			t.Errorf("%d %s", status, body)
		}
	}
	for _, want := range []string{`portreeve_upstream_up{member="0",upstream="jobs"} 1`, `portreeve_upstream_up{member="1",upstream="jobs"} 0`,
		`portreeve_upstream_retries_total{upstream="jobs"} 0`, `portreeve_upstream_requests_running{member="0",upstream="jobs"} 0`} {
		if !strings.Contains(s.figures(), want+"\n") {
			t.Errorf("no %s in\n%s", want, s.figures())
		}
	}
	if strings.Contains(s.figures(), a.Listener.Addr().String()) || len(s.app.degraded()) > 0 {
		t.Errorf("%v", s.app.degraded())
	}

	// What does not touch the group leaves it, and what is known of it.
	if err := s.reload(file("/healthz", "  - {path: /new, method: get, data: {}}")); err != nil {
		t.Fatal(err)
	}
	if s.group(t) != first || s.group(t).Health().Members[1].Up || a.checks.Load() != 1 {
		t.Errorf("the group was made anew: %d checks", a.checks.Load())
	}
	// A name is for people: it makes no other group.
	renamed := strings.Replace(file("/healthz", ""), "name: jobs", "name: tasks", 1)
	if err := s.reload(renamed); err != nil {
		t.Fatal(err)
	}
	if s.group(t) != first || !strings.Contains(s.figures(), `upstream="tasks"`) {
		t.Error("another name made another group")
	}

	a.ill.Store(true)
	if err := s.reload(file("/healthz2", "")); err != nil {
		t.Fatal(err)
	}
	if s.group(t) == first {
		t.Error("another check left the group")
	}
	eventually(t, "no member that is healthy", func() bool { return !s.group(t).Health().Healthy })
	status, body, h := s.get("/x/y")
	if status != 503 || !strings.Contains(body, `"requestId":"`+h.Get("X-Request-Id")+`"`) || !strings.Contains(body, `"error":"Service Unavailable"`) ||
		strings.Contains(body, "127.0.0.1") || h.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%d %s", status, body)
	}
	if got := fmt.Sprint(s.app.degraded()); got != "[no member of the upstream jobs is healthy]" {
		t.Error(got)
	}
	if state := fmt.Sprintf("%+v", s.app.state()); !strings.Contains(state, a.Listener.Addr().String()) {
		t.Errorf("the admin listener does not say which: %s", state)
	}
}

// TLS files are read at the load and again at each reload; what is wrong with
// them is reported where they are named, and changes nothing.
func TestUpstreamTLSFiles(t *testing.T) {
	t.Parallel()
	up := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "safe") }))
	defer up.Close()
	right := pemOf("CERTIFICATE", up.Certificate().Raw)
	wrong := pemOf("CERTIFICATE", strangerCert(t))
	file := strings.Replace(`
environment: test
upstream: {url: "URL", tls: {ca: ca.pem, serverName: example.com}}
routes: [{path: /x, method: get}, {path: /y, method: get}]
`, "URL", up.URL, 1)
	s := serveFile(t, file, "ca.pem", wrong)
	if status, body, _ := s.get("/x"); status != 502 || strings.Contains(body, "x509") {
		t.Errorf("%d %s", status, body)
	}
	before := s.group(t)
	s.write("ca.pem", right)
	if err := s.reload(file); err != nil {
		t.Fatal(err)
	}
	if s.group(t) == before {
		t.Error("another authority left the group as it was")
	}
	if status, body, _ := s.get("/x"); status != 200 || body != "safe" {
		t.Errorf("%d %s", status, body)
	}
	before = s.group(t)
	for content, want := range map[string]string{"x": "holds no certificate", "": "cannot be read, or is empty", strings.Repeat("x", maxPEM+1): "more than 1MiB"} {
		s.write("ca.pem", content)
		err := s.reload(file)
		if err == nil || strings.Count(err.Error(), "upstream.tls.ca: ") != 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
	}
	if err := os.Remove(filepath.Join(s.dir, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	if err := s.reload(file); err == nil || !strings.Contains(err.Error(), "upstream.tls.ca: names a file") {
		t.Errorf("%v", err)
	}
	if status, _, _ := s.get("/x"); status != 200 || s.group(t) != before {
		t.Errorf("%d after reloads that were refused", status)
	}
	if _, named := s.app.loaded()[filepath.Join(s.dir, "ca.pem")]; !named {
		t.Error("watch does not see the file")
	}
}

// An application on a socket beside the file; our own admin socket is none.
func TestUpstreamOnASocket(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	l, err := net.Listen("unix", filepath.Join(dir, "app"))
	if err != nil {
		t.Fatal(err)
	}
	app := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.Host, r.URL) })}
	go func() { _ = app.Serve(l) }()
	defer app.Close()
	s := serveFile(t, strings.ReplaceAll(`
environment: test
admin: {listen: "unix:DIR/admin"}
routes:
  - {path: /x, method: get, upstream: "unix:DIR/app"}
  - {path: /state, method: get, upstream: "unix:DIR/../DIR/admin"}
  - {path: /none, method: get, upstream: "unix:none"}
`, "DIR", dir))
	if status, body, _ := s.get("/x"); status != 200 || body != strings.TrimPrefix(s.url, "http://")+"/x" {
		t.Errorf("%d %s", status, body)
	}
	for _, path := range []string{"/state", "/none"} {
		if status, body, _ := s.get(path); status != 502 || strings.Contains(body, dir) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// strangerCert is a certificate that signed nothing here.
func strangerCert(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
