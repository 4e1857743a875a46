package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"

	"github.com/portreeve/portreeve/test/peer"
)

const behindProxy = `environment: test
trustedProxies:
  - {from: 127.0.0.1, header: proxyProtocol}
  - {from: 127.0.0.3, header: X-Forwarded-For}
auth: none
limits: {headTimeout: 1s, connectionsPerIP: @MOST@}
routes: [{path: /*, method: any, upstream: "@ECHO@"}]
`

// behind has room for so many connections of one address.
func behind(most string) string { return strings.ReplaceAll(behindProxy, "@MOST@", most) }

const overTLS = "tls: {cert: a.pem, key: a.key}\n"

// v2 is a PROXY header of version 2.
func v2(t testing.TB, from string, tlvs ...proxyproto.TLV) string {
	t.Helper()
	src, err := net.ResolveTCPAddr("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	h := proxyproto.HeaderProxyFromAddrs(2, src, &net.TCPAddr{IP: src.IP, Port: 443})
	if err := h.SetTLVs(tlvs); err != nil {
		t.Fatal(err)
	}
	raw, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// ssl says whether the client used TLS towards the proxy.
func ssl(t testing.TB, used bool) proxyproto.TLV {
	t.Helper()
	said := tlvparse.PP2SSL{Verify: 1}
	if used {
		said = tlvparse.PP2SSL{Client: tlvparse.PP2_BITFIELD_CLIENT_SSL, TLV: []proxyproto.TLV{{Type: proxyproto.PP2_SUBTYPE_SSL_VERSION, Value: []byte("TLSv1.3")}}}
	}
	tlv, err := said.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return tlv
}

// from connects from one of this machine's loopback addresses.
func (e *edge) from(ip string) net.Conn {
	e.t.Helper()
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: 10 * time.Second}).Dial("tcp", e.Addr)
	if err != nil {
		e.t.Skipf("this machine has no address %s: %v", ip, err)
	}
	e.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// overheard is what the application says of a GET on that connection: the
// client's address, the scheme, and the status.
func overheard(c net.Conn, fields string) string {
	if _, err := io.WriteString(c, "GET /x HTTP/1.1\r\nHost: a.example.com\r\n"+fields+"\r\n"); err != nil {
		return "closed"
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "closed"
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	find := func(name string) string {
		_, rest, _ := strings.Cut(string(raw), `"`+name+": ")
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	if resp.StatusCode != 200 {
		return fmt.Sprint(resp.StatusCode)
	}
	return find("X-Forwarded-For") + " " + find("X-Forwarded-Proto")
}

// A trusted proxy's connections begin with a PROXY header, whose address is the
// client's; others' never may.
func TestThePROXYHeaderNamesTheClient(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	plain := start(t, behind("1000"), nil)
	secure := start(t, overTLS+behind("1000"), ca.issue(t, time.Hour, "a.example.com").files("a"))
	const lies = "X-Forwarded-For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6;proto=https\r\n"
	for name, c := range map[string]struct{ peer, header, fields, want, secure string }{
		"version 1":                        {"127.0.0.1", "PROXY TCP4 203.0.113.7 10.0.0.1 1234 443\r\n", "", "203.0.113.7 http", "203.0.113.7 https"},
		"version 1, IPv6":                  {"127.0.0.1", "PROXY TCP6 2001:db8::7 ::1 1234 443\r\n", "", "2001:db8::7 http", "2001:db8::7 https"},
		"version 1, unknown":               {"127.0.0.1", "PROXY UNKNOWN\r\n", "", "127.0.0.1 http", "127.0.0.1 https"},
		"version 2":                        {"127.0.0.1", v2(t, "203.0.113.7:1"), "", "203.0.113.7 http", "203.0.113.7 https"},
		"version 2, IPv6":                  {"127.0.0.1", v2(t, "[2001:db8::7]:1"), "", "2001:db8::7 http", "2001:db8::7 https"},
		"version 2, a health check":        {"127.0.0.1", "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", "", "127.0.0.1 http", "127.0.0.1 https"},
		"version 2, the client used TLS":   {"127.0.0.1", v2(t, "203.0.113.7:1", ssl(t, true)), "", "203.0.113.7 https", "203.0.113.7 https"},
		"version 2, the client did not":    {"127.0.0.1", v2(t, "203.0.113.7:1", ssl(t, false)), "", "203.0.113.7 http", "203.0.113.7 https"},
		"the client's own fields":          {"127.0.0.1", v2(t, "203.0.113.7:1"), lies, "203.0.113.7 http", "203.0.113.7 https"},
		"no header":                        {"127.0.0.1", "", "", "closed", "closed"},
		"another first line":               {"127.0.0.1", "PROXIED TCP4 1.1.1.1 1.1.1.1 1 1\r\n", "", "closed", "closed"},
		"a header that is cut":             {"127.0.0.1", "PROXY TCP4 203.0.113.7", "", "closed", "closed"},
		"a header without end":             {"127.0.0.1", "PROXY TCP4 " + strings.Repeat("1", 200), "", "closed", "closed"},
		"a bad address":                    {"127.0.0.1", "PROXY TCP4 203.0.113.700 10.0.0.1 1234 443\r\n", "", "closed", "closed"},
		"IPv6 where IPv4 is announced":     {"127.0.0.1", "PROXY TCP4 2001:db8::7 ::1 1234 443\r\n", "", "closed", "closed"},
		"a huge header":                    {"127.0.0.1", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff" + strings.Repeat("x", 65535), "", "closed", "closed"},
		"an unknown version":               {"127.0.0.1", "\r\n\r\n\x00\r\nQUIT\n\x31\x11\x00\x00", "", "closed", "closed"},
		"two headers":                      {"127.0.0.1", "PROXY TCP4 203.0.113.7 10.0.0.1 1 1\r\nPROXY TCP4 1.1.1.1 10.0.0.1 1 1\r\n", "", "400", "closed"},
		"a stranger's":                     {"127.0.0.2", "PROXY TCP4 203.0.113.7 10.0.0.1 1234 443\r\n", "", "400", "closed"},
		"a stranger's, version 2":          {"127.0.0.2", v2(t, "203.0.113.7:1"), "", "400", "closed"},
		"a stranger without":               {"127.0.0.2", "", lies, "127.0.0.2 http", "127.0.0.2 https"},
		"another proxy, by its own header": {"127.0.0.3", "", "X-Forwarded-For: 203.0.113.8\r\n", "203.0.113.8 http", "203.0.113.8 https"},
		"another proxy's PROXY header":     {"127.0.0.3", "PROXY TCP4 203.0.113.7 10.0.0.1 1 1\r\n", "", "400", "closed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := plain.from(c.peer)
			_, _ = io.WriteString(conn, c.header)
			if got := overheard(conn, c.fields); got != c.want {
				t.Errorf("plain: %s, want %s", got, c.want)
			}
			conn = secure.from(c.peer)
			_, _ = io.WriteString(conn, c.header)
			s := tls.Client(conn, &tls.Config{RootCAs: ca.Pool, ServerName: "a.example.com"})
			got := "closed"
			if s.Handshake() == nil {
				got = overheard(s, c.fields)
			}
			if got != c.secure {
				t.Errorf("by TLS: %s, want %s", got, c.secure)
			}
		})
	}
	t.Run("HTTP/2", func(t *testing.T) {
		t.Parallel()
		conn := secure.from("127.0.0.1")
		_, _ = io.WriteString(conn, v2(t, "203.0.113.9:1"))
		p := new(http.Protocols)
		p.SetHTTP2(true)
		tr := &http.Transport{Protocols: p, TLSClientConfig: &tls.Config{RootCAs: ca.Pool},
			DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
		a := ask(t, &http.Client{Transport: tr}, "GET", "https://a.example.com/")
		if got := a.echoed(t).Header("X-Forwarded-For"); a.Proto != "HTTP/2.0" || len(got) != 1 || got[0] != "203.0.113.9" {
			t.Errorf("got %s %q", a.Proto, got)
		}
	})
	t.Run("a request id", func(t *testing.T) {
		t.Parallel()
		conn := plain.from("127.0.0.1")
		_, _ = io.WriteString(conn, v2(t, "203.0.113.7:1"))
		_, _ = io.WriteString(conn, "GET /own HTTP/1.1\r\nHost: a.example.com\r\nX-Request-Id: the-clients-own\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.Header.Get("X-Request-Id") == "the-clients-own" {
			t.Errorf("the client's own id is believed: %v", err)
		}
	})
	t.Run("byte by byte", func(t *testing.T) {
		t.Parallel()
		conn := plain.from("127.0.0.1")
		for _, b := range []byte(v2(t, "203.0.113.7:1")) {
			_, _ = conn.Write([]byte{b})
		}
		if got := overheard(conn, ""); got != "203.0.113.7 http" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("nothing at all", func(t *testing.T) {
		t.Parallel()
		conn := plain.from("127.0.0.1")
		began := time.Now()
		if _, err := conn.Read(make([]byte, 1)); err == nil || time.Since(began) > 8*time.Second {
			t.Errorf("closed after %s with %v", time.Since(began), err)
		}
		if !strings.Contains(plain.log.String(), "began without the PROXY header") {
			t.Error("the log says nothing about it")
		}
	})
}

// The proxy may open any number of connections, those of one client are few.
func TestConnectionsPerClientBehindAProxy(t *testing.T) {
	t.Parallel()
	e := start(t, behind("3"), nil)
	open := func(client string) string {
		c := e.from("127.0.0.1")
		_, _ = io.WriteString(c, v2(t, client))
		return overheard(c, "")
	}
	for i := range 3 {
		if got := open("203.0.113.7:1"); got != "203.0.113.7 http" {
			t.Errorf("connection %d: %s", i, got)
		}
	}
	if got := open("203.0.113.7:1"); got != "closed" {
		t.Errorf("the fourth: %s", got)
	}
	if got := open("203.0.113.8:1"); got != "203.0.113.8 http" {
		t.Errorf("another client's: %s", got)
	}
}

// HAProxy hands TLS on, and says who it is from, in either version.
func TestBehindHAProxy(t *testing.T) {
	t.Parallel()
	program := peer.Program(t, "haproxy")
	ca := newAuthority(t, "ca")
	cert := ca.issue(t, time.Hour, "a.example.com")
	secure := start(t, overTLS+behind("1000"), cert.files("a"))
	plain := start(t, behind("1000"), nil)
	ports := make([]string, 4)
	for i := range ports {
		l := listen(t)
		ports[i] = l.Addr().String()
		_ = l.Close()
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "front.pem"), []byte(cert.Cert+cert.Key), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "haproxy.cfg")
	config := fmt.Sprintf(`defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen one
  bind %s
  server p %s send-proxy
listen two
  bind %s
  server p %s send-proxy-v2 check check-send-proxy
listen ends
  bind %s ssl crt %s alpn http/1.1
  server p %s send-proxy-v2-ssl
listen silent
  bind %s
  server p %s
`, ports[0], secure.Addr, ports[1], secure.Addr, ports[2], filepath.Join(dir, "front.pem"), plain.Addr, ports[3], plain.Addr)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-db", "-f", file)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	// Clients come from an address of their own, so that HAProxy's is another.
	dial := func(at string) net.Conn {
		var c net.Conn
		eventually(t, "HAProxy "+at, func() (ok bool) {
			var err error
			c, err = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}).Dial("tcp", at)
			return err == nil
		})
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	for i, name := range []string{"version 1", "version 2", "TLS ends at HAProxy"} {
		c := tls.Client(dial(ports[i]), &tls.Config{RootCAs: ca.Pool, ServerName: "a.example.com"})
		if got := overheard(c, "X-Forwarded-For: 6.6.6.6\r\n"); got != "127.0.0.9 https" {
			t.Errorf("%s: %s\n%s", name, got, said.String())
		}
	}
	if got := overheard(dial(ports[3]), ""); got != "closed" {
		t.Errorf("an HAProxy that does not say whom it speaks for: %s", got)
	}
}
