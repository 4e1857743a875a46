package std

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// selfSigned is a server's TLS configuration.
func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"a"}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
}

// One address has few handshakes under way, however many connections it may
// have, and others are not held up by them. They end, and give their place back.
func TestHandshakesOfOneAddressAreFew(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := ConnOptions{TLS: selfSigned(t), HeadTimeout: 2 * time.Second, PerIP: 1000,
		Exempt: func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.2") }}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ConnFrom(r.Context()).Next() })}
	Prepare(srv, o)
	go func() { _ = srv.Serve(Listen(l, o)) }()
	t.Cleanup(func() { _ = srv.Close() })
	dial := func(from string) (net.Conn, error) {
		return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}).Dial("tcp", l.Addr().String())
	}
	var held []net.Conn
	for range maxGreetingsPerIP {
		c, err := dial("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		held = append(held, c)
	}
	shakes := func(from string) bool {
		c, err := dial(from)
		if err != nil {
			return false
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		return tls.Client(c, &tls.Config{InsecureSkipVerify: true}).Handshake() == nil
	}
	if shakes("127.0.0.1") {
		t.Error("one handshake too many of one address")
	}
	if !shakes("127.0.0.3") || !shakes("127.0.0.2") {
		t.Error("another address is held up")
	}
	for _, c := range held {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Fatalf("a handshake that never begins is not ended: %v", err)
		}
	}
	if !shakes("127.0.0.1") {
		t.Error("the places were not given back")
	}
}
