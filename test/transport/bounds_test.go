//lint:file-ignore SA1019 one HTTP/2 connection in hand is what this needs, and net/http has no stable way to it yet
package transport

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// What answers by itself, or speaks no HTTP/2, waits no longer for a body that
// calls itself gRPC.
func TestABodyThatSaysItIsGRPCIsBounded(t *testing.T) {
	t.Parallel()
	e := start(t, `environment: test
tls: {cert: a.pem, key: a.key}
auth: none
limits: {bodyIdle: 1s}
routes:
  - {path: /own, method: post, data: {got: "{{body.a}}"}}
  - {path: /app, method: post, upstream: "@ECHO@"}
`, newAuthority(t, "ca").issue(t, time.Hour, "a.example.com").files("a"))
	for _, path := range []string{"/own", "/app"} {
		f := dialFrames(t, e.Addr)
		_ = f.conn.SetDeadline(time.Now().Add(6 * time.Second))
		id := f.request(true, field{":method", "POST"}, field{":scheme", "https"}, field{":authority", "a.example.com"}, field{":path", path},
			field{"content-type", "application/grpc"})
		if o := f.wait(id); o.Status != "408" {
			t.Errorf("%s: a body that never comes: %v", path, o)
		}
	}
}

// One address has no more requests at one time by HTTP/2 than it may have
// connections.
func TestStreamsOfOneAddressAreBounded(t *testing.T) {
	t.Parallel()
	came, hold := make(chan struct{}, 100), make(chan struct{})
	app := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		came <- struct{}{}
		<-hold
	})
	t.Cleanup(func() { close(hold) })
	const most = 3
	e := start(t, `environment: test
tls: {cert: a.pem, key: a.key}
auth: none
limits: {connectionsPerIP: 3}
trustedProxies: [{from: [127.0.0.1], header: proxyProtocol}]
routes:
  - {path: /own, method: get, response: own}
  - {path: /*, method: get, upstream: "`+app+`"}
`, newAuthority(t, "ca").issue(t, time.Hour, "a.example.com").files("a"))
	dial := func(from string) *http2.ClientConn {
		t.Helper()
		raw, err := net.Dial("tcp", e.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = raw.Close() })
		_, _ = io.WriteString(raw, "PROXY TCP4 "+from+" 192.0.2.1 1000 443\r\n")
		cc, err := new(http2.Transport).NewClientConn(tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}))
		if err != nil {
			t.Fatal(err)
		}
		return cc
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	ask := func(cc *http2.ClientConn, path string) (int, string) {
		req, _ := http.NewRequestWithContext(ctx, "GET", "https://a.example.com"+path, strings.NewReader(""))
		req.Body = nil
		res, err := cc.RoundTrip(req)
		if err != nil {
			return 0, err.Error()
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(body)
	}
	first, second := dial("203.0.113.9"), dial("203.0.113.9")
	for range most {
		go func() { _, _ = ask(first, "/held") }()
		<-came
	}
	if status, body := ask(second, "/own"); status != 503 {
		t.Errorf("one more of the same address: %d %s", status, body)
	}
	if status, body := ask(dial("203.0.113.10"), "/own"); status != 200 {
		t.Errorf("another address: %d %s", status, body)
	}
}
