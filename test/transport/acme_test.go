package transport

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// pebble is Let's Encrypt's test authority, in this process.
type pebble struct {
	Directory string
	CA        *authority // of the directory's own certificate
	db        *db.MemoryStore
	ca        *ca.CAImpl

	mu     sync.Mutex
	orders int
}

// newPebble checks names at one TLS port. All names are 127.0.0.1.
func newPebble(t testing.TB, tlsPort int) *pebble {
	t.Helper()
	quiet := log.New(io.Discard, "", 0)
	dns, at := nameServer(t, quiet)
	dns.SetDefaultDNSIPv4("127.0.0.1")
	dns.SetDefaultDNSIPv6("")
	p := &pebble{CA: newAuthority(t, "pebble's door"), db: db.NewMemoryStore()}
	p.ca = ca.New(quiet, p.db, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: 3600 * 24}})
	front := wfe.New(quiet, p.db, va.New(quiet, 0, tlsPort, false, at, p.db), p.ca, []string{"pebble.example"}, false, false, 1, 1)
	handler := front.Handler()
	srv := &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/order-plz" {
			p.mu.Lock()
			p.orders++
			p.mu.Unlock()
		}
		handler.ServeHTTP(w, r)
	}), TLSConfig: &tls.Config{Certificates: []tls.Certificate{p.CA.issue(t, time.Hour, "127.0.0.1").pair(t)}}}
	l := listen(t)
	go func() { _ = srv.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = srv.Close() })
	p.Directory = "https://" + l.Addr().String() + wfe.DirectoryPath
	return p
}

// nameServer answers on a port that is free for UDP and TCP.
func nameServer(t testing.TB, quiet *log.Logger) (dns *challtestsrv.ChallSrv, at string) {
	t.Helper()
	for range 20 {
		l := listen(t)
		at = l.Addr().String()
		udp, err := net.ListenPacket("udp", at)
		if _ = l.Close(); err != nil {
			continue
		}
		_ = udp.Close()
		if dns, err = challtestsrv.New(challtestsrv.Config{DNSAddrs: []string{at}, Log: quiet}); err != nil {
			t.Fatal(err)
		}
		go dns.Run()
		t.Cleanup(dns.Shutdown)
		eventually(t, "the name server", func() bool {
			c, err := net.Dial("tcp", at)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		})
		return dns, at
	}
	t.Fatal("no port is free for UDP and TCP")
	return nil, ""
}

func (p *pebble) Orders() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.orders
}

// roots are what clients of its certificates trust.
func (p *pebble) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(p.ca.GetRootCert(0).PEM())
	return pool
}

// Certificates come for exactly the hosts that sites name, a reload's new ones
// too, and outlive a restart.
func TestCertificatesByACME(t *testing.T) {
	t.Parallel()
	l := listen(t)
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	p := newPebble(t, port)
	cache := t.TempDir()
	file := func(hosts string) string {
		return `environment: test
tls: {acme: {email: ops@example.com, cacheDir: ` + cache + `, directoryURL: "` + p.Directory + `", directoryCA: door.pem}}
auth: none
routes: [{path: /own, method: get, response: top}]
sites: [{hosts: [` + hosts + `], routes: [{path: /own, method: get, response: own}]}]
`
	}
	door := map[string]string{"door.pem": p.CA.PEM}
	e := startOn(t, "127.0.0.1:"+strconv.Itoa(port), file("a.example.com, B.example.com"), door)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(e.log.String())
		}
	})
	trusted := func(name string, h2 bool) (string, error) {
		c := e.client(&tls.Config{RootCAs: p.roots()}, h2)
		c.Timeout = 5 * time.Second
		a, err := try(c, "GET", "https://"+name+"/own")
		return a.Body, err
	}
	got := func(name string) func() bool {
		return func() bool { body, err := trusted(name, true); return err == nil && body == "own" }
	}
	eventually(t, "the first host's certificate", got("a.example.com"))
	eventually(t, "the second host's certificate", got("b.example.com"))
	if body, err := trusted("a.example.com", false); err != nil || body != "own" {
		t.Errorf("by HTTP/1.1: %q, %v", body, err)
	}
	if n := strings.Count(e.log.String(), "certificate obtained"); n != 2 {
		t.Errorf("the log says of %d certificates that they were obtained", n)
	}
	orders := p.Orders()
	for _, name := range []string{"c.example.com", "", "x.a.example.com", "127.0.0.1"} {
		if conn, err := tls.Dial("tcp", e.Addr, &tls.Config{InsecureSkipVerify: true, ServerName: name}); err == nil {
			_ = conn.Close()
			t.Errorf("%q, which no site names, is shown a certificate", name)
		}
	}
	// Challenges of a stranger's are not answered.
	if conn, err := tls.Dial("tcp", e.Addr, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example.com", NextProtos: []string{"acme-tls/1"}}); err == nil {
		_ = conn.Close()
		t.Error("a challenge that nobody asked for is answered")
	}
	if p.Orders() != orders {
		t.Errorf("%d orders on demand", p.Orders()-orders)
	}
	text := strings.NewReplacer("@DIR@", e.Dir).Replace(file("b.example.com, c.example.com"))
	e.write("portreeve.yaml", text)
	if err := e.App.Reload(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the certificate of a reload's new host", got("c.example.com"))
	if conn, err := tls.Dial("tcp", e.Addr, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example.com"}); err == nil {
		_ = conn.Close()
		t.Error("a host that is gone from the file is still shown its certificate")
	}
	e.Stop()
	e.Done <- <-e.Done
	orders = p.Orders()
	e = startOn(t, "127.0.0.1:"+strconv.Itoa(port), text, door)
	eventually(t, "the kept certificate", got("b.example.com"))
	if p.Orders() != orders {
		t.Errorf("a restart made %d orders", p.Orders()-orders)
	}
	info, err := os.Stat(filepath.Join(cache, "certificates"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the keys' folder: %v, %v", info, err)
	}
}

// An authority that is away is a word in the log and in readiness, and no
// reason not to serve those names that have a certificate.
func TestAnAuthorityThatIsAway(t *testing.T) {
	t.Parallel()
	files := newAuthority(t, "ca")
	gone := listen(t)
	at := gone.Addr().String()
	_ = gone.Close()
	e := start(t, `environment: test
tls:
  - {cert: a.pem, key: a.key}
  - {acme: {cacheDir: acme, directoryURL: "https://`+at+`/dir"}}
auth: none
routes: [{path: /own, method: get, response: top}]
sites: [{hosts: [a.example.com, b.example.com], routes: [{path: /own, method: get, response: own}]}]
`, files.issue(t, time.Hour, "a.example.com").files("a"))
	if a := ask(t, e.client(&tls.Config{RootCAs: files.Pool}, true), "GET", "https://a.example.com/own"); a.Body != "own" {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
	if got := subject(t, e, &tls.Config{ServerName: "b.example.com", InsecureSkipVerify: true}); got != "a.example.com" {
		t.Errorf("a name without certificate is shown %q", got)
	}
	eventually(t, "a complaint", func() bool { return strings.Contains(e.log.String(), "b.example.com") })
	if strings.Contains(e.log.String(), "certificate obtained") {
		t.Error("the log says that a certificate was obtained")
	}
}

func TestProblemsOfTheTLSKey(t *testing.T) {
	t.Parallel()
	pair := newAuthority(t, "ca").issue(t, time.Hour, "a.example.com", "*.w.example.com")
	other := newAuthority(t, "other").issue(t, -time.Minute, "a.example.com")
	files := with(pair.files("a"), map[string]string{"ended.pem": other.Cert, "ended.key": other.Key, "junk": "junk"})
	const rest = "\nauth: none\nroutes: [{path: /, method: get, response: x}]\n"
	const test = "environment: test\n"
	const site = "sites: [{hosts: [a.example.com], routes: [{path: /, method: get, response: x}]}]\n"
	for name, c := range map[string]struct{ yaml, want string }{
		"no key":                        {test + "tls: {cert: a.pem}", "key is missing"},
		"no cert":                       {test + "tls: {key: a.key}", "cert is missing"},
		"nothing":                       {test + "tls: {}", "cert is missing"},
		"another's key":                 {test + "tls: {cert: a.pem, key: ended.key}", "private key does not match"},
		"no file":                       {test + "tls: {cert: none.pem, key: a.key}", "none.pem"},
		"an ended certificate":          {test + "tls: {cert: ended.pem, key: ended.key}", "the certificate ended on"},
		"client certificates of nobody": {test + "tls: {cert: a.pem, key: a.key, clientCA: junk}", "holds no certificate"},
		"clientAuth alone":              {test + "tls: {cert: a.pem, key: a.key, clientAuth: require}", "needs clientCA"},
		"another clientAuth":            {test + "tls: {cert: a.pem, key: a.key, clientCA: a.pem, clientAuth: maybe}", "optional"},
		"clientCA twice":                {test + "tls: [{cert: a.pem, key: a.key, clientCA: a.pem}, {cert: a.pem, key: a.key, clientCA: a.pem}]", "stands twice"},
		"acme and files in one":         {test + site + "tls: {cert: a.pem, key: a.key, acme: {cacheDir: x}}", "two entries"},
		"acme without a folder":         {test + site + "tls: {acme: {email: a@example.com}}", "cacheDir"},
		"acme without sites":            {test + "tls: {acme: {cacheDir: x}}", "no site names a host"},
		"acme twice":                    {test + site + "tls: [{acme: {cacheDir: x}}, {acme: {cacheDir: y}}]", "stands twice"},
		"acme by plain HTTP":            {test + site + "tls: {acme: {cacheDir: x, directoryURL: 'http://acme.example/dir'}}", "is not https"},
		"acme with an odd address":      {test + site + "tls: {acme: {cacheDir: x, email: nobody}}", "no e-mail address"},
		"acme in prod without address":  {site + "tls: {acme: {cacheDir: x}}", "email"},
		"acme for a wildcard":           {test + "tls: {acme: {cacheDir: x}}\nsites: [{hosts: [a.example.com, '*.b.example.com'], routes: [{path: /, method: get, response: x}]}]", "proves single names"},
		"acme for an address":           {test + "tls: {acme: {cacheDir: x}}\nsites: [{hosts: [192.0.2.1], routes: [{path: /, method: get, response: x}]}]", "proves single names"},
		"acme on a socket":              {test + site + "listen: 'unix:x.sock'\ntls: {acme: {cacheDir: x}}", "a listener on TCP"},
		"a misspelt key":                {test + site + "tls: {acme: {cachedir: x}}", `did you mean "cacheDir"`},
	} {
		text := strings.Join(problems(t, c.yaml+rest, files), "\n")
		if !strings.Contains(text, c.want) {
			t.Errorf("%s: %q does not say %q", name, text, c.want)
		}
	}
	for name, yaml := range map[string]string{
		"files":                test + "tls: {cert: a.pem, key: a.key}",
		"acme":                 test + site + "tls: {acme: {cacheDir: x}}",
		"a wildcard in a file": test + "tls: [{cert: a.pem, key: a.key}, {acme: {cacheDir: x}}]\nsites: [{hosts: [b.example.com, '*.w.example.com'], routes: [{path: /, method: get, response: x}]}]",
	} {
		if got := problems(t, yaml+rest, files); len(got) > 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Pebble waits a while before each check, and refuses nonces now and then,
// unless told.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "100"} {
		_ = os.Setenv(name, value)
	}
	os.Exit(m.Run())
}
