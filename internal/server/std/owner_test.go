package std

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// ownedHouse is an engine whose only site is a surface's alone, which tells faults
// as "OWN code".
func ownedHouse(t *testing.T, concurrent int, ops ...gateway.SurfaceRoute) (addr string) {
	t.Helper()
	doc := config.Decode([]byte(`{}`), &struct{}{}, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	nobody, _ := identity.NewSite(nil, identity.SiteOptions{})
	site := gateway.BuildSite(gateway.SiteInput{
		Name: "default", Default: true, Identity: nobody, Book: policy.NewBook(nil, nil), At: root, Inherited: func(string) *config.Reporter { return root }, Surfaces: ops,
		Owner: &gateway.Owner{Surface: "shop", Shape: func(f *fault.Error, _, _ string) request.Reply {
			return request.Reply{Status: f.Kind.Status(), Body: []byte("OWN " + f.Code)}
		}},
	})
	if doc.Failed() {
		t.Fatal(doc.Problems())
	}
	snap := gateway.NewSnapshot(site, nil)
	snap.Tenants = policy.NewTenants(nil, nil, nil)
	rt := &Runtime{Snapshot: snap, Concurrent: concurrent}
	e := &Engine{Gate: &gateway.Gate{Limits: limit.NewTable(64), Lot: park.NewLot(park.Options{}), Now: time.Now},
		Runtime: func() *Runtime { return rt }, Now: time.Now, NewID: func() string { return "id" }, Record: func(*Outcome) {}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv, o := &http.Server{Handler: e}, ConnOptions{}
	Prepare(srv, o)
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(Listen(l, o)) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return l.Addr().String()
}

// Whatever goes wrong on a site that a surface owns, its clients are told in the
// words that they know, also by what fails before or behind the surface.
func TestTheOwnerTellsEveryFault(t *testing.T) {
	t.Parallel()
	op := func(run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.Operation {
		return gateway.Operation{Surface: "shop", MaxBody: 10, Run: run}
	}
	ops := []gateway.SurfaceRoute{
		{Method: "POST", Path: "/buy", Anonymous: true, OtherSites: true, Op: op(func(context.Context, *gateway.Call) (request.Reply, error) {
			return request.Reply{Status: 201}, nil
		})},
		{Method: "POST", Path: "/panic", Anonymous: true, OtherSites: true, Op: op(func(context.Context, *gateway.Call) (request.Reply, error) { panic("secret-word") })},
		{Method: "POST", Path: "/silent", Anonymous: true, OtherSites: true, Op: op(func(context.Context, *gateway.Call) (request.Reply, error) { return request.Reply{}, nil })},
	}
	addr, full := ownedHouse(t, 100, ops...), ownedHouse(t, 0, ops...)
	for _, c := range []struct{ name, addr, sent, want string }{
		{"all is well", addr, "POST /buy HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", "201 "},
		{"too large a body", addr, "POST /buy HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n0123456789x", "413 OWN body_too_large"},
		{"a body that breaks its framing", addr, "POST /buy HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400 OWN "},
		{"a panic", addr, "POST /panic HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "500 OWN panic"},
		{"no answer", addr, "POST /silent HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "500 OWN no_answer"},
		{"a path with two readings", addr, "POST //buy HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "404 OWN bad_path"},
		{"a malformed head", addr, "POST /buy HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400 OWN bad_head"},
		{"too large a head", addr, "GET /buy HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", "431 OWN bad_head"},
		{"two hosts", addr, "GET /buy HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 OWN bad_head"},
		{"no room", full, "POST /buy HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "503 OWN busy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", c.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go func() { _, _ = io.WriteString(conn, c.sent) }()
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if got := fmt.Sprint(res.StatusCode, " ", string(body)); !strings.HasPrefix(got, c.want) || strings.Contains(got, "secret-word") {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
