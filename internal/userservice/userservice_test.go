package userservice

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/secret"
)

func TestTheThreeCalls(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	c := p.client(nil)
	p.will(says(200, ` {"id":"u1","email":"alice@example.com","status":"paused","plan":{"name":"gold"}} `))
	u, err := c.ByEmail(t.Context(), "alice@example.com")
	if err != nil || u == nil || u.ID != "u1" || u.Status != "paused" || string(u.Raw) != `{"id":"u1","email":"alice@example.com","status":"paused","plan":{"name":"gold"}}` {
		t.Fatalf("%+v, %v", u, err)
	}
	if got := p.last(); got != `POST /users-by-email {"email":"alice@example.com"}` {
		t.Error(got)
	}
	if err := c.Unblock(t.Context(), u); err != nil || p.last() != `POST /users/unblock {"id":"u1"}` {
		t.Errorf("%v %s", err, p.last())
	}
	p.will(says(201, ``))
	if err := c.Create(t.Context(), NewUser{ID: "auth0|1", Email: "b@example.com", GivenName: "B", Phone: "+15550100", Metadata: json.RawMessage(`{"a":1}`)}); err != nil {
		t.Error(err)
	}
	if got := p.last(); got != `POST /users {"id":"auth0|1","email":"b@example.com","given_name":"B","phone_number":"+15550100","user_metadata":{"a":1}}` {
		t.Error(got)
	}
	p.will(says(409, `{}`))
	if err := c.Create(t.Context(), NewUser{ID: "auth0|1"}); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	if err := c.Unblock(t.Context(), u); err == nil {
		t.Error("a 409 to unblock is no error")
	}
}

func TestPathsAreJoinedToTheURL(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	c := p.client(func(c *Config, _ *Deps) {
		c.URL += "/prod/"
		c.Paths = Paths{ByEmail: "/find"}
	})
	if _, err := c.ByEmail(t.Context(), "a@b.example"); err != nil || p.last() != `POST /prod/find {"email":"a@b.example"}` {
		t.Errorf("%v %s", err, p.last())
	}
}

func TestSignaturesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config, *Deps){
		"another secret":  func(c *Config, _ *Deps) { c.Signing.AWSSigV4.SecretAccessKey = secret.New("x") },
		"another key":     func(c *Config, _ *Deps) { c.Signing.AWSSigV4.AccessKeyID = secret.New("x") },
		"another region":  func(c *Config, _ *Deps) { c.Signing.AWSSigV4.Region = "us-east-1" },
		"another service": func(c *Config, _ *Deps) { c.Signing.AWSSigV4.Service = "lambda" },
		"a slow clock": func(_ *Config, d *Deps) {
			now := d.Now()
			d.Now = func() time.Time { return now.Add(-6 * time.Minute) }
		},
		"a fast clock": func(_ *Config, d *Deps) { now := d.Now(); d.Now = func() time.Time { return now.Add(6 * time.Minute) } },
		"another body": func(_ *Config, d *Deps) {
			d.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				r.Body = io.NopCloser(strings.NewReader(`{"email":"mallo@example.com"}`)) // as long as the other
				return http.DefaultTransport.RoundTrip(r)
			})
		},
		"another path": func(_ *Config, d *Deps) {
			d.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				r.URL.Path = "/users/unblock"
				return http.DefaultTransport.RoundTrip(r)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t)
			p.will(says(200, `{"id":"u1","status":"active"}`))
			if u, err := p.client(change).ByEmail(t.Context(), "alice@example.com"); err == nil || u != nil || p.last() != "" {
				t.Errorf("%+v, %v, %s", u, err, p.last())
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What is no clear answer is an error, never "nobody" and never "may sign in".
func TestAServiceThatFails(t *testing.T) {
	t.Parallel()
	good := `{"id":"1","status":"active"}`
	for name, answer := range map[string]http.HandlerFunc{
		"slow": slow, "reset": reset, "cut": cut, "huge": huge,
		"500": says(500, good), "503": says(503, ``), "429": says(429, good), "401": says(401, good), "403": says(403, good), "400": says(400, good),
		"a redirect": says(302, good), "another redirect": says(308, good), "202": says(202, good), "201": says(201, good), "204": says(204, ``), "206": says(206, good),
		"garbage": says(200, `<html>`), "nothing": says(200, ``), "a text": says(200, `"active"`), "two users": says(200, `[`+good+`,`+good+`]`), "two documents": says(200, good+good),
		"no status": says(200, `{"id":"1"}`), "no id": says(200, `{"status":"active"}`), "an empty status": says(200, `{"id":"1","status":""}`), "a blank status": says(200, `{"id":"1","status":" "}`), "a status of another kind": says(200, `{"id":"1","status":null}`),
		"a status that is a list": says(200, `{"id":"1","status":["active"]}`), "two statuses": says(200, `{"id":"1","status":"blocked","status":"active"}`),
		"two statuses, one escaped": says(200, `{"id":"1","status":"blocked","st\u0061tus":"active"}`), "an id of another kind": says(200, `{"id":{"a":1},"status":"active"}`),
		"a long id": says(200, `{"id":"`+strings.Repeat("1", longestID+1)+`","status":"active"}`), "no UTF-8": says(200, "{\"id\":\"1\",\"status\":\"active\xff\"}"),
		"deep": says(200, `{"id":"1","status":"active","x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`}`), "a status in capitals": says(200, `{"id":"1","STATUS":"active"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t)
			c := p.client(nil)
			p.will(answer)
			u, err := c.ByEmail(t.Context(), "alice@example.com")
			var f *fault.Error
			if u != nil || !errors.As(err, &f) || f.Kind != fault.Unavailable || f.Code != "user_service_unavailable" {
				t.Fatalf("%+v, %v", u, err)
			}
			for _, hidden := range []string{"alice", secretKey, "active", keyID} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error holds %q: %v", hidden, err)
				}
			}
			if strings.Contains("slow reset cut huge 500 503 429 401 403 400 a redirect another redirect", name) {
				if err := c.Unblock(t.Context(), &User{ID: "1"}); err == nil {
					t.Error("unblock is no error")
				}
				if err := c.Create(t.Context(), NewUser{ID: "1", Email: "alice@example.com"}); err == nil || strings.Contains(err.Error(), "alice") {
					t.Errorf("create: %v", err)
				}
			}
		})
	}
}

func TestNobody(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{"404": says(404, `{"message":"no"}`), "null": says(200, `null`), "{}": says(200, `{}`), "[]": says(200, ` [] `), "[null]": says(200, `[null]`)} {
		p := newPeer(t)
		p.will(answer)
		if u, err := p.client(nil).ByEmail(t.Context(), "a@b.example"); u != nil || err != nil {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	p := newPeer(t)
	p.will(says(200, `[{"id":7,"status":"active"}]`))
	if u, err := p.client(nil).ByEmail(t.Context(), "a@b.example"); err != nil || u.ID != "7" {
		t.Errorf("a list of one: %+v, %v", u, err)
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	standard := p.client(nil)
	own := p.client(func(c *Config, _ *Deps) { c.Blocked, c.Paused = []string{"banned"}, []string{} })
	for _, c := range []struct {
		by              *Client
		status          string
		blocked, paused bool
	}{
		{standard, "active", false, false}, {standard, "blocked", true, false}, {standard, "CLOSED", true, false}, {standard, "Paused", false, true}, {standard, "banned", false, false},
		{own, "banned", true, false}, {own, "blocked", false, false}, {own, "paused", false, false},
	} {
		u := &User{Status: c.status}
		if c.by.Blocked(u) != c.blocked || c.by.Paused(u) != c.paused {
			t.Errorf("%s: blocked %v, paused %v", c.status, c.by.Blocked(u), c.by.Paused(u))
		}
	}
	if standard.Blocked(nil) || standard.Paused(nil) {
		t.Error("nobody is blocked or paused")
	}
}

func TestAnAddressThatIsNone(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "users.example.com", "http://users.example.com", "https://a:b@users.example.com"} {
		if _, err := New(Deps{}, &Config{URL: config.URL(u), Signing: &Signing{AWSSigV4: &SigV4{}}}); err == nil {
			t.Errorf("%q is taken", u)
		}
	}
	if _, err := New(Deps{}, &Config{URL: "https://users.example.com"}); err == nil {
		t.Error("calls that nobody signs are taken")
	}
}

func FuzzUser(f *testing.F) {
	for _, s := range []string{`{"id":"1","status":"active"}`, `[]`, `null`, `{}`, ``, `{"id":1,"status":"x","id":2}`, "\xff", `[[[[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		u, err := readUser(body)
		if err == nil && u != nil && (u.ID == "" || u.Status == "" || !json.Valid(u.Raw)) {
			t.Errorf("%q is %+v", body, u)
		}
	})
}
