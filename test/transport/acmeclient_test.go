package transport

import (
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The authority shows no client certificate when it looks at a challenge; all
// others must.
func TestACMEBesideRequiredClientCertificates(t *testing.T) {
	t.Parallel()
	l := listen(t)
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	p := newPebble(t, port)
	e := startOn(t, "127.0.0.1:"+strconv.Itoa(port), `environment: test
tls: {acme: {email: ops@example.com, cacheDir: `+t.TempDir()+`, directoryURL: "`+p.Directory+`", directoryCA: door.pem}, clientCA: door.pem, clientAuth: require}
auth: none
sites: [{hosts: [certs.example.net], routes: [{path: /own, method: get, response: own}]}]
`, map[string]string{"door.pem": p.CA.PEM})
	eventually(t, "the certificate", func() bool { return strings.Contains(e.log.String(), "certificate obtained") })
	for _, protocols := range [][]string{nil, {"h2"}, {"acme-tls/1", "http/1.1"}} {
		c := e.client(&tls.Config{RootCAs: p.roots(), NextProtos: protocols}, false)
		c.Timeout = 5 * time.Second
		if a, err := try(c, "GET", "https://certs.example.net/own"); err == nil {
			t.Errorf("%q without a certificate: %d %q", protocols, a.Status, a.Body)
		}
	}
}
