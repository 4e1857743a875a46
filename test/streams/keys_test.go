package streams

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/standin"
)

// P7: a key that its issuer withdraws takes the streams along that it let
// begin, within the refresh interval and a second; an outage takes none.
func TestAWithdrawnKeyEndsItsStreams(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i, err := standin.NewIssuer(l, standin.IssuerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	const interval = 300 * time.Millisecond
	e := start(t, strings.ReplaceAll(`environment: test
oidc: [{name: corp, issuer: "{ISSUER}", audience: api}]
routes: [{path: /ws, method: get, requireAuth: true, upstream: "http://{UP}"}]
`, "{ISSUER}", i.URL()), upstream(t, http.HandlerFunc(echo)), func(c *keyset.Config) { c.Refresh = interval })
	eventually(t, "the keys", func() bool { return i.Fetched() > 0 })
	open := func() *websocket.Conn {
		t.Helper()
		token, err := i.Mint(map[string]any{"sub": "amy", "aud": "api"})
		if err != nil {
			t.Fatal(err)
		}
		c := e.open("/ws", "Authorization", "Bearer "+token)
		_ = read(t, c)
		return c
	}
	old := open()
	if err := i.Rotate(); err != nil {
		t.Fatal(err)
	}
	fetched := i.Fetched()
	eventually(t, "the new key", func() bool { return i.Fetched() > fetched+1 })
	young := open()
	alive := func(c *websocket.Conn) {
		t.Helper()
		_ = c.Write(t.Context(), websocket.MessageText, []byte("still"))
		if got := read(t, c); got != "still" {
			t.Errorf("got %q", got)
		}
	}
	alive(old) // both keys are published
	i.Outage(true)
	time.Sleep(2 * interval)
	alive(old)
	i.Retire()
	i.Outage(false)
	began := time.Now()
	if code, err := closedWith(old); code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %d (%v)", code, err)
	}
	// After an outage the next fetch comes later than the interval.
	t.Logf("ended after %s", time.Since(began))
	alive(young)
}
