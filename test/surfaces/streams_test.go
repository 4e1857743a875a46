package surfaces

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/test/edge"
)

// nodeBound is within what time Portreeve's own changes hold on a node. Streams
// end a look later.
const nodeBound = time.Second

const streaming = `
environment: test
store: {url: "sqlite:portreeve.db"}
masterKey: "{{file.master-key}}"
jwt: {secret: "{{file.jwt-secret}}", leeway: 0s}
tenantApi: {}
rbac: {}
routes:
  - {path: /*, method: any, requiredPermissions: ["docs:read"], upstream: "@UP@"}
`

// talker sends events without an end, or echoes a WebSocket.
func talker(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ws" {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		for {
			kind, p, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, p) != nil {
				return
			}
		}
	}
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := fmt.Fprint(w, "data: x\n\n"); err != nil || rc.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// open opens a stream of events and a WebSocket, and returns a channel for each
// that is closed when it has ended.
func open(t *testing.T, e *edge.Edge, field string) (ends map[string]chan struct{}) {
	t.Helper()
	name, value, _ := strings.Cut(field, ": ")
	ends = map[string]chan struct{}{"events": make(chan struct{}), "websocket": make(chan struct{})}
	req := must(http.NewRequestWithContext(t.Context(), "GET", e.URL+"/events", nil))
	req.Header.Set(name, value)
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	go func() {
		defer close(ends["events"])
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}()
	c, _, err := websocket.Dial(t.Context(), e.URL+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{name: {value}}})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(ends["websocket"])
		for err == nil {
			_, _, err = c.Read(context.WithoutCancel(t.Context()))
		}
		_ = c.CloseNow()
	}()
	return ends
}

// TestStreamsEndWithTheirKey: what was opened with a key ends when the key does,
// by whatever it does, and with it what was opened by a user who is no more.
func TestStreamsEndWithTheirKey(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(talker))
	t.Cleanup(up.Close)
	e := edge.Start(t, edge.Setting{Text: streaming, Words: map[string]string{"UP": up.URL}, Files: files()})
	w := &world{Edge: e, host: e.Host(t), signs: signs()}
	ctx, by := t.Context(), w.host.KeyBy()
	key := func(d apikey.Draft) apikey.Made {
		d.Name = input.Optional[string]{Set: true, Value: "stream"}
		d.Scopes = input.Optional[[]string]{Set: true, Value: []string{"docs:read"}}
		return must(w.host.APIKeys.Create(ctx, by, "main", d))
	}
	user := w.user(t, "main", tenant.NewUser{Bound: tenant.Binding{Provider: "jwt", Subject: "amy"}, Roles: []string{"admin"}})
	stays := open(t, e, edge.Key(key(apikey.Draft{}).Token.Reveal()))

	revoked, disabled, rotated, narrowed := key(apikey.Draft{}), key(apikey.Draft{}), key(apikey.Draft{}), key(apikey.Draft{})
	end := time.Now().Add(1500 * time.Millisecond)
	expires := key(apikey.Draft{ExpiresAt: input.Optional[string]{Set: true, Value: end.UTC().Format(time.RFC3339Nano)}})
	atExpiry := open(t, e, edge.Key(expires.Token.Reveal()))
	for _, c := range []struct {
		name, field string
		ends        func() error
	}{
		{"revoked", edge.Key(revoked.Token.Reveal()), func() error { return w.host.APIKeys.Revoke(ctx, by, "main", revoked.ID) }},
		{"disabled", edge.Key(disabled.Token.Reveal()), func() error {
			_, err := w.host.APIKeys.Change(ctx, by, "main", disabled.ID, off())
			return err
		}},
		{"rotated without grace", edge.Key(rotated.Token.Reveal()), func() error {
			_, err := w.host.APIKeys.Rotate(ctx, by, "main", rotated.ID, 0)
			return err
		}},
		{"narrowed", edge.Key(narrowed.Token.Reveal()), func() error {
			_, err := w.host.APIKeys.Change(ctx, by, "main", narrowed.ID, apikey.Draft{Scopes: input.Optional[[]string]{Set: true, Value: []string{"usage:read"}}})
			return err
		}},
		{"a user, disabled", edge.Bearer(w.jwt(map[string]any{"sub": "amy"})), func() error {
			_, err := w.host.Tenants.SetUserDisabled(ctx, w.host.By(), "main", user.ID, true)
			return err
		}},
	} {
		ends := open(t, e, c.field)
		if err := c.ends(); err != nil {
			t.Fatal(c.name, err)
		}
		began := time.Now()
		for kind, ended := range ends {
			select {
			case <-ended:
				within(t, c.name+": "+kind, time.Since(began), nodeBound)
			case <-time.After(10 * time.Second):
				t.Errorf("%s: the %s goes on", c.name, kind)
			}
		}
	}
	for kind, ended := range atExpiry {
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Errorf("at its key's expiry: the %s goes on", kind)
		}
	}
	if early := time.Until(end); early > 0 {
		t.Errorf("ended %v before the key did", early)
	}
	for kind, ended := range stays {
		select {
		case <-ended:
			t.Errorf("the %s of a good key ended too", kind)
		default:
		}
	}
}

// within holds a measured time to its bound, generously: other work may have the
// machine.
func within(t *testing.T, what string, took, bound time.Duration) {
	t.Helper()
	t.Logf("%s: %v (at most %v)", what, took.Round(time.Millisecond), bound)
	if took > 4*bound {
		t.Errorf("%s took %v, at most %v are promised", what, took, bound)
	}
}
