package transport

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const plainRoutes = `environment: test
tls: {cert: a.pem, key: a.key}
auth: none
routes:
  - {path: /*, method: any, upstream: "@ECHO@"}
`

// Every version and protocol gets the same answer from the same routes.
func TestRequestsByTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	e := start(t, plainRoutes, ca.issue(t, time.Hour, "api.example.com").files("a"))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, h2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", tls.VersionName(version), h2), func(t *testing.T) {
				t.Parallel()
				c := e.client(&tls.Config{RootCAs: ca.Pool, MinVersion: version, MaxVersion: version}, h2)
				a := ask(t, c, "GET", "https://api.example.com/a/b%2Dc?q=%zz", "X-Own", "1", "X-Own", "2", "X-Portreeve-Subject", "me")
				got := a.echoed(t)
				if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[h2]; a.Proto != want || a.TLS.Version != version {
					t.Errorf("got %s by %s", a.Proto, tls.VersionName(a.TLS.Version))
				}
				if got.Target != "/a/b-c?q=%zz" || got.Protocol != "HTTP/1.1" {
					t.Errorf("the application got %s by %s", got.Target, got.Protocol)
				}
				if h := got.Header("Host"); len(h) != 1 {
					t.Errorf("Host: %q", h)
				}
				for name, want := range map[string]string{"X-Own": "1 2", "X-Forwarded-Proto": "https", "X-Portreeve-Subject": "",
					"X-Forwarded-Host": "api.example.com"} {
					if h := strings.Join(got.Header(name), " "); h != want {
						t.Errorf("%s: %q, want %q", name, h, want)
					}
				}
				if version == tls.VersionTLS13 && a.TLS.CurveID != tls.X25519MLKEM768 {
					t.Errorf("the key exchange is %v", a.TLS.CurveID)
				}
			})
		}
	}
	for name, c := range map[string]*tls.Config{
		"TLS 1.1":                {RootCAs: ca.Pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"no protocol of ours":    {RootCAs: ca.Pool, NextProtos: []string{"spdy/3"}},
		"CBC with SHA-1 and RSA": {RootCAs: ca.Pool, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}},
	} {
		c.ServerName = "api.example.com"
		if conn, err := tls.Dial("tcp", e.Addr, c); err == nil {
			_ = conn.Close()
			t.Errorf("%s: the handshake succeeded", name)
		}
	}
	if resp, err := http.Get("http://" + e.Addr + "/"); err == nil {
		t.Errorf("plain HTTP on the TLS listener: %s", resp.Status)
	}
}

// subject is the common name of the certificate that a client is shown.
func subject(t testing.TB, e *edge, c *tls.Config) string {
	t.Helper()
	conn, err := tls.Dial("tcp", e.Addr, c)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestSeveralCertificatesByName(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	e := start(t, `environment: test
tls:
  - {cert: a.pem, key: a.key}
  - {cert: b.pem, key: b.key}
auth: none
routes: [{path: /, method: get, response: top}]
sites: [{hosts: [b.example.com, "*.wild.example.com"], routes: [{path: /, method: get, response: b}]}]
`, with(ca.issue(t, time.Hour, "a.example.com").files("a"), ca.issue(t, time.Hour, "b.example.com", "*.wild.example.com").files("b")))
	for name, want := range map[string]string{"a.example.com": "a.example.com", "B.example.COM": "b.example.com",
		"x.wild.example.com": "b.example.com", "unknown.example.com": "a.example.com", "": "a.example.com"} {
		if got := subject(t, e, &tls.Config{ServerName: name, InsecureSkipVerify: true}); got != want {
			t.Errorf("%q is shown %q, want %q", name, got, want)
		}
	}
	// No client certificates are asked for: the Host alone chooses the site.
	c := e.client(&tls.Config{RootCAs: ca.Pool, ServerName: "a.example.com"}, true)
	if a := ask(t, c, "GET", "https://b.example.com/"); a.Body != "b" {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

// Renewed files are taken up without anybody telling; broken ones are not.
func TestCertificatesAreRenewedOnDisk(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	e := start(t, plainRoutes, ca.issue(t, time.Hour, "first").files("a"))
	shown := func() string { return subject(t, e, &tls.Config{InsecureSkipVerify: true}) }
	if got := shown(); got != "first" {
		t.Fatalf("shown %q", got)
	}
	waits := func(what string, is func() bool) { // the files are looked at every five seconds
		t.Helper()
		e.ahead.Add(int64(6 * time.Second))
		eventually(t, what, func() bool { _ = shown(); return is() })
	}
	renewed := ca.issue(t, time.Hour, "second")
	e.write("a.pem", renewed.Cert) // the certificate comes before its key
	waits("a complaint about the half renewal", func() bool { return strings.Contains(e.log.String(), "certificate not reloaded") })
	if got := shown(); got != "first" {
		t.Fatalf("with half a renewal %q is shown", got)
	}
	e.write("a.key", renewed.Key)
	waits("the second certificate", func() bool { return shown() == "second" })
	ended := ca.issue(t, -time.Minute, "ended")
	before := strings.Count(e.log.String(), "not reloaded")
	e.write("a.key", ended.Key)
	e.write("a.pem", ended.Cert)
	waits("a complaint about the ended one", func() bool { return strings.Count(e.log.String(), "not reloaded") > before })
	if got := shown(); got != "second" {
		t.Errorf("an ended certificate: %q is shown", got)
	}
	for _, key := range []string{renewed.Key, ended.Key} {
		if strings.Contains(e.log.String(), strings.Split(key, "\n")[1]) {
			t.Error("the log holds a private key")
		}
	}
}
