package streams

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const secret = "0123456789abcdef0123456789abcdef"

// edge is a whole Portreeve on a free port.
type edge struct {
	t    testing.TB
	app  *app.App
	addr string
	dir  string
	log  *logged
	stop context.CancelFunc
	done chan error
	pool *x509.CertPool
}

// start serves a configuration until the test is over. {UP} stands for the
// address of the upstream; tls for a certificate of the edge.
func start(t testing.TB, yaml, upstream string, keys ...func(*keyset.Config)) *edge {
	t.Helper()
	e := &edge{t: t, dir: t.TempDir(), log: &logged{}, done: make(chan error, 1), pool: x509.NewCertPool()}
	cert, key := pair(t)
	e.pool.AppendCertsFromPEM(cert)
	e.write("a.pem", string(cert))
	e.write("a.key", string(key))
	e.write("portreeve.yaml", strings.ReplaceAll(yaml, "{UP}", upstream))
	storetest.Beside(t, e.dir)
	up := make(chan net.Addr, 1)
	var err error
	o := app.Options{Source: e.source(), Listen: []string{"127.0.0.1:0"}, Stderr: e.log, Started: func(a []net.Addr) { up <- a[0] }}
	if len(keys) > 0 {
		o.KeySets = keys[0]
	}
	e.app, err = app.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	go func() { e.done <- e.app.Run(ctx) }()
	select {
	case a := <-up:
		e.addr = a.String()
	case err := <-e.done:
		t.Fatalf("did not start: %v", err)
	}
	t.Cleanup(func() { stop(); <-e.done; e.done <- nil })
	return e
}

func (e *edge) source() app.Source {
	return app.Source{Path: filepath.Join(e.dir, "portreeve.yaml"), Getenv: func(string) (string, bool) { return "", false }}
}

func (e *edge) write(name, content string) {
	e.t.Helper()
	if err := os.WriteFile(filepath.Join(e.dir, name), []byte(content), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

// token is good for that long.
func (e *edge) token(sub string, life time.Duration, roles ...string) string {
	e.t.Helper()
	token, err := app.Token(e.source(), app.TokenRequest{Subject: sub, Roles: roles, Expires: life, Now: time.Now()})
	if err != nil {
		e.t.Fatal(err)
	}
	return "Bearer " + token
}

func (e *edge) tls() *tls.Config { return &tls.Config{RootCAs: e.pool, ServerName: "localhost"} }

func pair(t testing.TB) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// upstream serves h over HTTP/1.1, and over HTTP/2 in the clear.
func upstream(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// rawUpstream is a listener whose every connection is talk's business.
func rawUpstream(t testing.TB, talk func(net.Conn, *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(30 * time.Second))
				talk(c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return l.Addr().String()
}

// dial opens a raw connection to the edge.
func (e *edge) dial() (net.Conn, *bufio.Reader) {
	e.t.Helper()
	c, err := net.Dial("tcp", e.addr)
	if err != nil {
		e.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	e.t.Cleanup(func() { _ = c.Close() })
	return c, bufio.NewReader(c)
}

// head reads up to an empty line.
func head(in *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String()
		}
	}
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(15 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			buf := make([]byte, 1<<18)
			t.Fatalf("in vain waited for: %s\n%s", what, buf[:runtime.Stack(buf, true)])
		}
	}
}

// logged is a log that is read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), text)
}

func readAll(r io.Reader) string { b, _ := io.ReadAll(r); return string(b) }
