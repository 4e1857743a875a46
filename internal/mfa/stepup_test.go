package mfa

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

func TestAStepUpIsOneCallersOnOneSite(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna := r.anna()
		secret, _ := r.enrolled(t, anna)
		token := r.token(t, anna, secret)
		r.poll(t)
		up, jobs, f := stepUp(r.Service, anna, token)
		if f != nil || up == nil || up.Factor != policy.FactorTOTP || jobs != 1 || up.At.IsZero() {
			t.Fatalf("%+v %d %v", up, jobs, f)
		}
		if _, jobs, _ := stepUp(r.Service, anna, token); jobs != 0 {
			t.Error("it is read again")
		}
		otherSite, otherTenant, noTenant := anna, anna, anna
		otherSite.host, otherTenant.tenant, noTenant.tenant = "admin.example.com", "b", ""
		session := anna.session("s1")
		for name, c := range map[string]caller{
			"site": otherSite, "tenant": otherTenant, "none": noTenant, "person": r.person("bob"),
			"issuer":   anna.with(func(p *principal.Principal) { p.Issuer = "https://other.example" }),
			"provider": anna.with(func(p *principal.Principal) { p.Provider = "other" }),
			"token":    anna.with(func(p *principal.Principal) { p.Raw = json.RawMessage(`{"sub":"anna","jti":"2"}`) }),
			"session":  session,
			"key":      anna.with(func(p *principal.Principal) { p.Kind, p.ProviderKind = principal.Service, "apiKey" }),
		} {
			if r.counts(t, c, token) {
				t.Errorf("it counts with another %s", name)
			}
		}
		for i := range token {
			cut := []byte(token)
			cut[i] ^= 1
			if r.counts(t, anna, string(cut)) || r.counts(t, anna, token[:i]) {
				t.Fatalf("changed at %d it counts", i)
			}
		}
		ofSession := r.token(t, session, secret)
		for name, c := range map[string]caller{"the token": anna, "another session": anna.session("s2")} {
			if r.counts(t, c, ofSession) {
				t.Errorf("a session's counts with %s", name)
			}
		}
		if !r.counts(t, session, ofSession) {
			t.Error("a session's does not count")
		}
		// A credential that is verified anew is the same one.
		if again := anna.with(func(*principal.Principal) {}); !r.counts(t, again, token) {
			t.Error("it is bound to a pointer")
		}
		r.clock.add(10*time.Minute - 2*period)
		if r.counts(t, anna, token) {
			t.Error("it outlives stepUpFor")
		}
	})
}

func TestAStepUpEnds(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna := r.anna().session("s1")
		secret, _ := r.enrolled(t, anna)
		u, err := r.people.AddUser(t.Context(), tenant.Host(), "a", tenant.NewUser{Email: "anna@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		bind := func() {
			if err := r.db.Tx(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(`UPDATE users SET provider = 'entra', issuer = 'https://issuer.example', subject = 'anna', bound_at = 1 WHERE tenant_id = 'a' AND id = $1`, u.ID)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		bind()
		anna.user = u.ID
		for name, end := range map[string]func() error{
			"log-out": func() error {
				return r.db.Tx(t.Context(), func(tx *store.Tx) error { return r.EndSession(tx, "a", "s1") })
			},
			"disabled": func() error {
				_, err := r.people.SetUserDisabled(t.Context(), tenant.Host(), "a", u.ID, true)
				return err
			},
			"unbound": func() error { _, err := r.people.Relink(t.Context(), tenant.Host(), "a", u.ID); return err },
		} {
			token := r.token(t, anna, secret)
			if !r.counts(t, anna, token) {
				t.Fatalf("%s: it does not count at first", name)
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			if r.counts(t, anna, token) {
				t.Errorf("%s: it still counts", name)
			}
			if _, err := r.people.SetUserDisabled(t.Context(), tenant.Host(), "a", u.ID, false); err != nil {
				t.Fatal(err)
			}
			bind()
		}
		token := r.token(t, anna, secret)
		if err := r.Reset(t.Context(), tenant.Host(), "a", u.ID); err != nil {
			t.Fatal(err)
		}
		if r.counts(t, anna, token) {
			t.Error("it outlives a reset")
		}
		call(t, r.Service, anna, "GET", "/mfa", "").is(t, 200, `{"enabled":false,"factors":[],"passkeys":[]}`)
	})
}

func TestAStepUpDoesNotOutliveItsCredential(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna := r.anna().with(func(p *principal.Principal) { p.Expires = r.clock.now().Add(90 * time.Second) })
	secret, _ := r.enrolled(t, anna)
	a := call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, "")
	if a.json(t)["expiresIn"] != 60.0 {
		t.Errorf("%s", a.body)
	}
	r.clock.add(time.Minute)
	if r.counts(t, anna, a.text(t, "stepUpToken")) {
		t.Error("it does")
	}
	if b := call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`); b.status != 401 {
		t.Errorf("%d %s", b.status, b.body)
	}
}

func TestASessionGetsACookie(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna := r.anna().session("s1")
	secret, _ := r.enrolled(t, anna)
	a := call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, "")
	want := "__Host-portreeve-mfa=" + a.text(t, "stepUpToken") + "; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"
	if got := a.header.Get("Set-Cookie"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	// The cookie serves for a change, a session's alone.
	cookie := "__Host-portreeve-mfa=" + a.text(t, "stepUpToken")
	call(t, r.Service, anna.with(func(p *principal.Principal) { p.ProviderKind = "access" }), "POST", "/mfa/backup-codes", "", "Cookie", cookie).is(t, 403, `{"error":"Forbidden","message":"Second factor required"}`)
	call(t, r.Service, anna, "POST", "/mfa/backup-codes", "", "Cookie", cookie).is(t, 200, "")
}

// The answer to a factor carries the session's new cookie: the one before ends soon.
func TestASteppedUpSessionGetsItsNewCookie(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	r.d.SteppedUp = func(_ *store.Tx, p Person) (string, error) { return "next-of-" + p.Who.SessionID, nil }
	anna := r.anna().session("s1")
	secret, _ := r.enrolled(t, anna)
	const want = "__Host-portreeve=next-of-s1; Path=/; Secure; HttpOnly; SameSite=Lax"
	a := call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, "")
	if !slices.Contains(a.header.Values("Set-Cookie"), want) {
		t.Errorf("%v", a.header.Values("Set-Cookie"))
	}
	r.clock.add(period)
	a = call(t, r.Service, anna, "POST", "/.portreeve/mfa", "code="+r.code(t, secret)+"&return=%2Fx").is(t, 303, "")
	if !slices.Contains(a.header.Values("Set-Cookie"), want) || len(a.header.Values("Set-Cookie")) != 2 {
		t.Errorf("%v", a.header.Values("Set-Cookie"))
	}
	r.clock.add(period)
	bearer := r.anna()
	if a := call(t, r.Service, bearer, "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, ""); a.header.Has("Set-Cookie") {
		t.Errorf("a token: %v", a.header.Values("Set-Cookie"))
	}
}

func TestAChangeNeedsACodeOrAFreshStepUp(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna := r.anna()
	secret, _ := r.enrolled(t, anna)
	const needed = `{"error":"Forbidden","message":"Second factor required"}`
	token := r.token(t, anna, secret)
	bobs, _ := r.enrolled(t, r.person("bob"))
	foreign := r.token(t, r.person("bob"), bobs)
	for _, path := range []string{"/mfa/backup-codes", "/mfa/passkeys/register/begin"} {
		call(t, r.Service, anna, "POST", path, "").is(t, 403, needed)
		call(t, r.Service, anna, "POST", path, "", Header, foreign).is(t, 403, needed)
		call(t, r.Service, anna, "POST", path, "", Header, token, Header, token).is(t, 403, needed)
		call(t, r.Service, anna, "POST", path, "", Header, token).is(t, 200, "")
	}
	call(t, r.Service, anna, "POST", "/mfa/disable", "", Header, foreign).is(t, 403, needed)
	r.clock.add(11 * time.Minute)
	call(t, r.Service, anna, "POST", "/mfa/disable", "", Header, token).is(t, 403, needed)
	call(t, r.Service, anna, "POST", "/mfa/disable", "", Header, r.token(t, anna, secret)).is(t, 200, `{"enabled":false}`)
}

func TestWithoutChangesOrKeysItRefuses(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna := r.anna()
	secret, _ := r.enrolled(t, anna)
	token := r.token(t, anna, secret)
	stale := *r.Service
	stale.d.Feed = nil
	if _, _, f := stepUp(&stale, anna, token); f == nil || f.Code != "store_unavailable" {
		t.Errorf("%v", f)
	}
	keyless := *r.Service
	keyless.d.Keys = nil
	a := call(t, &keyless, anna, "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`)
	if a.status != 503 || !strings.Contains(a.body, "Second factors are not available right now") {
		t.Errorf("%d %s", a.status, a.body)
	}
	// Another person's sealed secret opens nowhere else.
	r.enrolled(t, r.person("bob"))
	if err := r.db.Tx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE mfa_totp SET secret = (SELECT secret FROM mfa_totp WHERE tenant_id = 'a' AND person <> $1) WHERE tenant_id = 'a'`, mustID(t, r.person("bob")))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if a := call(t, r.Service, r.person("bob"), "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`); a.status != 503 {
		t.Errorf("a secret that was moved: %d %s", a.status, a.body)
	}
}

func mustID(t *testing.T, c caller) string {
	t.Helper()
	id, ok := idOf(c.who)
	if !ok {
		t.Fatal("nobody")
	}
	return id
}

func TestSweeping(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna := r.anna()
		secret, _ := r.enrolled(t, anna)
		r.token(t, anna, secret)
		r.clock.add(time.Hour)
		last := r.token(t, anna, secret)
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !r.counts(t, anna, last) {
			t.Error("a step-up that counts was swept")
		}
	})
}
