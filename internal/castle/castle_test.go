package castle

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestWhatCastleIsSent(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil, Config{})
	headers := request.Header{{Name: "User-Agent", Value: "app/1"}, {Name: "Accept-Language", Value: "de"}, {Name: "COOKIE", Value: "a=cookie-value"}, {Name: "authorization", Value: "Bearer bearer-value"},
		{Name: "Proxy_Authorization", Value: "Basic proxy-value"}, {Name: "accept-language", Value: "en"}, {Name: "X-Castle-Request-Token", Value: "token-value"}}
	scrubbed := map[string]any{"User-Agent": "app/1", "Accept-Language": "de, en", "COOKIE": true, "authorization": true, "Proxy_Authorization": true, "X-Castle-Request-Token": true}
	ip := netip.MustParseAddr("::ffff:198.51.100.7")
	for _, c := range []struct {
		name string
		ask  func(context.Context, Event) (Verdict, error)
		e    Event
		path string
		want map[string]any
	}{
		{"a login", k.Filter, Event{Type: "$login", Status: "$attempted", Email: "alice@example.com"}, "POST /v1/filter",
			map[string]any{"type": "$login", "status": "$attempted", "params": map[string]any{"email": "alice@example.com"}}},
		{"a registration", k.Filter, Event{Type: "$registration", Status: "$attempted", Email: "a@b.example"}, "POST /v1/filter",
			map[string]any{"type": "$registration", "status": "$attempted", "params": map[string]any{"email": "a@b.example"}}},
		{"a refresh", k.Filter, Event{Type: "$custom", Name: "Token refresh"}, "POST /v1/filter", map[string]any{"type": "$custom", "name": "Token refresh"}},
		{"a challenge", k.Filter, Event{Type: "$challenge", Status: "$requested"}, "POST /v1/filter", map[string]any{"type": "$challenge", "status": "$requested"}},
		{"a success", k.Risk, Event{Type: "$login", Status: "$succeeded", Email: "alice@example.com", UserID: "auth0|1"}, "POST /v1/risk",
			map[string]any{"type": "$login", "status": "$succeeded", "user": map[string]any{"id": "auth0|1", "email": "alice@example.com"}}},
	} {
		c.e.Token, c.e.IP, c.e.Headers = []string{"token-value-" + strings.ReplaceAll(c.name, " ", "-")}, ip, headers
		if v, err := c.ask(t.Context(), c.e); err != nil || v != (Verdict{Allow, ByCastle}) {
			t.Fatalf("%s: %v, %v", c.name, v, err)
		}
		path, body, head := k.peer.last(t)
		c.want["request_token"], c.want["context"] = c.e.Token[0], map[string]any{"ip": "198.51.100.7", "headers": scrubbed}
		if diff := cmp.Diff(c.want, body); path != c.path || diff != "" {
			t.Errorf("%s: %s\n%s", c.name, path, diff)
		}
		// Basic with an empty user: echo -n :castle-api-secret-of-tests | base64
		if head.Get("Authorization") != "Basic OmNhc3RsZS1hcGktc2VjcmV0LW9mLXRlc3Rz" || head.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v", c.name, head)
		}
	}
}

// What each answer of Castle's means, with onError: allow, so that nothing is let
// through by accident.
func TestWhatAnswersMean(t *testing.T) {
	t.Parallel()
	allow, db := `{"policy":{"action":"allow"}}`, storetest.SQLite(t)
	for name, c := range map[string]struct {
		answer  func(*peer)
		action  string // "": no verdict, a 503
		reason  string
		alerted bool
	}{
		"allow":     {func(p *peer) { p.will(says(allow)) }, Allow, ByCastle, false},
		"challenge": {func(p *peer) { p.will(says(`{"risk":0.7,"policy":{"action":"challenge","id":"x"}}`)) }, Challenge, ByCastle, false},
		"deny":      {func(p *peer) { p.will(status(200, `{"policy":{"action":"deny"}}`)) }, Deny, ByCastle, false},
		"an invalid token": {func(p *peer) {
			p.will(status(422, `{"type":"invalid_request_token","message":"Invalid Request Token"}`))
		}, Deny, InvalidToken, false},
		"invalid parameters":      {func(p *peer) { p.will(status(422, `{"type":"invalid_parameters","message":"no"}`)) }, Deny, Rejected, false},
		"422 without a word":      {func(p *peer) { p.will(status(422, ``)) }, Deny, Rejected, false},
		"400":                     {func(p *peer) { p.will(status(400, allow)) }, Deny, Rejected, false},
		"our secret is wrong":     {func(p *peer) { p.will(status(401, allow)) }, "", "", true},
		"our account is closed":   {func(p *peer) { p.will(status(403, allow)) }, "", "", true},
		"not found":               {func(p *peer) { p.will(status(404, allow)) }, "", "", true},
		"a redirect":              {func(p *peer) { p.will(status(302, allow)) }, "", "", true},
		"429":                     {func(p *peer) { p.will(status(429, allow)) }, Allow, OnError, false},
		"500":                     {func(p *peer) { p.will(status(500, `{"policy":{"action":"deny"}}`)) }, Allow, OnError, false},
		"503":                     {func(p *peer) { p.will(status(503, ``)) }, Allow, OnError, false},
		"late":                    {func(p *peer) { p.will(slow) }, Allow, OnError, false},
		"a reset":                 {func(p *peer) { p.will(reset) }, Allow, OnError, false},
		"nobody there":            {func(p *peer) { _ = p.Listener.Close() }, Allow, OnError, false},
		"no HTTP":                 {func(p *peer) { p.will(noHTTP) }, Allow, OnError, false},
		"cut":                     {func(p *peer) { p.will(cut) }, Allow, OnError, false},
		"huge":                    {func(p *peer) { p.will(huge) }, "", "", true},
		"garbage":                 {func(p *peer) { p.will(says(`<html>`)) }, "", "", true},
		"nothing":                 {func(p *peer) { p.will(status(204, ``)) }, "", "", true},
		"an action of tomorrow":   {func(p *peer) { p.will(says(`{"policy":{"action":"ALLOW"}}`)) }, "", "", true},
		"no action":               {func(p *peer) { p.will(says(`{"policy":{"action":null}}`)) }, "", "", true},
		"an action that is a map": {func(p *peer) { p.will(says(`{"policy":{"action":{"allow":1}}}`)) }, "", "", true},
		"cut while packed":        {func(p *peer) { p.will(cutPacked) }, Allow, OnError, false},
		"packed as nobody asked":  {func(p *peer) { p.will(packed("br", allow)) }, "", "", true},
		"packed, and is not":      {func(p *peer) { p.will(packed("gzip", allow)) }, "", "", true},
		"two documents":           {func(p *peer) { p.will(says(allow + allow)) }, "", "", true},
	} {
		for _, onError := range []string{"allow", "deny"} {
			t.Run(name+", "+onError, func(t *testing.T) {
				t.Parallel()
				k := newKit(t, db, Config{OnError: onError, Timeout: config.Duration(300 * time.Millisecond)})
				c.answer(k.peer)
				want := Verdict{c.action, c.reason}
				if c.reason == OnError {
					want.Action = onError
				}
				for _, ask := range []func(context.Context, Event) (Verdict, error){k.Filter, k.Risk} {
					e := k.event()
					e.UserID = "auth0|1"
					v, err := ask(t.Context(), e)
					var f *fault.Error
					switch {
					case c.action == "" && (!errors.As(err, &f) || f.Kind != fault.Unavailable || v != Verdict{}):
						t.Errorf("%v, %v", v, err)
					case c.action != "" && (err != nil || v != want):
						t.Errorf("%v, %v; want %v", v, err, want)
					}
				}
				said := k.log.String()
				if got := strings.Count(said, "level=ERROR"); got != map[bool]int{true: 1}[c.alerted] { // of two calls within a minute
					t.Errorf("%d alerts: %s", got, said)
				}
				if got := k.Stats().Refused; got != map[bool]int64{true: 2}[c.alerted] {
					t.Errorf("%d refused", got)
				}
				for _, hidden := range []string{apiSecret, "alice", "device-token", "cookie-value", "bearer-value", "OmNhc3RsZ"} {
					if strings.Contains(said, hidden) {
						t.Errorf("the log holds %q: %s", hidden, said)
					}
				}
			})
		}
	}
}

func TestAnAlertIsLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil, Config{})
	k.peer.will(status(401, ""))
	for i, want := range []int{1, 1, 2} {
		if _, err := k.Filter(t.Context(), k.event()); err == nil || strings.Contains(err.Error(), apiSecret) {
			t.Errorf("call %d: %v", i, err)
		}
		if got := strings.Count(k.log.String(), "level=ERROR"); got != want {
			t.Errorf("%d alerts after call %d: %s", got, i, k.log)
		}
		k.add(30 * time.Second)
	}
}

// Who hangs up is not let through for it.
func TestAClientThatHangsUpGetsNoVerdict(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil, Config{OnError: "allow"})
	ctx, hangUp := context.WithCancel(t.Context())
	k.peer.will(func(w http.ResponseWriter, r *http.Request) { hangUp(); slow(w, r) })
	if v, err := k.Filter(ctx, k.event()); err == nil {
		t.Errorf("%v", v)
	}
}

func TestRiskHasWhatIsLeftOfTheTime(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil, Config{OnError: "deny", Timeout: config.Duration(10 * time.Second)})
	k.peer.will(slow)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	e := k.event()
	e.UserID = "auth0|1"
	began := time.Now()
	if v, err := k.Risk(ctx, e); err != nil || v != (Verdict{Deny, OnError}) || time.Since(began) > 5*time.Second {
		t.Errorf("%v, %v after %s", v, err, time.Since(began))
	}
}

func TestDeviceTokensThatDoNotCount(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil, Config{})
	for name, c := range map[string]struct {
		values []string
		reason string
	}{
		"none": {nil, MissingToken}, "an empty one": {[]string{""}, MissingToken}, "two": {[]string{"a", "b"}, RepeatedToken}, "the same twice": {[]string{"a", "a"}, RepeatedToken},
		"an empty and another": {[]string{"", "a"}, RepeatedToken}, "two in one": {[]string{"a, b"}, RepeatedToken},
		"a long one": {[]string{strings.Repeat("a", longestToken+1)}, LongToken}, "a blank": {[]string{"a b"}, InvalidToken}, "controls": {[]string{"a\x00"}, InvalidToken}, "no ASCII": {[]string{"é"}, InvalidToken},
	} {
		e := k.event()
		e.Token, e.UserID = c.values, "auth0|1"
		for _, ask := range []func(context.Context, Event) (Verdict, error){k.Filter, k.Risk} {
			if v, err := ask(t.Context(), e); err != nil || v != (Verdict{Deny, c.reason}) {
				t.Errorf("%s: %v, %v", name, v, err)
			}
		}
	}
	if k.peer.calls() != 0 {
		t.Errorf("Castle was asked %d times", k.peer.calls())
	}
	e := k.event()
	e.Token = []string{strings.Repeat("a", longestToken)}
	if v, err := k.Filter(t.Context(), e); err != nil || v.Action != Allow {
		t.Errorf("the longest: %v, %v", v, err)
	}
}

func TestADeviceTokenCountsOnceIn120SecondsOnAllNodes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		k := newKit(t, db, Config{})
		second := k.node(t, Config{})
		e := k.event()
		var allowed, used atomic.Int32
		storetest.Callers(t, 16, func(i int) error {
			v, err := []*Client{k.Client, second}[i%2].Filter(t.Context(), e)
			switch v {
			case Verdict{Allow, ByCastle}:
				allowed.Add(1)
			case Verdict{Deny, UsedToken}:
				used.Add(1)
			}
			return err
		})
		if allowed.Load() != 1 || used.Load() != 15 || k.peer.calls() != 1 {
			t.Errorf("%d allowed, %d used, Castle asked %d times", allowed.Load(), used.Load(), k.peer.calls())
		}
		k.add(tokenLife - time.Millisecond)
		if err := k.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v, err := second.Filter(t.Context(), e); err != nil || v.Reason != UsedToken {
			t.Errorf("%v, %v", v, err)
		}
		k.add(time.Millisecond)
		if err := k.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.Read(t.Context(), func(tx *store.Tx) error { return tx.Row(`SELECT COUNT(*) FROM castle_tokens`).Scan(&n) }); err != nil || n != 0 {
			t.Errorf("%d tokens are kept, %v", n, err)
		}
	})
}

// A token is spent whatever Castle makes of it.
func TestATokenIsSpentByACallThatFails(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil, Config{OnError: "allow"})
	k.peer.will(status(500, ""))
	e := k.event()
	if v, err := k.Filter(t.Context(), e); err != nil || v.Reason != OnError {
		t.Fatalf("%v, %v", v, err)
	}
	if v, err := k.Filter(t.Context(), e); err != nil || v != (Verdict{Deny, UsedToken}) {
		t.Errorf("%v, %v", v, err)
	}
}

func TestAStoreThatIsAwayRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		k := newKit(t, db, Config{OnError: "allow"})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		var f *fault.Error
		if v, err := k.Filter(t.Context(), k.event()); !errors.As(err, &f) || f.Kind != fault.Unavailable || k.peer.calls() != 0 {
			t.Errorf("%v, %v", v, err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{``, `{}`, `{"policy":{"action":"allow"}}`, `{"policy":null}`, `[]`, `{"policy":{"action":"deny"},"policy":{"action":"allow"}}`, "\xff"} {
		f.Add([]byte(s))
	}
	c, err := New(Deps{}, &Config{OnError: "deny"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := c.read(t.Context(), &outbound.Answer{Status: 201, Body: body})
		_ = kind(body)
		if err == nil && v.Action != Allow && v.Action != Challenge && v.Action != Deny {
			t.Errorf("%q is %v", body, v)
		}
	})
}
