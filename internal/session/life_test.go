package session

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

func readID(into *string) func(tx *store.Tx) error {
	return func(tx *store.Tx) error { return tx.Row(`SELECT id FROM sessions ORDER BY created_at DESC`).Scan(into) }
}

// quiet has the provider's tokens last longer than any test.
func quiet(k *kit) { k.rogue.set(func() { k.rogue.life = 20 * time.Hour }) }

func TestSessionsEndByTime(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		quiet(k)
		b := k.browser()
		b.signIn()
		for range 20 { // used every 29 minutes
			k.advance(29 * time.Minute)
			if !b.in() {
				t.Fatal("ended while it was used")
			}
			if err := k.s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		two := k.newNode(k.rogue.URL)
		k.advance(29 * time.Minute)
		if !b.tab(two).in() {
			t.Error("another node does not know that it was used")
		}
		k.advance(31 * time.Minute)
		if r := b.ask("GET /private", "", "Accept: text/html", "Sec-Fetch-Mode: navigate"); r.status != 302 || b.jar["__Host-portreeve"] != "" {
			t.Errorf("idle: %d", r.status)
		}
		b.signIn()
		for range 36 {
			k.advance(20*time.Minute - time.Second)
			b.in()
		}
		if !b.in() {
			t.Error("ended before twelve hours")
		}
		k.advance(time.Minute)
		if b.in() {
			t.Error("goes on after twelve hours")
		}
		k.advance(time.Hour)
		if err := k.s.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"sessions", "session_cookies", "session_starts", "session_owners"} {
			if n := k.count(`SELECT COUNT(*) FROM ` + table); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
	})
}

func TestAtMostTenSessions(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		storetest.Callers(t, 16, func(int) error { _, err := k.arrive("alice"); return err })
		if _, err := k.arrive("bob"); err != nil {
			t.Fatal(err)
		}
		if n := k.count(`SELECT COUNT(*) FROM sessions`); n != 11 {
			t.Errorf("%d sessions of two people", n)
		}
		first := ""
		k.tx(func(tx *store.Tx) error {
			return tx.Row(`SELECT id FROM sessions WHERE owner = $1 ORDER BY created_at, id DESC`, ownerOf("corp", "x", "alice")).Scan(&first)
		})
		k.advance(time.Minute)
		if _, err := k.arrive("alice"); err != nil {
			t.Fatal(err)
		}
		if k.count(`SELECT COUNT(*) FROM sessions`) != 11 || k.events("session.started") != 18 || k.events("session.ended") != 7 {
			t.Errorf("%d started, %d ended", k.events("session.started"), k.events("session.ended"))
		}
	})
}

func TestSigningOut(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		quiet(k)
		b := k.browser()
		b.signIn()
		tab := b.tab(k.node)
		for _, cross := range [][]string{{"Sec-Fetch-Site: cross-site"}, {"Sec-Fetch-Site: same-site"}, {"Origin: https://evil.example"}, nil} {
			if r := b.ask("POST /.portreeve/logout", "", cross...); r.status != 403 || !tab.in() {
				t.Errorf("from another site (%v): %d", cross, r.status)
			}
		}
		if r := b.ask("GET /.portreeve/logout", ""); r.status != 405 || !tab.in() {
			t.Errorf("by GET: %d", r.status)
		}
		r := b.ask("POST /.portreeve/logout", "", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Origin: https://app.example")
		to, _ := url.Parse(r.header("Location"))
		if r.status != 303 || !strings.HasPrefix(r.header("Location"), k.rogue.URL+"/end?") || to.Query().Get("client_id") != "portreeve" ||
			to.Query().Get("post_logout_redirect_uri") != "https://app.example/.portreeve/signed-out" || b.jar["__Host-portreeve"] != "" {
			t.Errorf("%d %s", r.status, r.header("Location"))
		}
		if tab.in() || k.events("session.ended") != 1 {
			t.Error("the session goes on in another tab")
		}
		if r := tab.ask("POST /.portreeve/logout", "", "Sec-Fetch-Site: same-origin"); r.status != 303 || r.header("Location") != signedOutPath {
			t.Errorf("without a session: %d %s", r.status, r.header("Location"))
		}
		if r := k.browser().ask("POST /.portreeve/logout", "", "Sec-Fetch-Site: cross-site"); r.status != 403 {
			t.Errorf("from another site without a cookie: %d", r.status)
		}
		b.signIn()
		r = b.ask("POST /.portreeve/logout", "", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Origin: null")
		if r.header("Location") != signedOutPath+"?at=corp" {
			t.Errorf("from our own page: %s", r.header("Location"))
		}
		if r := b.ask("GET "+r.header("Location"), ""); r.status != 200 || !strings.Contains(r.body, k.rogue.URL+"/end?") {
			t.Errorf("%d %s", r.status, r.body)
		}
		if r := b.ask("GET /.portreeve/style.css", ""); r.status != 200 || r.header("Content-Type") != "text/css; charset=utf-8" {
			t.Errorf("style: %d", r.status)
		}
	})
}

func TestListingAndRevoking(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		quiet(k)
		one, other := k.browser(), k.browser()
		one.signIn()
		k.advance(time.Second)
		other.signIn()
		k.rogue.set(func() { k.rogue.subject = "bob" })
		bob := k.browser()
		bob.signIn()
		var list struct{ Data []View }
		if err := json.Unmarshal([]byte(one.ask("GET /.portreeve/sessions", "").body), &list); err != nil || len(list.Data) != 2 || list.Data[0].Current || !list.Data[1].Current {
			t.Fatalf("%+v %v", list, err)
		}
		id := list.Data[0].ID
		same := "Sec-Fetch-Site: same-origin"
		if r := bob.ask("DELETE /.portreeve/sessions/"+id, "", same); r.status != 404 || !other.in() {
			t.Errorf("bob: %d", r.status)
		}
		if r := one.ask("DELETE /.portreeve/sessions/"+id, ""); r.status != 403 {
			t.Errorf("cross-site: %d", r.status)
		}
		if r := k.browser().ask("GET /.portreeve/sessions", ""); r.status != 401 {
			t.Errorf("nobody: %d", r.status)
		}
		if r := one.ask("DELETE /.portreeve/sessions/"+id, "", same); r.status != 204 || other.in() || !one.in() || k.events("session.revoked") != 1 {
			t.Errorf("%d", r.status)
		}
		of := Of{Bound: tenant.Binding{Provider: "corp", Issuer: k.rogue.URL, Subject: "alice"}}
		all, err := k.s.Sessions(t.Context(), of)
		if n, errR := k.s.Revoke(t.Context(), host(), of, ""); err != nil || errR != nil || n != 1 || len(all) != 1 || one.in() || !bob.in() {
			t.Errorf("%d %v %v", n, err, errR)
		}
	})
}

// Whoever may change users ends the sessions of one, as far as they are the
// tenant's. What a user's row does not have is not there.
func TestEndingAUsersSessions(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		quiet(k)
		if err := k.ten.Ensure(t.Context(), "acme", "globex"); err != nil {
			t.Fatal(err)
		}
		bound := tenant.Binding{Provider: "corp", Issuer: k.rogue.URL, Subject: "alice"}
		u, err := k.ten.AddUser(t.Context(), tenant.By{Actor: host().Actor, Host: true}, "acme", tenant.NewUser{ID: "alice", Bound: bound})
		if err != nil {
			t.Fatal(err)
		}
		one, two := k.browser(), k.browser()
		one.signIn()
		k.advance(time.Second)
		two.signIn()
		who := &principal.Principal{Provider: "corp", Issuer: k.rogue.URL, Subject: "alice"}
		elsewhere, err := k.s.startSession(t.Context(), host(), &k.site, arrival{who: who, facts: facts{Issuer: k.rogue.URL, Subject: "alice", Claims: []byte(`{}`)},
			standing: Standing{Tenant: "globex", UserID: "a"}})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(method, of, user, id string) (got request.Reply, code string) {
			t.Helper()
			path := map[bool]string{true: "/tenant/users/:id/sessions", false: "/tenant/users/:id/sessions/:session"}[id == ""]
			for _, r := range k.s.UserRoutes() {
				if r.Method != method || r.Path != path {
					continue
				}
				c := &gateway.Call{View: &request.View{ID: "r1", Method: method}, Params: gateway.ParamsOf("id", user, "session", id), Who: principal.Nobody(), Tenant: of, Actor: func() audit.Actor { return host().Actor }}
				reply, err := r.Op.Run(t.Context(), c)
				if err != nil {
					return reply, fault.From(err).Code
				}
				return reply, ""
			}
			t.Fatal("no such operation")
			return got, ""
		}
		var list struct{ Data []View }
		reply, code := ask("GET", "acme", u.ID, "")
		if err := json.Unmarshal(reply.Body, &list); err != nil || code != "" || len(list.Data) != 2 || list.Data[0].Provider != "corp" || list.Data[0].Current || strings.Contains(string(reply.Body), one.jar["__Host-portreeve"]) {
			t.Fatalf("%s %s %v", code, reply.Body, err)
		}
		newest := list.Data[0].ID
		for name, x := range map[string][3]string{"another tenant": {"globex", u.ID, newest}, "no such user": {"acme", "nobody", newest}, "no such session": {"acme", u.ID, "s"}} {
			if _, code := ask("DELETE", x[0], x[1], x[2]); code == "" {
				t.Errorf("%s: no refusal", name)
			}
		}
		if _, code := ask("GET", "globex", u.ID, ""); code == "" || !one.in() || !two.in() {
			t.Error("another tenant sees or ends them")
		}
		if _, code := ask("DELETE", "acme", u.ID, newest); code != "" || two.in() || !one.in() {
			t.Errorf("ending one: %s", code)
		}
		if _, code := ask("DELETE", "acme", u.ID, ""); code != "" || one.in() {
			t.Errorf("ending all: %s", code)
		}
		if _, err := k.s.Verify(t.Context(), elsewhere, "app"); err != nil {
			t.Errorf("the other tenant's has ended: %v", err)
		}
		if n := k.count(`SELECT COUNT(*) FROM audit_events WHERE action = 'session.revoked' AND tenant_id = 'acme'`); n != 2 {
			t.Errorf("%d events", n)
		}
		if reply, _ := ask("GET", "acme", u.ID, ""); !strings.Contains(string(reply.Body), `"data":[]`) {
			t.Errorf("%s", reply.Body)
		}
	})
}

// The cookie of one site is none on another, nor is anything that was not made here.
func TestCookiesAreOfOneSite(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t), Config{})
	quiet(k)
	b := k.browser()
	b.signIn()
	cookie := b.jar["__Host-portreeve"]
	if _, err := k.s.Verify(t.Context(), cookie, "app"); err != nil {
		t.Error(err)
	}
	if _, err := k.s.Verify(t.Context(), cookie, "other"); err != ErrEnded {
		t.Errorf("on another site: %v", err)
	}
	for i := range len(cookie) {
		flip := []byte(cookie)
		if flip[i]++; string(flip) == cookie {
			continue
		}
		if _, err := k.s.Verify(t.Context(), string(flip), "app"); err == nil {
			t.Errorf("with byte %d changed it still counts", i)
		}
		if _, err := k.s.Verify(t.Context(), cookie[:i], "app"); err == nil {
			t.Errorf("cut to %d bytes it still counts", i)
		}
	}
}

func TestANewCookieAtStepUpAndRoleChange(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		quiet(k)
		by := tenant.Host()
		by.Grants = allGrants{}
		u, err := k.ten.AddUser(t.Context(), by, "acme", tenant.NewUser{Email: "alice@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		b := k.browser()
		b.signIn()
		if w := b.who(); w["tenant"] != "acme" {
			t.Fatalf("%v", w)
		}
		first, tab := b.jar["__Host-portreeve"], b.tab(k.node)

		roles := []string{"clerk"}
		if _, err := k.ten.PatchUser(t.Context(), by, "acme", u.ID, tenant.Patch{Roles: &roles}); err != nil {
			t.Fatal(err)
		}
		if !b.in() || b.jar["__Host-portreeve"] == first {
			t.Error("a role change leaves the cookie")
		}
		if !tab.in() || tab.jar["__Host-portreeve"] != b.jar["__Host-portreeve"] {
			t.Error("another tab is left behind")
		}
		second, old := b.jar["__Host-portreeve"], b.tab(k.node)
		old.jar["__Host-portreeve"] = first
		k.advance(oldCookie)
		if old.in() || !b.in() || b.jar["__Host-portreeve"] != second {
			t.Error("the old cookie is good for too long, or the new one is replaced for nothing")
		}

		var id, third string
		k.tx(readID(&id))
		k.tx(func(tx *store.Tx) (err error) { third, err = k.s.RotateIn(tx, id); return err })
		old.jar["__Host-portreeve"] = second
		if !old.in() || old.jar["__Host-portreeve"] != second {
			t.Error("the cookie before a step-up leads to the one after it, or is refused at once")
		}
		b.jar["__Host-portreeve"] = third
		if k.advance(oldCookie); !b.in() || old.in() {
			t.Error("after the step-up")
		}
		k.tx(func(tx *store.Tx) error { return k.s.SteppedUp(tx, &principal.Principal{SessionID: id}) })
		if !b.in() || b.jar["__Host-portreeve"] == third {
			t.Error("stepped up, and no new cookie")
		}

		disabled := true
		if _, err := k.ten.PatchUser(t.Context(), by, "acme", u.ID, tenant.Patch{Disabled: &disabled}); err != nil {
			t.Fatal(err)
		}
		if b.in() {
			t.Error("disabled, and still in")
		}
		if r := k.browser(); r.callback(r.begin("/")).status != 403 || r.jar["__Host-portreeve"] != "" {
			t.Error("disabled, and signs in")
		}
	})
}

type allGrants struct{}

func (allGrants) Grant(*store.Tx, string, []string, []string) error { return nil }

func TestBackChannelLogout(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		quiet(k)
		n := 0
		mint := func(typ string, change map[string]any) string {
			n++
			c := map[string]any{"iss": k.rogue.URL, "aud": "portreeve", "iat": k.now().Unix(), "exp": k.now().Add(2 * time.Minute).Unix(), "jti": random(), "sid": "sid-1", "sub": "alice",
				"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
			for name, v := range change {
				if c[name] = v; v == nil {
					delete(c, name)
				}
			}
			s, err := k.rogue.signer.Sign(typ, c)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		post := func(token string) int {
			r := k.browser().ask("POST /.portreeve/backchannel/corp", url.Values{"logout_token": {token}}.Encode(), "Content-Type: application/x-www-form-urlencoded")
			if r.header("Cache-Control") != "no-store" {
				t.Error("may be cached")
			}
			return r.status
		}
		b := k.browser()
		b.signIn()
		for name, token := range map[string]string{
			"an ID token":      mint("JWT", nil),
			"a nonce":          mint("logout+jwt", map[string]any{"nonce": "n"}),
			"no event":         mint("logout+jwt", map[string]any{"events": map[string]any{}}),
			"no events":        mint("logout+jwt", map[string]any{"events": nil}),
			"no jti":           mint("logout+jwt", map[string]any{"jti": nil}),
			"no iat":           mint("logout+jwt", map[string]any{"iat": nil}),
			"an old one":       mint("logout+jwt", map[string]any{"iat": k.now().Add(-time.Hour).Unix()}),
			"expired":          mint("logout+jwt", map[string]any{"exp": k.now().Add(-time.Hour).Unix()}),
			"another client":   mint("logout+jwt", map[string]any{"aud": "x"}),
			"another issuer":   mint("logout+jwt", map[string]any{"iss": "https://evil.example"}),
			"neither":          mint("logout+jwt", map[string]any{"sid": nil, "sub": nil}),
			"a broken signing": mint("logout+jwt", nil)[:100],
			"nothing":          "",
		} {
			if got := post(token); got != 400 || !b.in() {
				t.Errorf("%s: %d", name, got)
			}
		}
		if post(mint("logout+jwt", map[string]any{"sub": "bob"})) != 200 || !b.in() {
			t.Error("another person's sub ended it")
		}
		if post(mint("logout+jwt", map[string]any{"sid": "another"})) != 200 || !b.in() {
			t.Error("another session's sid ended it")
		}
		token := mint("logout+jwt", nil)
		if post(token) != 200 || b.in() {
			t.Error("the session goes on")
		}
		b.signIn()
		if post(token) != 400 || !b.in() {
			t.Error("a replayed token ends a later session")
		}
		if post(mint("", map[string]any{"sid": nil})) != 200 || b.in() {
			t.Error("by sub alone, without typ")
		}
		b.signIn()
		won := make(chan error, 16)
		once := mint("logout+jwt", nil)
		storetest.Callers(t, 16, func(int) error {
			_, err := k.s.ProviderLogout(t.Context(), host(), k.oidc, once)
			won <- err
			return nil
		})
		good := 0
		for range 16 {
			if <-won == nil {
				good++
			}
		}
		if good != 1 {
			t.Errorf("one token was taken %d times", good)
		}
	})
}

// Whoever sends logout tokens that are none writes no line of the log for each; all
// are counted.
func TestRefusedLogoutTokensFillNoLog(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t), Config{})
	k.at.Store(k.now().Truncate(time.Minute).UnixMilli())
	const text = "a logout token was refused"
	for _, want := range []int{1, 2} {
		for range 20 {
			if r := k.browser().ask("POST /.portreeve/backchannel/corp", "logout_token=none"); r.status != 400 {
				t.Fatal(r.status)
			}
		}
		k.log.mu.Lock()
		if n := strings.Count(k.log.b.String(), text); n != want {
			t.Errorf("%d lines, want %d", n, want)
		}
		k.log.mu.Unlock()
		k.advance(time.Minute)
	}
	if err := k.s.d.Audit.Flush(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if n := k.count(`SELECT COUNT(*) FROM audit_events WHERE action = 'request.refused'`); n < 1 || n > 2 { // the trail's clock is its own
		t.Errorf("%d counts of forty", n)
	}
}

func TestOneTimeLinks(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		by := tenant.Host()
		by.Grants = allGrants{}
		make := func() string {
			t.Helper()
			to, err := k.s.DevLink(t.Context(), LinkFor{By: by, Tenant: "acme", User: "dev@example.com", Roles: []string{"clerk"}, Site: "app", Origin: "https://app.example"})
			if err != nil {
				t.Fatal(err)
			}
			return strings.TrimPrefix(to, "https://app.example")
		}
		link := make()
		far := k.browser()
		if r := far.ask("GET "+link, ""); r.status != 404 {
			t.Errorf("from afar: %d", r.status)
		}
		if r := far.ask("POST "+link, ""); r.status != 404 || far.jar["__Host-portreeve"] != "" {
			t.Errorf("from afar: %d", r.status)
		}
		b := k.browser()
		b.peer = "127.0.0.1:4711"
		for range 2 { // previews
			if r := b.ask("GET "+link, ""); r.status != 200 || !strings.Contains(r.body, `method="post"`) || b.jar["__Host-portreeve"] != "" {
				t.Fatalf("%d %s", r.status, r.body)
			}
		}
		if r := b.ask("POST "+link, "", "Sec-Fetch-Site: cross-site"); r.status != 403 {
			t.Errorf("cross-site: %d", r.status)
		}
		if r := b.ask("POST "+link, "", "Sec-Fetch-Site: same-origin", "Origin: null"); r.status != 303 || b.jar["__Host-portreeve"] == "" {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if w := b.who(); w["authenticated"] != true || w["provider"] != "link" || w["tenant"] != "acme" || len(w["roles"].([]any)) != 0 && w["roles"].([]any)[0] != "clerk" {
			t.Errorf("%v", w)
		}
		if !b.in() {
			t.Error("not in")
		}
		var bound string
		k.tx(func(tx *store.Tx) error {
			u, err := tenant.FindUserIn(tx, "acme", "dev@example.com")
			bound = u.Bound.Provider
			return err
		})
		if bound != "" {
			t.Error("the link took the row from whoever signs in by the provider")
		}
		again := k.browser()
		again.peer = b.peer
		if r := again.ask("POST "+link, ""); r.status != 404 || again.jar["__Host-portreeve"] != "" {
			t.Errorf("twice: %d", r.status)
		}
		link = make()
		k.advance(linkLife)
		if r := again.ask("POST "+link, ""); r.status != 404 {
			t.Errorf("too late: %d", r.status)
		}
		prod := New(Deps{DB: k.db, Env: "prod"})
		if _, err := prod.DevLink(t.Context(), LinkFor{Tenant: "acme", User: "dev@example.com", Site: "app"}); err == nil {
			t.Error("a link in prod")
		}
		for _, r := range prod.Routes(k.site) {
			if strings.HasPrefix(r.Path, linkPath) {
				t.Error("links stand in prod")
			}
		}
	})
}
