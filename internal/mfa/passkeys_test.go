package mfa

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store/storetest"
)

const (
	here   = "https://app.example.com"
	badKey = `{"error":"Bad Request","message":"The passkey was not accepted; begin again"}`
)

// named adds a member to a credential.
func named(credential, name string) string {
	return strings.Replace(credential, "{", fmt.Sprintf(`{"name":%q,`, name), 1)
}

func (r *room) register(t *testing.T, c caller, a *authenticator, name string, headers ...string) answer {
	t.Helper()
	asked := call(t, r.Service, c, "POST", "/mfa/passkeys/register/begin", "", headers...).is(t, 200, "")
	return call(t, r.second, c, "POST", "/mfa/passkeys/register/finish", named(a.create(t, optionsOf(t, asked.body)), name))
}

func (r *room) show(t *testing.T, c caller, a *authenticator) answer {
	t.Helper()
	asked := call(t, r.Service, c, "POST", "/mfa/passkeys/login/begin", "").is(t, 200, "")
	return call(t, r.second, c, "POST", "/mfa/passkeys/login/finish", a.get(t, optionsOf(t, asked.body)))
}

func TestAPasskeyIsRegisteredAndShown(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna := r.anna()
		key := newAuthenticator(t, here)
		asked := optionsOf(t, call(t, r.Service, anna, "POST", "/mfa/passkeys/register/begin", "").is(t, 200, "").body).PublicKey
		if asked.RP.ID != "app.example.com" || asked.RP.Name != "Example" || asked.User.Name != "anna@example.com" || asked.Timeout != 300000 || strings.Contains(string(unb64(t, asked.User.ID)), "anna") {
			t.Errorf("%+v", asked)
		}
		made := r.register(t, anna, key, "Anna's key").is(t, 201, "")
		id := made.text(t, "id")
		want := fmt.Sprintf(`{"id":"%s","name":"Anna's key","createdAt":"2026-11-21T12:00:05Z","lastUsedAt":null}`, id)
		if strings.TrimSpace(made.body) != want {
			t.Errorf("%s", made.body)
		}
		call(t, r.Service, anna, "GET", "/mfa", "").is(t, 200, `{"enabled":true,"factors":["passkey"],"passkeys":[`+want+`]}`)

		up := r.show(t, anna, key).is(t, 200, "")
		token := up.text(t, "stepUpToken")
		if up.json(t)["verified"] != true || !r.counts(t, anna, token) {
			t.Errorf("%s", up.body)
		}
		if got, _, _ := stepUp(r.Service, anna, token); got.Factor != "passkey" {
			t.Errorf("%+v", got)
		}
		if st := call(t, r.Service, anna, "GET", "/mfa", "").body; !strings.Contains(st, `"lastUsedAt":"2026-11-21T12:00:05Z"`) {
			t.Errorf("%s", st)
		}

		// The second needs the first; it is not asked of an authenticator that has one.
		second := newAuthenticator(t, here)
		call(t, r.Service, anna, "POST", "/mfa/passkeys/register/begin", "").is(t, 403, `{"error":"Forbidden","message":"Second factor required"}`)
		more := optionsOf(t, call(t, r.Service, anna, "POST", "/mfa/passkeys/register/begin", "", Header, token).is(t, 200, "").body)
		if len(more.PublicKey.Exclude) != 1 || more.PublicKey.Exclude[0].ID != b64(key.id) {
			t.Errorf("%+v", more)
		}
		r.register(t, anna, second, "", Header, token).is(t, 201, "")
		other := call(t, r.Service, anna, "POST", "/mfa/passkeys/register/begin", "", Header, token).is(t, 200, "")
		call(t, r.Service, anna, "POST", "/mfa/passkeys/register/finish", second.create(t, optionsOf(t, other.body))).is(t, 409, "")

		// An app beside the passkeys; its pending code gives nothing yet.
		call(t, r.Service, anna, "POST", "/mfa/setup", "").is(t, 403, "")
		secret := call(t, r.Service, anna, "POST", "/mfa/setup", "", Header, token).is(t, 200, "").text(t, "secret")
		call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, `{"verified":true}`)
		call(t, r.Service, anna, "POST", "/mfa/enable", "").is(t, 200, "")
		if st := call(t, r.Service, anna, "GET", "/mfa", "").body; !strings.Contains(st, `"factors":["totp","passkey"]`) {
			t.Errorf("%s", st)
		}

		call(t, r.Service, anna, "DELETE", "/mfa/passkeys/"+id, "").is(t, 403, "")
		call(t, r.Service, anna, "DELETE", "/mfa/passkeys/pk_none", "", Header, token).is(t, 404, "")
		call(t, r.Service, r.person("bob"), "DELETE", "/mfa/passkeys/"+id, "").is(t, 404, "")
		call(t, r.Service, anna, "DELETE", "/mfa/passkeys/"+id, "", Header, token).is(t, 204, "")
		if r.counts(t, anna, token) {
			t.Error("a step-up outlives the passkey that gave it")
		}
		asks := optionsOf(t, call(t, r.Service, anna, "POST", "/mfa/passkeys/login/begin", "").is(t, 200, "").body)
		if len(asks.PublicKey.Allow) != 1 || asks.PublicKey.Allow[0].ID != b64(second.id) {
			t.Errorf("%+v", asks)
		}
		r.show(t, anna, key).is(t, 400, `{"error":"Bad Request","message":"Invalid code"}`)
		r.show(t, anna, second).is(t, 200, "")
	})
}

func TestWithTheLastPasskeyEverythingGoes(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna, key := r.anna(), newAuthenticator(t, here)
	id := r.register(t, anna, key, "").is(t, 201, "").text(t, "id")
	token := r.show(t, anna, key).text(t, "stepUpToken")
	call(t, r.Service, anna, "POST", "/mfa/backup-codes", "", Header, token).is(t, 200, "")
	call(t, r.Service, anna, "DELETE", "/mfa/passkeys/"+id, "", Header, token).is(t, 204, "")
	call(t, r.Service, anna, "GET", "/mfa", "").is(t, 200, `{"enabled":false,"factors":[],"passkeys":[]}`)
	call(t, r.Service, anna, "GET", "/mfa/backup-codes", "").is(t, 200, `{"remaining":0}`)
}

func TestAPasskeyAnswersOneQuestionOnce(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna, key := r.anna(), newAuthenticator(t, here)
		r.register(t, anna, key, "").is(t, 201, "")
		reply := key.get(t, optionsOf(t, call(t, r.Service, anna, "POST", "/mfa/passkeys/login/begin", "").body))
		var accepted atomic.Int32
		storetest.Callers(t, 16, func(i int) error {
			a, err := tryCall(t.Context(), []*Service{r.Service, r.second}[i%2], anna, "POST", "/mfa/passkeys/login/finish", reply)
			if err == nil && a.status == 200 {
				accepted.Add(1)
			} else if err == nil && a.status != 400 && a.status != 429 {
				err = fmt.Errorf("%d %s", a.status, a.body)
			}
			return err
		})
		if accepted.Load() != 1 {
			t.Errorf("accepted %d times", accepted.Load())
		}
	})
}

func TestPasskeysThatAreRefused(t *testing.T) {
	t.Parallel()
	const invalid = `{"error":"Bad Request","message":"Invalid code"}`
	for name, answer := range map[string]func(t *testing.T, r *room, anna caller, key *authenticator) (caller, string){
		"another page": func(t *testing.T, r *room, anna caller, key *authenticator) (caller, string) {
			o := r.ask(t, anna)
			key.origin = "https://evil.example"
			return anna, key.get(t, o)
		},
		"another host": func(t *testing.T, r *room, anna caller, key *authenticator) (caller, string) {
			o := r.ask(t, anna)
			key.rp = "evil.example"
			return anna, key.get(t, o)
		},
		"late": func(t *testing.T, r *room, anna caller, key *authenticator) (caller, string) {
			o := r.ask(t, anna)
			r.clock.add(5 * time.Minute)
			return anna, key.get(t, o)
		},
		"another key": func(t *testing.T, r *room, anna caller, key *authenticator) (caller, string) {
			o, other := r.ask(t, anna), newAuthenticator(t, here)
			other.id, other.rp, other.handle = key.id, key.rp, key.handle
			return anna, other.get(t, o)
		},
		"another's handle": func(t *testing.T, r *room, anna caller, key *authenticator) (caller, string) {
			o := r.ask(t, anna)
			key.handle = []byte("somebody")
			return anna, key.get(t, o)
		},
		"a counter that went back": func(t *testing.T, r *room, anna caller, key *authenticator) (caller, string) {
			key.counter = 10
			if a := r.show(t, anna, key); a.status != 200 {
				t.Fatal(a.body)
			}
			o := r.ask(t, anna)
			key.counter = 4
			return anna, key.get(t, o)
		},
		"nobody's question": func(t *testing.T, _ *room, anna caller, key *authenticator) (caller, string) {
			return anna, key.get(t, options{})
		},
		"another session": func(t *testing.T, r *room, anna caller, key *authenticator) (caller, string) {
			return anna.session("s2"), key.get(t, r.ask(t, anna))
		},
		"another person": func(t *testing.T, r *room, anna caller, key *authenticator) (caller, string) {
			bob, bobs := r.person("bob"), newAuthenticator(t, here)
			if a := r.register(t, bob, bobs, ""); a.status != 201 {
				t.Fatal(a.body)
			}
			return bob, key.get(t, r.ask(t, bob))
		},
		"no presence": func(t *testing.T, r *room, anna caller, key *authenticator) (caller, string) {
			return anna, strings.Replace(key.get(t, r.ask(t, anna)), `"authenticatorData":"`, `"authenticatorData":"AAAA`, 1)
		},
		"not an answer": func(_ *testing.T, _ *room, anna caller, _ *authenticator) (caller, string) { return anna, `{"id":"x"}` },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, storetest.SQLite(t))
			anna, key := r.anna(), newAuthenticator(t, here)
			r.register(t, anna, key, "").is(t, 201, "")
			who, body := answer(t, r, anna, key)
			call(t, r.Service, who, "POST", "/mfa/passkeys/login/finish", body).is(t, 400, invalid)
			// It counts like a wrong code.
			for range 4 {
				call(t, r.Service, who, "POST", "/mfa/passkeys/login/finish", `{}`).is(t, 400, invalid)
			}
			call(t, r.Service, who, "POST", "/mfa/passkeys/login/begin", "").is(t, 429, "")
		})
	}
}

func (r *room) ask(t *testing.T, c caller) options {
	t.Helper()
	return optionsOf(t, call(t, r.Service, c, "POST", "/mfa/passkeys/login/begin", "").is(t, 200, "").body)
}

func TestRegistrationsThatAreRefused(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna := r.anna()
	begin := func(c caller) options {
		return optionsOf(t, call(t, r.Service, c, "POST", "/mfa/passkeys/register/begin", "").is(t, 200, "").body)
	}
	finish := func(c caller, body string) answer {
		return call(t, r.Service, c, "POST", "/mfa/passkeys/register/finish", body)
	}
	elsewhere := newAuthenticator(t, "https://evil.example")
	reply := elsewhere.create(t, begin(anna))
	finish(anna, reply).is(t, 400, badKey)
	finish(anna, strings.ReplaceAll(reply, "evil", "app")).is(t, 400, badKey) // its challenge is spent
	finish(r.person("bob"), newAuthenticator(t, here).create(t, begin(anna))).is(t, 400, badKey)
	finish(anna, newAuthenticator(t, here).create(t, options{})).is(t, 400, badKey)
	finish(anna, `{}`).is(t, 400, badKey)
	late := newAuthenticator(t, here).create(t, begin(anna))
	r.clock.add(5 * time.Minute)
	finish(anna, late).is(t, 400, badKey)
	anna = r.anna()
	o := begin(anna)
	a := finish(anna, named(newAuthenticator(t, here).create(t, o), strings.Repeat("x", 65)))
	if a.status != 400 || !strings.Contains(a.body, `"field":"name"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	call(t, r.Service, anna, "GET", "/mfa", "").is(t, 200, `{"enabled":false,"factors":[],"passkeys":[]}`)
	// A login's question is no registration's.
	key := newAuthenticator(t, here)
	r.register(t, anna, key, "").is(t, 201, "")
	asks := r.ask(t, anna)
	asks.PublicKey.RP.ID, asks.PublicKey.User.ID = "app.example.com", b64(key.handle)
	finish(anna, newAuthenticator(t, here).create(t, asks)).is(t, 400, badKey)
	// What a thief began before the first factor was on ends with it.
	bob := r.person("bob")
	began := newAuthenticator(t, here).create(t, begin(bob))
	r.enrolled(t, bob)
	finish(bob, began).is(t, 400, badKey)
	// Where there is no host name there are no passkeys.
	numbers := anna
	numbers.host = "127.0.0.1"
	call(t, r.Service, numbers, "POST", "/mfa/passkeys/login/begin", "").is(t, 400, `{"error":"Bad Request","message":"Passkeys need a site with a host name"}`)
	elsewhereToo := anna
	elsewhereToo.host = "admin.example.com"
	call(t, r.Service, elsewhereToo, "POST", "/mfa/passkeys/login/begin", "").is(t, 400, "")
}

func TestACredentialMayComeAsAMember(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	key := newAuthenticator(t, "https://localhost:8443")
	anna := r.anna()
	anna.host = "localhost"
	o := optionsOf(t, call(t, r.Service, anna, "POST", "/mfa/passkeys/register/begin", "", "X-Nothing", "").is(t, 200, "").body)
	body, _ := json.Marshal(map[string]any{"name": " Key ", "credential": json.RawMessage(key.create(t, o))})
	key.origin = "https://localhost"
	a := call(t, r.Service, anna, "POST", "/mfa/passkeys/register/finish", string(body))
	if a.status != 400 { // another port is another origin
		t.Errorf("%d %s", a.status, a.body)
	}
	o = optionsOf(t, call(t, r.Service, anna, "POST", "/mfa/passkeys/register/begin", "").is(t, 200, "").body)
	body, _ = json.Marshal(map[string]any{"name": " Key ", "credential": json.RawMessage(key.create(t, o))})
	if a := call(t, r.Service, anna, "POST", "/mfa/passkeys/register/finish", string(body)); a.status != 201 || a.text(t, "name") != "Key" {
		t.Errorf("%d %s", a.status, a.body)
	}
}
