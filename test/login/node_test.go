package login_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/portreeve/portreeve/test/peer"
)

// authority is a certificate for loopback, and the file by which Node trusts it.
type authority struct {
	certificate tls.Certificate
	file        string
	pool        *x509.CertPool
	cert, key   string // PEM, as Portreeve's files
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{pool: x509.NewCertPool(), file: filepath.Join(t.TempDir(), "ca.pem"),
		cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		key:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))}
	a.pool.AppendCertsFromPEM([]byte(a.cert))
	if a.certificate, err = tls.X509KeyPair([]byte(a.cert), []byte(a.key)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file, []byte(a.cert), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.certificate}, MinVersion: tls.VersionTLS12}
}

// node is Auth0's Node client in a process of its own.
type node struct {
	in  io.Writer
	out *bufio.Scanner
	// device, where set, makes the device token of each call.
	device func() string
}

// said is what the client made of an answer.
type said struct {
	Status      int            `json:"status"`
	Body        map[string]any `json:"body"`
	Error       string         `json:"error"`
	Description string         `json:"description"`
	Text        string         `json:"-"` // a body that is no object
}

func (s said) text(name string) string { v, _ := s.Body[name].(string); return v }

func startNode(t testing.TB, a *authority, options map[string]any, env ...string) *node {
	t.Helper()
	raw, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "auth0.mjs")
	cmd.Dir = peer.Node(t, "auth0")
	cmd.Env = append(append(os.Environ(), "AUTH0_CLIENT="+string(raw), "NODE_EXTRA_CA_CERTS="+a.file), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // ended by its input's end, or killed with the test
	})
	n := &node{in: in, out: bufio.NewScanner(out)}
	n.out.Buffer(nil, 1<<20)
	return n
}

// call runs one method of the client.
func (n *node) call(t testing.TB, method string, with map[string]any) (s said) {
	t.Helper()
	ask := map[string]any{"call": method, "with": with}
	if n.device != nil {
		ask["device"] = n.device()
	}
	line, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.in.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	if !n.out.Scan() {
		t.Fatalf("%s: the client ended: %v", method, n.out.Err())
	}
	if err := json.Unmarshal(n.out.Bytes(), &s); err != nil {
		s.Text = n.out.Text()
	}
	return s
}
