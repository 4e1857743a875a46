package proxy

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestGroupIDs(t *testing.T) {
	t.Parallel()
	base := func() GroupSettings {
		return GroupSettings{Members: []Settings{{Scheme: "http", Address: "a:80"}, {Scheme: "http", Address: "b:80"}}, Retries: 1}
	}
	seen := map[string]string{base().ID(): "the first"}
	for name, change := range map[string]func(*GroupSettings){
		"order":    func(s *GroupSettings) { s.Members[0], s.Members[1] = s.Members[1], s.Members[0] },
		"scheme":   func(s *GroupSettings) { s.Members[0].Scheme = "https" },
		"address":  func(s *GroupSettings) { s.Members[0].Address = "c:80" },
		"fewer":    func(s *GroupSettings) { s.Members = s.Members[:1] },
		"protocol": func(s *GroupSettings) { s.Members[0].Protocol = HTTP2 },
		"connect":  func(s *GroupSettings) { s.Members[0].ConnectTimeout = time.Second },
		"timeout":  func(s *GroupSettings) { s.Members[0].Timeout = time.Second },
		"idle":     func(s *GroupSettings) { s.Members[0].IdleTimeout = time.Second },
		"balance":  func(s *GroupSettings) { s.Balance = LeastConnections },
		"path":     func(s *GroupSettings) { s.Check.Path = "/" },
		"interval": func(s *GroupSettings) { s.Check.Interval = time.Second },
		"retries":  func(s *GroupSettings) { s.Retries = 2 },
		"tls":      func(s *GroupSettings) { s.TLS, _ = NewClientTLS(nil, nil, nil, "a") },
		"tls name": func(s *GroupSettings) { s.TLS, _ = NewClientTLS(nil, nil, nil, "b") },
	} {
		s := base()
		change(&s)
		if other, ok := seen[s.ID()]; ok {
			t.Errorf("%s makes the same id as %s", name, other)
		}
		seen[s.ID()] = name
	}
	written := base()
	written.Members[0].Timeout = DefaultTimeout
	if written.ID() != base().ID() {
		t.Error("a default that is written out makes another group")
	}
}

// Everything at once: sixteen callers, a name that changes under them, members
// that come and go, checks, and Close in the middle. Nothing is left.
func TestGroupUnderLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.name("app", "10.0.0.1")
		n.put(one, saysName("x"))
		n.put(two, saysName("x"))
		n.put(three, nil)
		g := n.group(func(s *GroupSettings) {
			s.Balance, s.Retries = LeastConnections, 2
			s.Check = Check{Path: "/", Interval: time.Second}
		}, "app:80", two, three)
		g.Start()
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				for k := range 200 {
					a := ask(g, []string{"GET", "POST", "PUT"}[k%3], strings.Repeat("b", (i+k)%2))
					switch {
					case a.status == 200 && a.body == "x", a.code == CodeUnreachable, a.code == CodeNoMember, a.code == CodeBroke:
					default:
						t.Errorf("%v", a)
					}
					g.Health()
					time.Sleep(50 * time.Millisecond)
				}
			})
		}
		all.Go(func() {
			for k := range 20 {
				n.name("app", fmt.Sprintf("10.0.0.%d", 1+k%3), "10.0.0.2")
				n.put(one, []func(net.Conn, *bufio.Reader){saysName("x"), nil, hangsUp}[k%3])
				time.Sleep(500 * time.Millisecond)
			}
			g.Close() // the callers go on
		})
		all.Wait()
		if got := ask(g, "GET", ""); got.status == 0 && got.code != CodeUnreachable && got.code != CodeNoMember {
			t.Errorf("after Close: %v", got)
		}
		settled(t, g)
		g.Close()
	})
}

// The same over real sockets: no goroutine and no connection outlives Close.
func TestCloseLeavesNothing(t *testing.T) { // not parallel: it counts goroutines
	before := runtime.NumGoroutine()
	for range 20 {
		set := rawUpstream(t, saysName("x"))
		_, port, _ := net.SplitHostPort(set.Address)
		g := NewGroup(GroupSettings{Members: []Settings{{Scheme: "http", Address: "localhost:" + port}, set},
			Check: Check{Path: "/", Interval: time.Hour}}, Deps{})
		g.Start()
		for range 5 {
			if got := ask(g, "GET", ""); got.body != "x" {
				t.Fatalf("%v", got)
			}
		}
		g.Close()
	}
	noLeak(t, before+20) // the accept loops of the upstreams
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "u") // short: a socket's path is bounded
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "s")
	l, err := net.Listen("unix", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	heads := make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				in := bufio.NewReader(c)
				for {
					head, err := readHead(in)
					if err != nil {
						return
					}
					heads <- head
					_, _ = io.WriteString(c, okHead+"Content-Length: 2\r\n\r\nok")
				}
			}()
		}
	}()
	set, _, _, err := ParseURL("unix:" + file)
	if err != nil {
		t.Fatal(err)
	}
	g := NewGroup(GroupSettings{Members: []Settings{set}}, Deps{})
	defer g.Close()
	for range 3 {
		if got := ask(g, "GET", ""); got.body != "ok" {
			t.Fatalf("%v", got)
		}
		if head := <-heads; !strings.HasPrefix(head, "GET /x HTTP/1.1\r\nHost: app.example\r\n") {
			t.Errorf("%q", head)
		}
	}
	own := NewGroup(GroupSettings{Members: []Settings{set}}, Deps{OwnSocket: func(p string) bool { return p == file }})
	defer own.Close()
	if got := ask(own, "GET", ""); got.code != CodeOwnListener {
		t.Errorf("our own socket: %v", got)
	}
	_ = l.Close()
	gone := NewGroup(GroupSettings{Members: []Settings{set}}, Deps{})
	defer gone.Close()
	if got := ask(gone, "GET", ""); got.code != CodeUnreachable {
		t.Errorf("no socket: %v", got)
	}
}

// A name that leads to a listener of ours is refused, whichever of its
// addresses does.
func TestOwnListenerInAGroup(t *testing.T) {
	t.Parallel()
	set := rawUpstream(t, saysName("x"))
	own := netip.MustParseAddrPort(set.Address)
	g := NewGroup(GroupSettings{Members: []Settings{{Scheme: "http", Address: "app:" + fmt.Sprint(own.Port())}}}, Deps{
		Own: func(a netip.AddrPort) bool { return a == own },
		Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("::ffff:127.0.0.1")}, nil
		},
	})
	defer g.Close()
	if got := ask(g, "GET", ""); got.code != CodeOwnListener {
		t.Errorf("%v", got)
	}
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

// sign makes a certificate for a DNS name, and its key.
func (a *authority) sign(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// An upstream with a certificate of its own authority that asks for one of
// ours: who shows what is asked for gets through, over kept connections, and
// nobody else does.
func TestTLSToUpstreams(t *testing.T) {
	t.Parallel()
	servers, clients, strangers := newAuthority(t), newAuthority(t), newAuthority(t)
	cert, key := servers.sign(t, "app.internal")
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(clients.cert)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				if c.(*tls.Conn).Handshake() == nil {
					saysName(c.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName)(c, bufio.NewReader(c))
				}
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	ours, oursKey := clients.sign(t, "portreeve")
	theirs, theirsKey := strangers.sign(t, "stranger")
	for _, c := range []struct {
		name          string
		host          string
		ca, cert, key []byte
		server        string
		want          string
	}{
		{"all is right", "app.internal", servers.pem, ours, oursKey, "", "200 portreeve"},
		{"the name is written", "127.0.0.1", servers.pem, ours, oursKey, "app.internal", "200 portreeve"},
		{"by address without the name", "127.0.0.1", servers.pem, ours, oursKey, "", CodeUnreachable},
		{"another name", "app.internal", servers.pem, ours, oursKey, "else.internal", CodeUnreachable},
		{"the system's authorities", "app.internal", nil, ours, oursKey, "", CodeUnreachable},
		{"another authority", "app.internal", strangers.pem, ours, oursKey, "", CodeUnreachable},
		{"no certificate of ours", "app.internal", servers.pem, nil, nil, "", "broke or unreachable"},
		{"a stranger's certificate", "app.internal", servers.pem, theirs, theirsKey, "", "broke or unreachable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			set, err := NewClientTLS(c.ca, c.cert, c.key, c.server)
			if err != nil {
				t.Fatal(err)
			}
			g := NewGroup(GroupSettings{Members: []Settings{{Scheme: "https", Address: net.JoinHostPort(c.host, port)}}, TLS: set}, Deps{
				Resolve: func(context.Context, string) ([]netip.Addr, error) {
					return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
				},
			})
			defer g.Close()
			for range 3 {
				got := ask(g, "GET", "")
				// TLS 1.3 tells a client that it is refused only after its handshake.
				if c.want == "broke or unreachable" && (got.code == CodeBroke || got.code == CodeUnreachable) {
					continue
				}
				if got.String() != c.want || got.err != nil && !strings.Contains(got.err.Error(), "TLS to the upstream: ") {
					t.Errorf("%v, want %s: %v", got, c.want, got.err)
				}
			}
		})
	}
}

func TestClientTLSProblems(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cert, key := a.sign(t, "a")
	_, other := a.sign(t, "b")
	for name, err := range map[string]error{
		"no PEM":      second(NewClientTLS([]byte("x"), nil, nil, "")),
		"a key alone": second(NewClientTLS(nil, nil, key, "")),
		"no key":      second(NewClientTLS(nil, cert, nil, "")),
		"another key": second(NewClientTLS(nil, cert, other, "")),
		"swapped":     second(NewClientTLS(nil, key, cert, "")),
		"key as a CA": second(NewClientTLS(key, nil, nil, "")),
	} {
		if err == nil || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ *ClientTLS, err error) error { return err }
