package transport

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"
)

func siteFile(auth string) string {
	return `environment: test
tls: {cert: a.pem, key: a.key, clientCA: clients.pem` + auth + `}
jwt: {secret: 0123456789abcdef0123456789abcdef}
upstream: "@ECHO@"
routes: [{path: /*, method: any}]
sites:
  - {hosts: [a.example.com, also-a.example.com], routes: [{path: /*, method: any}], upstream: "@ECHO@", cors: {origins: ["https://app.example.com"]}}
  - {hosts: [b.example.com], routes: [{path: /*, method: any, response: b}]}
`
}

func clientCertEdge(t testing.TB, auth string) (e *edge, ca, clients *authority) {
	ca, clients = newAuthority(t, "ca"), newAuthority(t, "clients")
	return start(t, siteFile(auth), with(ca.issue(t, time.Hour, "a.example.com", "also-a.example.com", "b.example.com", "127.0.0.1").files("a"),
		map[string]string{"clients.pem": clients.PEM})), ca, clients
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"", ", clientAuth: optional", ", clientAuth: require"} {
		e, ca, clients := clientCertEdge(t, setting)
		strangers := newAuthority(t, "strangers")
		for who, certs := range map[string][]tls.Certificate{"none": nil, "ours": {clients.issue(t, time.Hour, "caller").pair(t)},
			"ended": {clients.issue(t, -time.Minute, "caller").pair(t)}, "a stranger's": {strangers.issue(t, time.Hour, "caller").pair(t)}} {
			for _, h2 := range []bool{false, true} {
				c := e.client(&tls.Config{RootCAs: ca.Pool, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					if certs == nil {
						return &tls.Certificate{}, nil
					}
					return &certs[0], nil // shown whoever is asked for
				}}, h2)
				a, err := try(c, "GET", "https://a.example.com/")
				want := who == "ours" || who == "none" && !strings.Contains(setting, "require")
				if got := err == nil && a.Status == http.StatusOK; got != want {
					t.Errorf("%q, certificate %s, HTTP/2 %t: let in %t (%v)", setting, who, h2, got, err)
				}
			}
		}
	}
}

// A browser shows a client certificate by itself, to whatever page sends it: it
// is ambient, as a cookie is.
func TestClientCertificatesAreAmbient(t *testing.T) {
	t.Parallel()
	e, ca, clients := clientCertEdge(t, "")
	own := clients.issue(t, time.Hour, "caller").pair(t)
	for _, h2 := range []bool{false, true} {
		bare := e.client(&tls.Config{RootCAs: ca.Pool}, h2)
		shown := e.client(&tls.Config{RootCAs: ca.Pool, Certificates: []tls.Certificate{own}}, h2)
		for _, c := range []struct {
			name, method string
			fields       []string
			bare, shown  int
		}{
			{"reading", "GET", []string{"Sec-Fetch-Site", "cross-site"}, 200, 200},
			{"writing from the same site", "POST", []string{"Sec-Fetch-Site", "same-origin"}, 200, 200},
			{"writing from our own origin", "POST", []string{"Origin", "https://a.example.com"}, 200, 200},
			{"writing from an origin of cors", "POST", []string{"Origin", "https://app.example.com"}, 200, 200},
			{"writing from elsewhere", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 200, 403},
			{"writing from a sibling", "DELETE", []string{"Sec-Fetch-Site", "same-site"}, 200, 403},
			{"writing by what is no browser", "POST", nil, 200, 200}, // browsers send one of the two with whatever they write
		} {
			if a := ask(t, bare, c.method, "https://a.example.com/x", c.fields...); a.Status != c.bare {
				t.Errorf("%s without certificate, HTTP/2 %t: %d %s", c.name, h2, a.Status, a.Body)
			}
			a := ask(t, shown, c.method, "https://a.example.com/x", c.fields...)
			if a.Status != c.shown || c.shown == 403 && !strings.Contains(a.Body, "Cross-site") {
				t.Errorf("%s with a certificate, HTTP/2 %t: %d %s", c.name, h2, a.Status, a.Body)
			}
		}
	}
}

// Where clients are asked for certificates, the name that they asked for and
// the Host of each request select the same site.
func TestServerNameAndHostSelectOneSite(t *testing.T) {
	t.Parallel()
	e, ca, _ := clientCertEdge(t, "")
	for _, h2 := range []bool{false, true} {
		for _, c := range []struct {
			name, host string
			want       int
		}{
			{"a.example.com", "a.example.com", 200},
			{"a.example.com", "A.EXAMPLE.COM:443", 200},
			{"a.example.com", "also-a.example.com", 200}, // another name of the same site
			{"a.example.com", "b.example.com", 421},
			{"b.example.com", "a.example.com", 421},
			{"a.example.com", "unknown.example.com", 421}, // the default site
			{"127.0.0.1", "a.example.com", 421},           // an address is no server name: the default site
			{"127.0.0.1", "127.0.0.1", 200},
		} {
			cl := e.client(&tls.Config{RootCAs: ca.Pool, ServerName: c.name}, h2)
			if a := ask(t, cl, "GET", "https://"+c.host+"/"); a.Status != c.want {
				t.Errorf("name %s, Host %s, HTTP/2 %t: %d %s", c.name, c.host, h2, a.Status, a.Body)
			}
		}
	}
}
