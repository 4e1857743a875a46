package login

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const (
	appVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	startLine   = "GET /social/google-oauth2?return=https://app.example/done&state=s%26x&code_challenge=" + "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// there is a provider that signs everybody in whose code is good.
type there struct {
	k     *kit
	mu    sync.Mutex
	asked url.Values // of /authorize
	wrong string     // a nonce that is not the one that was sent
}

func newThere(k *kit) *there {
	p := &there{k: k}
	k.answers = p.answer
	return p
}

// authorize is the browser at the provider: where it is led back to.
func (p *there) authorize(t testing.TB, location string) string {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, p.k.provider.URL+"/authorize?") {
		t.Fatal(location, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = u.Query()
	return "GET /social/callback?code=oob-1&state=" + url.QueryEscape(p.asked.Get("state"))
}

func (p *there) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	var sent map[string]string
	if r.URL.Path != "/oauth/token" {
		return
	}
	_ = json.Unmarshal(body, &sent)
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := sha256.Sum256([]byte(sent["code_verifier"]))
	w.Header().Set("Content-Type", "application/json")
	if sent["code"] != "oob-1" || sent["redirect_uri"] != p.asked.Get("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != p.asked.Get("code_challenge") ||
		sent["client_secret"] != "app-secret" {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	nonce := p.asked.Get("nonce")
	if p.wrong != "" {
		nonce = p.wrong
	}
	_, _ = w.Write([]byte(tokens("refresh-1", map[string]any{"sub": "google|1", "email": "ann@example.com", "nonce": nonce})))
}

func redeemed(code, verifier string) string {
	raw, _ := json.Marshal(map[string]string{"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "client_id": "evil"})
	return string(raw)
}

// through goes all the way to our own code.
func (p *there) through(t testing.TB) string {
	t.Helper()
	back := p.k.send(p.authorize(t, p.k.send(startLine, "").header.Get("Location")), "")
	u, err := url.Parse(back.header.Get("Location"))
	if err != nil || back.status != 303 || u.Query().Get("state") != "s&x" || !strings.HasPrefix(u.String(), "https://app.example/done?") {
		t.Fatal(back)
	}
	return u.Query().Get("code")
}

func TestSocialSignIn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		k := newKit(t, setting{db: db})
		p := newThere(k)
		code := p.through(t)
		for name, want := range map[string]string{"response_type": "code", "client_id": "app", "connection": "google-oauth2", "redirect_uri": "https://login.example/social/callback",
			"scope": standardScope, "audience": "https://api.example", "code_challenge_method": "S256"} {
			if p.asked.Get(name) != want {
				t.Errorf("%s: %q", name, p.asked.Get(name))
			}
		}
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			if !plausible(p.asked.Get(name)) || strings.Contains(startLine, p.asked.Get(name)) {
				t.Errorf("%s is not ours: %q", name, p.asked.Get(name))
			}
		}
		k.took()
		got := k.send("POST /oauth/token", redeemed(code, appVerifier), device)
		if got.status != 200 || !strings.Contains(got.body, "refresh-1") {
			t.Fatal(got)
		}
		steps := strings.Join(k.took(), "\n")
		if strings.Contains(steps, "provider") || !strings.Contains(steps, "risk filter $login $attempted") || !strings.Contains(steps, `risk risk $login $succeeded name="" token=["device-1"] email="ann@example.com" user="google|1"`) {
			t.Error(steps)
		}
		if got := k.send("POST /oauth/token", redeemed(code, appVerifier), device); got.status != 400 || !strings.Contains(got.body, "invalid_grant") {
			t.Errorf("a second time: %v", got)
		}
	})
}

func TestASocialCodeIsBoundAndShortLived(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{db: storetest.SQLite(t)})
	p := newThere(k)
	t.Run("another verifier spends it", func(t *testing.T) {
		code := p.through(t)
		for _, verifier := range []string{strings.Repeat("v", 43), appVerifier} {
			if got := k.send("POST /oauth/token", redeemed(code, verifier), device); got.status != 400 || strings.Contains(got.body, "refresh-1") {
				t.Error(got)
			}
		}
	})
	t.Run("a callback counts once", func(t *testing.T) {
		line := p.authorize(t, k.send(startLine, "").header.Get("Location"))
		if got := k.send(line, ""); got.status != 303 {
			t.Error(got)
		}
		if got := k.send(line, ""); got.status != 400 || got.header.Get("Location") != "" {
			t.Error(got)
		}
	})
	t.Run("tokens for another sign-in", func(t *testing.T) {
		p.wrong = random()
		k.took()
		got := k.send(p.authorize(t, k.send(startLine, "").header.Get("Location")), "")
		p.wrong = ""
		if got.status != 400 || got.header.Get("Location") != "" || !strings.Contains(strings.Join(k.took(), "\n"), "/oauth/revoke") {
			t.Error(got)
		}
	})
	t.Run("the provider says no", func(t *testing.T) {
		line := p.authorize(t, k.send(startLine, "").header.Get("Location"))
		k.took()
		got := k.send(strings.Replace(line, "code=oob-1", "error=access_denied&error_description=x", 1), "")
		if got.status != 303 || got.header.Get("Location") != "https://app.example/done?error=access_denied&state=s%26x" {
			t.Error(got)
		}
		if steps := strings.Join(k.took(), "\n"); strings.Contains(steps, "provider") {
			t.Error(steps)
		}
	})
	t.Run("a deny leaves the tokens where they are", func(t *testing.T) {
		code := p.through(t)
		k.risk.action = castle.Deny
		if got := k.send("POST /oauth/token", redeemed(code, appVerifier), device); got.status != 401 {
			t.Error(got)
		}
		k.risk.action = castle.Allow
	})
	t.Run("the issuer of another answer", func(t *testing.T) {
		line := p.authorize(t, k.send(startLine, "").header.Get("Location"))
		if got := k.send(line+"&iss=https://evil.example", ""); got.status != 400 {
			t.Error(got)
		}
	})
}

func TestWhatIsTooOldIsGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		k := newKit(t, setting{db: db})
		ctx := t.Context()
		if err := k.u.keepCode(ctx, "d1", waiting{Challenge: "c", Tokens: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		past := func(table string) {
			if err := db.Tx(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(`UPDATE ` + table + ` SET expires_at = created_at - 1`)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		past("login_codes")
		if _, err := k.u.spendCode(ctx, "d1"); !errors.Is(err, errGone) {
			t.Error(err)
		}
		for _, d := range []string{"a", "b"} {
			if err := errors.Join(k.u.keepCode(ctx, d, waiting{}), k.u.keepStart(ctx, netAddr, d, begun{})); err != nil {
				t.Fatal(err)
			}
		}
		past("login_starts")
		if err := k.u.s.Prune(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := k.u.spendStart(ctx, "a"); !errors.Is(err, errGone) {
			t.Error(err)
		}
		if _, err := k.u.spendCode(ctx, "a"); err != nil {
			t.Errorf("what counts still was removed: %v", err)
		}
	})
}

func TestACodeIsSpentOnceByMany(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		k := newKit(t, setting{db: db})
		if err := k.u.keepCode(t.Context(), "d", waiting{Challenge: "c", Tokens: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
		if err := k.u.keepStart(t.Context(), netAddr, "s", begun{Return: "https://app.example/done"}); err != nil {
			t.Fatal(err)
		}
		var codes, starts atomic.Int64
		storetest.Callers(t, 16, func(int) error {
			_, err := k.u.spendCode(t.Context(), "d")
			if err == nil {
				codes.Add(1)
			} else if !errors.Is(err, errGone) {
				return err
			}
			if _, err = k.u.spendStart(t.Context(), "s"); err == nil {
				starts.Add(1)
			} else if !errors.Is(err, errGone) {
				return err
			}
			return nil
		})
		if codes.Load() != 1 || starts.Load() != 1 {
			t.Errorf("%d codes and %d starts were had", codes.Load(), starts.Load())
		}
	})
}

func TestWhereSocialSignInMayLead(t *testing.T) {
	t.Parallel()
	list := []string{"https://app.example/done", "com.example.app://", "http://127.0.0.1:7/x?y=1"}
	for to, want := range map[string]bool{
		"https://app.example/done": true, "com.example.app://signed-in": true, "com.example.app://a/b?c=d": true, "http://127.0.0.1:7/x?y=1": true,
		"": false, "https://app.example/done/": false, "https://app.example/done?x=1": false, "https://app.example/doneX": false, "https://app.example:443/done": false,
		"https://APP.example/done": false, "https://app.example/done#x": false, "//app.example/done": false, "https://app.example\\@evil.example/done": false,
		"https://app.example/done\r\nX: y": false, "COM.EXAMPLE.APP://x": false, "com.example.app:x": false, "com.example.app://u@x": false, "com.example.app://x#y": false,
		"com.example.apps://x": false, "javascript://x": false, "com.example.app://x y": false, "com.example.app://x\x00": false, "http://127.0.0.1:7/x": false,
		"com.example.app://" + strings.Repeat("x", 3000): false,
	} {
		if got := returnable(list, to); got != want {
			t.Errorf("%q: %v", to, got)
		}
	}
	if got := withQuery("http://127.0.0.1:7/x?y=1", url.Values{"code": {"a&b"}}); got != "http://127.0.0.1:7/x?y=1&code=a%26b" {
		t.Error(got)
	}
}
