package streams

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
)

const issued = `environment: test
oidc:
  - {name: issuer, issuer: "{ISSUER}", audience: api, leeway: 0s}
drain: 5s
routes:
  - {path: /*, method: any, requireAuth: true, upstream: "http://{UP}"}
`

// A withdrawn key ends the exchanges that began before a reload as well as those
// that began after it: their providers differ and have the set in common.
func TestAWithdrawnKeyEndsWhatRunsOverAReload(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := standin.NewIssuer(l, standin.IssuerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	token := func() string {
		t.Helper()
		raw, err := issuer.Mint(map[string]any{"aud": "api", "sub": "amy"})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + raw
	}
	up := upstream(t, http.HandlerFunc(events))
	text := strings.ReplaceAll(issued, "{ISSUER}", issuer.URL())
	e := start(t, text, up)
	eventually(t, "the keys", func() bool { return issuer.Fetched() > 0 })
	ended := make(chan error, 100)
	open := func(credential string) {
		t.Helper()
		req, _ := http.NewRequest("GET", "http://"+e.addr+"/events", nil)
		req.Header.Set("Authorization", credential)
		res, err := http.DefaultClient.Do(req)
		if err != nil || res.StatusCode != 200 {
			t.Fatal(res, err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		go func() {
			_, err := io.Copy(io.Discard, res.Body)
			ended <- err
		}()
	}
	old := token()
	const each = 8
	for range each {
		open(old)
	}
	e.write("portreeve.yaml", strings.ReplaceAll(text, "{UP}", up)+"  - {path: /more, method: get, response: more}\n")
	if err := e.app.Reload(); err != nil {
		t.Fatal(err)
	}
	for range each {
		open(old)
	}
	time.Sleep(time.Second) // all of them were looked at since
	if err := issuer.Rotate(); err != nil {
		t.Fatal(err)
	}
	issuer.Retire()
	open(token()) // makes the keys be fetched; this one stays
	for i := range 2 * each {
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Fatalf("%d of %d ended", i, 2*each)
		}
	}
	select {
	case err := <-ended:
		t.Errorf("one by a key that is good ended: %v", err)
	case <-time.After(time.Second):
	}
}
