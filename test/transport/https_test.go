package transport

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// outside is an address of this machine that is not loopback.
func outside(t testing.TB) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP.String()
		}
	}
	t.Skip("this machine has no address but loopback")
	return ""
}

// In prod a public listener needs TLS; what is known to have come in the clear
// is sent on, its credential unread.
func TestHTTPSInProd(t *testing.T) {
	t.Parallel()
	ip := outside(t)
	secret := map[string]string{"secret": strings.Repeat("s", 40)}
	const routes = `
jwt: {secret: "{{file.secret}}"}
tenantApi: false
mfa: false
upstream: "@ECHO@"
routes: [{path: /*, method: any, requireAuth: true}]
`
	t.Run("by TLS", func(t *testing.T) {
		t.Parallel()
		ca := newAuthority(t, "ca")
		e := startOn(t, ip+":0", "tls: {cert: a.pem, key: a.key}"+routes, with(secret, ca.issue(t, time.Hour, "a.example.com").files("a")))
		for _, h2 := range []bool{false, true} {
			a := ask(t, e.client(&tls.Config{RootCAs: ca.Pool}, h2), "GET", "https://a.example.com/x", "Authorization", "Bearer no.to.ken",
				"X-Forwarded-Proto", "http")
			if a.Status != 401 {
				t.Errorf("HTTP/2 %t: %d %s", h2, a.Status, a.Body)
			}
		}
	})
	t.Run("by plain HTTP, of a stranger", func(t *testing.T) {
		t.Parallel()
		e := startOn(t, ip+":0", "trustedProxies: [192.0.2.1]"+routes, secret)
		c := e.client(nil, false)
		for method, want := range map[string]string{"GET": "308 https://a.example.com/x?y=1", "HEAD": "308 https://a.example.com/x?y=1", "POST": "403", "DELETE": "403"} {
			a := ask(t, c, method, "http://a.example.com/x?y=1", "Authorization", "Bearer no.to.ken")
			if got := strings.TrimSpace(fmt.Sprint(a.Status, " ", a.Header.Get("Location"))); got != want {
				t.Errorf("%s: %s, want %s", method, got, want)
			}
			if a.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s: the credential was read", method)
			}
		}
	})
	t.Run("without any of it", func(t *testing.T) {
		t.Parallel()
		got := problems(t, "listen: "+ip+":0"+strings.ReplaceAll(routes, "@ECHO@", "http://127.0.0.1:9"), secret)
		if len(got) != 1 || !strings.Contains(got[0], "is public and without TLS") {
			t.Errorf("check says %q", got)
		}
	})
}
