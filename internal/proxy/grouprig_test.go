package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
)

// fakeNet is a network in memory, for synctest: who is where, what names mean.
type fakeNet struct {
	mu      sync.Mutex
	at      map[string]func(net.Conn, *bufio.Reader)
	names   map[string][]string // host → addresses; none: the look-up fails
	dials   map[string]int
	lookups int
	slow    time.Duration // of each look-up
	lag     time.Duration // of each refusal to connect
}

func newFakeNet() *fakeNet {
	return &fakeNet{at: map[string]func(net.Conn, *bufio.Reader){}, names: map[string][]string{}, dials: map[string]int{}}
}

// put places a talker at an address; nil takes it away: connections are refused.
func (n *fakeNet) put(address string, talk func(net.Conn, *bufio.Reader)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at[address] = talk
}

func (n *fakeNet) name(host string, addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[host] = addresses
}

func (n *fakeNet) dialled(address string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials[address]
}

func (n *fakeNet) looked() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lookups
}

func (n *fakeNet) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dials[address]++
	talk, known := n.at[address]
	lag := n.lag
	n.mu.Unlock()
	switch {
	case talk == nil && known:
		time.Sleep(lag)
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	case talk == nil: // a black hole
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ours, theirs := net.Pipe()
	go func() {
		defer func() { _ = theirs.Close() }()
		talk(theirs, bufio.NewReader(theirs))
	}()
	return ours, nil
}

var errNoName = errors.New("no such host")

func (n *fakeNet) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	n.lookups++
	slow, list := n.slow, n.names[host]
	n.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if list == nil {
		return nil, errNoName
	}
	var out []netip.Addr
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out, nil
}

func (n *fakeNet) deps() Deps { return Deps{Resolve: n.resolve, dial: n.dial} }

// saysName answers every request with its own name, and keeps the connection.
func saysName(name string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, in *bufio.Reader) {
		for {
			if _, err := readHead(in); err != nil {
				return
			}
			if _, err := fmt.Fprintf(c, "%sContent-Length: %d\r\n\r\n%s", okHead, len(name), name); err != nil {
				return
			}
		}
	}
}

// hangsUp closes after it read a request: a reset before any byte.
func hangsUp(_ net.Conn, in *bufio.Reader) { _, _ = readHead(in) }

// silent reads a request and says nothing until the other side goes.
func silent(_ net.Conn, in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) }

// group makes a group of plain members at host:port each.
func (n *fakeNet) group(change func(*GroupSettings), hosts ...string) *Group {
	s := GroupSettings{Retries: 1}
	for _, h := range hosts {
		s.Members = append(s.Members, Settings{Scheme: "http", Address: h})
	}
	if change != nil {
		change(&s)
	}
	return NewGroup(s, n.deps())
}

// asked is what became of one request.
type asked struct {
	status     int
	code, body string
	err        error
}

func (a asked) String() string {
	if a.status == 0 {
		return a.code
	}
	return fmt.Sprintf("%d %s", a.status, a.body)
}

// ask sends one request through the group; a body only where one is given.
func ask(g *Group, method, body string) asked {
	return askCtx(context.Background(), g, method, body)
}

func askCtx(ctx context.Context, g *Group, method, body string) asked {
	r := httptest.NewRequest(method, "/x", nil).WithContext(ctx)
	if body != "" {
		r = httptest.NewRequest(method, "/x", strings.NewReader(body)).WithContext(ctx)
	}
	w := httptest.NewRecorder()
	status, _, f := g.Serve(w, r, &gateway.Forward{Method: method, Path: "/x", Host: "app.example"})
	a := asked{status: status, body: w.Body.String()}
	if f != nil {
		a.code = f.Code
		a.err = f.Err
	}
	return a
}

// settled fails the test if anything is counted as running still.
func settled(t *testing.T, g *Group) {
	t.Helper()
	for _, m := range g.Health().Members {
		for _, a := range m.Addresses {
			if a.Running != 0 {
				t.Errorf("%s: %d requests are counted as running", a.Address, a.Running)
			}
		}
	}
}
