package session

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// Whoever needs a sign-in of the last minutes has the provider ask once more.
func TestSigningInAgain(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		b := k.browser()
		for query, want := range map[string]string{"?return=/private": "", "?return=/private&again=true": "login/0", "?again=yes": "", "?again=true&again=true": ""} {
			r := b.ask("GET /.portreeve/login"+query, "")
			r = b.ask("GET "+r.header("Location"), "")
			to, err := url.Parse(r.header("Location"))
			if err != nil || r.status != 303 {
				t.Fatalf("%s: %d %v", query, r.status, err)
			}
			got := to.Query().Get("prompt") + "/" + to.Query().Get("max_age")
			if again := want == "login/0"; again != (got == "login/0") || !again && got != "/" {
				t.Errorf("%s: %s", query, got)
			}
		}
	})
}

// What the provider makes of being asked once more is held against what it says of
// when it asked: one that let somebody through by an earlier sign-in is refused, and
// one that never says when is believed.
func TestWhatComesOfSigningInAgain(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		in := func(b *browser, query string) got {
			r := b.ask("GET /.portreeve/login/corp?return=/private"+query, "")
			return b.callback(k.rogue.authorize(t, r.header("Location")))
		}
		said := func(at func() any) {
			k.rogue.set(func() {
				k.rogue.lie = func(claims map[string]any) {
					if claims["auth_time"] = at(); claims["auth_time"] == nil {
						delete(claims, "auth_time")
					}
				}
			})
		}
		hour := func() any { return k.now().Add(-time.Hour).Unix() }
		never := func() any { return nil }
		for name, tt := range map[string]struct {
			said          func() any
			query         string
			status        int
			anew, hasTime bool
		}{
			"let through silently, which is said":     {hour, "", 303, false, true},
			"let through silently, which is not said": {never, "", 303, false, false},
			"asked, and says so":                      {func() any { return k.now().Unix() }, "&again=true", 303, true, true},
			"asked, a clock behind ours":              {func() any { return k.now().Add(-30 * time.Second).Unix() }, "&again=true", 303, true, true},
			"asked, and says nothing":                 {never, "&again=true", 303, true, false},
			"was to ask, and did not":                 {hour, "&again=true", 403, false, false},
		} {
			b := k.browser()
			said(tt.said)
			r := in(b, tt.query)
			if r.status != tt.status {
				t.Errorf("%s: %d %s", name, r.status, r.body)
				continue
			}
			if tt.status != 303 {
				if !strings.Contains(r.body, "You were not asked to sign in") || !strings.Contains(r.body, "return=%2Fprivate&amp;again=true") || b.jar["__Host-portreeve"] != "" {
					t.Errorf("%s: %s", name, r.body)
				}
				continue
			}
			who, err := k.s.Verify(t.Context(), b.jar["__Host-portreeve"], "app")
			if err != nil || who.Anew != tt.anew || who.AuthTime.IsZero() == tt.hasTime {
				t.Errorf("%s: anew %v, auth_time %v, %v", name, who.Anew, who.AuthTime, err)
			}
		}
		// Whoever is signed in stays so when signing in again comes to nothing.
		said(never)
		b := k.browser()
		b.signIn()
		said(hour)
		if r := in(b, "&again=true"); r.status != 403 || !b.in() {
			t.Errorf("%d, in %v", r.status, b.in())
		}
	})
}

func TestSigningIn(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		b := k.browser()
		r := b.ask("GET /private?x=1", "", "Accept: text/html", "Sec-Fetch-Mode: navigate")
		if r.status != 302 || r.header("Location") != "/.portreeve/login/corp?return=%2Fprivate%3Fx%3D1" {
			t.Fatalf("a navigation: %d %s", r.status, r.header("Location"))
		}
		q := b.begin("/private?x=1")
		pre := b.jar[cookiePre]
		r = b.callback(q)
		if r.status != 303 || r.header("Location") != "/private?x=1" || r.header("Cache-Control") != "no-store" {
			t.Fatalf("%d %s %s", r.status, r.header("Location"), r.body)
		}
		set := b.sets["__Host-portreeve"]
		for _, want := range []string{"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"} {
			if !strings.Contains(set, want) || strings.Contains(set, "Domain") {
				t.Errorf("%s: %s", want, strings.SplitN(set, ";", 2)[1])
			}
		}
		if b.jar["__Host-portreeve"] == pre || b.jar["__Host-portreeve"] == "" || b.jar[cookiePre] != "" {
			t.Error("the pre-session became the session, or stayed")
		}
		if w := b.who(); w["authenticated"] != true || w["subject"] != "alice" || w["email"] != "alice@example.com" || w["emailVerified"] != true || w["provider"] != "corp" {
			t.Errorf("%v", w)
		}
		if !b.in() || k.events("session.started") != 1 || !k.rogue.basic {
			t.Errorf("not in; %d events; basic %v", k.events("session.started"), k.rogue.basic)
		}
		for _, secret := range []string{"alice", q.Get("code"), b.jar["__Host-portreeve"], "/private"} {
			for _, column := range []string{"id || user_id || owner || sid || CAST(facts AS TEXT)"} {
				if k.db.Engine() == "sqlite" && k.count(`SELECT COUNT(*) FROM sessions WHERE instr(`+column+`, $1) > 0`, secret) != 0 {
					t.Errorf("%q is stored in the clear", secret)
				}
			}
		}
	})
}

// Nothing but the one answer to the one sign-in of the one browser gets a session,
// and that once.
func TestForgedReplayedCrossedAndExpired(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		with := func(q url.Values, name, value string) url.Values {
			out := url.Values{}
			for n, v := range q {
				out[n] = v
			}
			if out.Set(name, value); value == "" {
				out.Del(name)
			}
			return out
		}
		refused := func(what string, b *browser, r got, status int) {
			t.Helper()
			if r.status != status || b.jar["__Host-portreeve"] != "" {
				t.Errorf("%s: %d, want %d; %v", what, r.status, status, r.fault)
			}
			if !strings.Contains(r.body, "<html") || status != 503 && !strings.Contains(r.body, "decision-1") {
				t.Errorf("%s: no page: %s", what, r.body)
			}
		}
		for name, change := range map[string]func(b *browser, q url.Values) url.Values{
			"a forged state":           func(_ *browser, q url.Values) url.Values { return with(q, "state", random()) },
			"no state":                 func(_ *browser, q url.Values) url.Values { return with(q, "state", "") },
			"two states":               func(_ *browser, q url.Values) url.Values { q.Add("state", q.Get("state")); return q },
			"no cookie":                func(b *browser, q url.Values) url.Values { delete(b.jar, cookiePre); return q },
			"a forged cookie":          func(b *browser, q url.Values) url.Values { b.jar[cookiePre] = random(); return q },
			"another issuer":           func(_ *browser, q url.Values) url.Values { return with(q, "iss", "https://evil.example") },
			"no issuer":                func(_ *browser, q url.Values) url.Values { return with(q, "iss", "") },
			"a forged code":            func(_ *browser, q url.Values) url.Values { return with(q, "code", random()) },
			"no code":                  func(_ *browser, q url.Values) url.Values { return with(q, "code", "") },
			"an endless code":          func(_ *browser, q url.Values) url.Values { return with(q, "code", strings.Repeat("a", maxCode+1)) },
			"too late":                 func(_ *browser, q url.Values) url.Values { k.advance(preSession); return q },
			"an error of the provider": func(_ *browser, q url.Values) url.Values { return with(with(q, "code", ""), "error", "invalid_scope") },
		} {
			b := k.browser()
			refused(name, b, b.callback(change(b, b.begin("/"))), 400)
		}
		b := k.browser()
		refused("denied", b, b.callback(with(with(b.begin("/"), "code", ""), "error", "access_denied")), 403)
		refused("the provider is busy", b, b.callback(with(with(b.begin("/"), "code", ""), "error", "temporarily_unavailable")), 503)

		// The answers of two browsers, crossed: login CSRF.
		alice, eve := k.browser(), k.browser()
		qa, qe := alice.begin("/"), eve.begin("/")
		refused("another's answer", alice, alice.callback(qe), 400)
		refused("another's code", alice, alice.callback(with(qa, "code", qe.Get("code"))), 400)

		// Replays, and several tabs of one browser.
		one := k.browser()
		q1, q2 := one.begin("/one"), one.begin("/two")
		if r := one.callback(q2); r.header("Location") != "/two" {
			t.Errorf("the second tab: %d %s", r.status, r.header("Location"))
		}
		if r := one.callback(q1); r.header("Location") != "/one" {
			t.Errorf("the first tab: %d %s", r.status, r.header("Location"))
		}
		again := k.browser()
		again.jar[cookiePre] = one.jar[cookiePre]
		refused("replayed", again, again.callback(q1), 400)
		if n := k.count(`SELECT COUNT(*) FROM sessions`); n != 1 {
			t.Errorf("%d sessions: a browser has one at a time", n)
		}

		// A provider that is away.
		late := k.browser()
		q := late.begin("/")
		k.rogue.set(func() { k.rogue.down = true })
		refused("the provider is down", late, late.callback(q), 503)
		k.rogue.set(func() { k.rogue.down = false })
	})
}

func TestOneStateIsSpentOnce(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		b := k.browser()
		q := b.begin("/")
		won := make(chan bool, 16)
		storetest.Callers(t, 16, func(int) error {
			_, _, err := k.s.spend(t.Context(), &k.site, "corp", q.Get("state"), b.jar[cookiePre])
			won <- err == nil
			return nil
		})
		n := 0
		for range 16 {
			if <-won {
				n++
			}
		}
		if n != 1 {
			t.Errorf("spent %d times", n)
		}
	})
}

func TestALyingProviderIsRefused(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t), Config{})
	hs, err := jws.NewSigner("HS256", "k1", secret.New(strings.Repeat("s3cret", 6)))
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, v any) func(map[string]any) {
		return func(c map[string]any) {
			if c[name] = v; v == nil {
				delete(c, name)
			}
		}
	}
	none := func(honest string) string {
		parts := strings.Split(honest, ".")
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	}
	hmac := func(honest string) string {
		tok, _ := jws.Parse(honest)
		c, _ := jws.DecodeClaims(tok.Payload)
		s, _ := hs.Sign("JWT", c)
		return s
	}
	typed := func(honest string) string {
		tok, _ := jws.Parse(honest)
		c, _ := jws.DecodeClaims(tok.Payload)
		s, _ := k.rogue.signer.Sign("at+jwt", c)
		return s
	}
	for name, l := range map[string]struct {
		lie   func(map[string]any)
		forge func(string) string
	}{
		"another audience":             {lie: set("aud", "somebody")},
		"a second audience":            {lie: set("aud", []string{"portreeve", "somebody"})},
		"a second audience, with azp":  {lie: func(c map[string]any) { c["aud"], c["azp"] = []string{"portreeve", "somebody"}, "portreeve" }},
		"two audiences without azp":    {lie: set("aud", []string{"portreeve", "portreeve-api"})},
		"another azp":                  {lie: set("azp", "somebody")},
		"another issuer":               {lie: set("iss", "https://evil.example")},
		"another nonce":                {lie: set("nonce", random())},
		"no nonce":                     {lie: set("nonce", nil)},
		"a nonce that is a list":       {lie: set("nonce", []string{"a"})},
		"no subject":                   {lie: set("sub", nil)},
		"expired":                      {lie: set("exp", k.now().Add(-2*time.Minute).Unix())},
		"no expiry":                    {lie: set("exp", nil)},
		"issued tomorrow":              {lie: set("iat", k.now().Add(24*time.Hour).Unix())},
		"no iat":                       {lie: set("iat", nil)},
		"another access token's hash":  {lie: set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		"a sid that is a number":       {lie: set("sid", 7)},
		"alg none":                     {forge: none},
		"HS256 with the client secret": {forge: hmac},
		"an access token":              {forge: typed},
		"a cut signature":              {forge: func(s string) string { return s[:len(s)-4] }},
		"nothing":                      {forge: func(string) string { return "" }},
	} {
		b := k.browser()
		q := b.begin("/")
		k.rogue.set(func() { k.rogue.lie, k.rogue.forge = l.lie, l.forge })
		if r := b.callback(q); r.status != 401 || b.jar["__Host-portreeve"] != "" || !strings.Contains(r.body, "refused") {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		k.rogue.set(func() { k.rogue.lie, k.rogue.forge = nil, nil })
	}
	b := k.browser()
	b.signIn()
	if n := k.count(`SELECT COUNT(*) FROM sessions`); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

func TestASignInLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"/", "/a", "/a/b?c=d&e=//f", "/a%20b", "/a?next=https://evil.example", "/.portreeve/whoami", "/.portreeve/mfa?return=%2Fa"} {
		if got := safeReturn(good); got != good {
			t.Errorf("%q became %q", good, got)
		}
	}
	for _, bad := range []string{
		"", "a", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "/\n/evil.example", "https://evil.example", "https:evil.example",
		"javascript:alert(1)", "/%2Fevil.example", "/%5Cevil.example", "/a/../b", "/./a", "/..//evil.example", "/a//b", "/a;b", "/a#b", " /a", "/a b", "/é", "/%zz", "/%2e%2e/a", "/a%2f..",
		"/.portreeve/logout", "/.portreeve/login", "/.Portreeve/login/corp", "/.portreeve/callback/corp?code=x", "http:/evil.example", "@evil.example", "/" + strings.Repeat("a", maxReturn),
	} {
		if got := safeReturn(bad); got != "/" {
			t.Errorf("%q leads to %q", bad, got)
		}
	}
}

func FuzzSafeReturn(f *testing.F) {
	for _, s := range []string{"/", "//x", `/\x`, "/a?b", "/%2f", "https://x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		base, _ := url.Parse("https://app.example/.portreeve/callback/corp")
		to, err := base.Parse(safeReturn(raw))
		if err != nil || to.Host != "app.example" || to.Scheme != "https" || to.User != nil {
			t.Fatalf("%q leads to %v, %v", raw, to, err)
		}
	})
}

// Whoever plants a cookie before somebody signs in has nothing of it.
func TestFixation(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t), Config{})
	eve := k.browser()
	eve.signIn()
	planted := eve.jar["__Host-portreeve"]
	k.rogue.set(func() { k.rogue.subject = "bob" })
	bob := k.browser()
	bob.jar["__Host-portreeve"], bob.jar[cookiePre] = planted, random()
	bob.signIn()
	if bob.jar["__Host-portreeve"] == planted || bob.who()["subject"] != "bob" {
		t.Error("the planted cookie lives on")
	}
	if eve.in() {
		t.Error("the session that was in bob's browser goes on elsewhere")
	}
}

func TestStartsAreBounded(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		b := k.browser()
		for range startsOfBrowser + 3 {
			b.begin("/")
		}
		if n := k.count(`SELECT COUNT(*) FROM session_starts`); n != startsOfBrowser {
			t.Errorf("%d of one browser", n)
		}
	})
}
