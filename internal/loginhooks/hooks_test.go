package loginhooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

func raws(text string) (out map[string]json.RawMessage) {
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		panic(err)
	}
	return out
}

func listOf(body, name string) []any {
	var m map[string]any
	_ = json.Unmarshal([]byte(body), &m)
	list, _ := m[name].([]any)
	return list
}

// says is a script that does one thing after a login, and nothing before one.
func says(out actions.Outcome, err error) func(actions.Trigger, map[string]any) (*actions.Outcome, error) {
	return func(t actions.Trigger, _ map[string]any) (*actions.Outcome, error) {
		if t == actions.PostLogin {
			return &out, err
		}
		return &actions.Outcome{}, nil
	}
}

// Every refusal ends the tokens at the provider.
func TestARefusalRevokes(t *testing.T) {
	t.Parallel()
	big := map[string]json.RawMessage{"x": json.RawMessage(`"` + strings.Repeat("x", 17<<10) + `"`)}
	for _, c := range []struct {
		why    string
		out    actions.Outcome
		err    error
		change func(*Settings)
		id     map[string]any
		plain  bool
		status int
		says   string
	}{
		{why: "a script denies", out: actions.Outcome{Denied: true, Reason: "We are closed"}, status: 403, says: `{"error":"access_denied","error_description":"We are closed"}`},
		{why: "and says nothing", out: actions.Outcome{Denied: true}, status: 403, says: `{"error":"access_denied","error_description":"Access denied"}`},
		{why: "a script fails", err: errors.New("throws"), status: 500},
		{why: "a factor that cannot be asked for", out: actions.Outcome{MFA: "any"}, change: func(c *Settings) { c.MayHold = false }, status: 503},
		{why: "claims where nothing is signed", out: actions.Outcome{AccessToken: raws(`{"plan":"gold"}`)}, status: 503},
		{why: "claims of the ID token too", out: actions.Outcome{IDToken: raws(`{"plan":"gold"}`)}, status: 503},
		{why: "more metadata than is kept", out: actions.Outcome{UserMetadata: big}, status: 503},
		{why: "another issuer's token", id: map[string]any{"iss": "https://elsewhere.example"}, status: 502},
		{why: "a token without an issuer", id: map[string]any{"iss": nil}, status: 502},
		{why: "no ID token", plain: true, status: 502},
		{why: "nobody's ID token", id: map[string]any{"sub": ""}, status: 502},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, storetest.SQLite(t), setting{run: says(c.out, c.err), change: c.change})
			k.id, k.plain = c.id, c.plain
			got := k.login("ann@example.com")
			if got.status != c.status || c.says != "" && got.body != c.says || strings.Contains(got.body, "access-new") {
				t.Error(got)
			}
			if ended := k.ended(); strings.Join(ended, " ") != "refresh-new" {
				t.Errorf("revoked: %v", ended)
			}
		})
	}
}

// Registration scripts run once, at the first sight of somebody; of many first logins
// at once one is the first.
func TestSomebodyIsFirstOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var mu sync.Mutex
		numbers := map[string]int{}
		k := newKit(t, db, setting{pre: []actions.Script{{Name: "pre.js"}}, run: func(tr actions.Trigger, e map[string]any) (*actions.Outcome, error) {
			if tr == actions.PreUserRegistration {
				return &actions.Outcome{AppMetadata: raws(`{"since":1}`)}, nil
			}
			mu.Lock()
			defer mu.Unlock()
			numbers[fmt.Sprint(e["stats"].(map[string]any)["logins_count"])]++
			return &actions.Outcome{}, nil
		}})
		storetest.Callers(t, 16, func(int) error {
			if got := k.login("ann@example.com"); got.status != 200 {
				return errors.New(got.body)
			}
			return nil
		})
		for i := range 16 {
			if numbers[fmt.Sprint(i+1)] != 1 {
				t.Fatalf("numbers of logins: %v", numbers)
			}
		}
		u, p := k.profile("ann@example.com")
		if jsonOf(p.App) != `{"since":1}` || p.Logins != 16 || u.Email != "" || len(u.Roles) != 0 {
			t.Errorf("%+v %+v", u, p)
		}
		k.mu.Lock()
		k.events = nil
		k.mu.Unlock()
		k.login("ann@example.com")
		if len(k.events) != 1 {
			t.Errorf("a registration runs again: %v", k.events)
		}
	})
}

// Metadata is there at the next login; null removes.
func TestMetadataIsReadByLaterEvents(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		sets := []string{`{"a":1,"b":{"c":2}}`, `{"a":null,"d":"x"}`, `{}`}
		n := 0
		k := newKit(t, db, setting{run: func(tr actions.Trigger, _ map[string]any) (*actions.Outcome, error) {
			n++
			return &actions.Outcome{AppMetadata: raws(sets[n-1])}, nil
		}})
		for range sets {
			if got := k.login("ann@example.com"); got.status != 200 {
				t.Fatal(got)
			}
		}
		var saw []string
		for _, e := range k.events {
			saw = append(saw, jsonOf(e["user"].(map[string]any)["app_metadata"]))
		}
		if diff := cmp.Diff([]string{`{}`, `{"a":1,"b":{"c":2}}`, `{"b":{"c":2},"d":"x"}`}, saw); diff != "" {
			t.Error(diff)
		}
		u, _ := k.profile("ann@example.com")
		out, err := k.users.Export(t.Context(), tenant.Host(), "acme", tenant.Profiles{})
		want := `{"logins":[{"userId":"` + u.ID + `","appMetadata":{"b":{"c":2},"d":"x"},"userMetadata":{},"logins":3}]}`
		if err != nil || jsonOf(out.Parts) != want {
			t.Errorf("an export has %s, %v", jsonOf(out.Parts), err)
		}
	})
}

// A registration that is denied makes nobody known.
func TestADeniedRegistrationLeavesNoRow(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLite(t), setting{pre: []actions.Script{{Name: "pre.js"}}, run: func(actions.Trigger, map[string]any) (*actions.Outcome, error) {
		return &actions.Outcome{Denied: true, Reason: "for the log", UserMessage: "By invitation"}, nil
	}})
	if got := k.login("ann@example.com"); got.status != 403 || got.body != `{"error":"access_denied","error_description":"By invitation"}` || strings.Join(k.ended(), " ") != "refresh-new" {
		t.Error(got)
	}
	err := k.db.Read(t.Context(), func(tx *store.Tx) error {
		_, err := tenant.UserByBinding(tx, "acme", tenant.Binding{Provider: "keycloak", Issuer: k.issuer.URL, Subject: "kc|ann@example.com"})
		return err
	})
	if !errors.Is(err, tenant.ErrNoUser) {
		t.Error(err)
	}
}

// Whose row somebody is.
func TestRowsThatWait(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		k := newKit(t, db, setting{run: says(actions.Outcome{}, nil)})
		add := func(n tenant.NewUser) tenant.User {
			u, err := k.users.AddUser(t.Context(), tenant.Host(), "acme", n)
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
		waiting := add(tenant.NewUser{Email: "Ann@Example.com"})
		if got := k.login("ann@example.com"); got.status != 200 {
			t.Fatal(got)
		}
		if u, p := k.profile("ann@example.com"); u.ID != waiting.ID || p.Logins != 1 {
			t.Errorf("a row that waits for a verified address: %+v", u)
		}
		add(tenant.NewUser{Email: "eve@example.com", Bound: tenant.Binding{Provider: "entra", Issuer: "https://entra", Subject: "1"}})
		if got := k.login("eve@example.com"); got.status != 403 || got.text("error") != "access_denied" || len(k.ended()) != 1 {
			t.Errorf("another identity's address: %v", got)
		}
		unverified := add(tenant.NewUser{Email: "kim@example.com"})
		k.id = map[string]any{"email_verified": false}
		if got := k.login("kim@example.com"); got.status != 200 {
			t.Fatal(got)
		}
		if u, _ := k.profile("kim@example.com"); u.ID == unverified.ID {
			t.Error("an address that is not verified found a row")
		}
		k.id, k.hooks.c.Shared = nil, false
		alone := add(tenant.NewUser{Email: "lou@example.com"})
		if got := k.login("lou@example.com"); got.status != 200 {
			t.Fatal(got)
		}
		if u, _ := k.profile("lou@example.com"); u.ID == alone.ID {
			t.Error("a row that waits for a provider of the file was bound by another")
		}
	})
}

// The event of a login, whole.
func TestTheEventOfALogin(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLite(t), setting{run: says(actions.Outcome{}, nil)})
	k.login("ann@example.com")
	raw, _ := json.MarshalIndent(k.events[0], "", "  ")
	want := strings.ReplaceAll(`{
  "authentication": {"methods": [{"name": "pwd", "timestamp": "2026-11-22T09:00:00.000Z"}]},
  "authorization": {"roles": []},
  "client": {"client_id": "app", "metadata": {}, "name": ""},
  "connection": {"id": "keycloak", "metadata": {}, "name": "keycloak", "strategy": "oidc"},
  "request": {
    "body": {"audience": "https://api.example", "client_id": "app", "grant_type": "password", "scope": "openid email profile offline_access", "username": "ann@example.com"},
    "geoip": {}, "hostname": "login.example", "ip": "203.0.113.9", "language": "de-CH", "method": "POST", "path": "/oauth/token", "query": {}, "user_agent": "app/1"
  },
  "resource_server": {"identifier": "https://api.example"},
  "stats": {"logins_count": 1},
  "tenant": {"id": "acme"},
  "transaction": {"acr_values": [], "locale": "de-CH", "protocol": "oauth2-password", "requested_scopes": ["openid", "email", "profile", "offline_access"], "ui_locales": []},
  "user": {"app_metadata": {}, "email": "ann@example.com", "email_verified": true, "identities": [], "multifactor": [], "name": "Ann", "user_id": "kc|ann@example.com", "user_metadata": {}}
}`, "\t", "")
	var a, b any
	if json.Unmarshal(raw, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		t.Fatal(want)
	}
	if diff := cmp.Diff(b, a); diff != "" {
		t.Error(diff)
	}
}

// What scripts call and cannot have is a load error.
func TestWhatCannotBeHadIsSaidAtLoad(t *testing.T) {
	t.Parallel()
	claims := actions.Script{Name: "claims.js", Source: `exports.onExecutePostLogin = async (e, api) => { api.accessToken.setCustomClaim("a", 1); };`}
	mfa := script(t, "mfa_action.js", nil)
	harmless := script(t, "add_ip_to_metadata.js", nil)
	for _, c := range []struct {
		name   string
		script actions.Script
		may    May
		want   string
	}{
		{"claims without reissue", claims, May{Login: true, Hold: true}, "reissue: true"},
		{"claims with it", claims, May{Login: true, Hold: true, Claim: true}, ""},
		{"claims at Auth0", claims, May{Auth0: true, Login: true}, "Auth0 signs"},
		{"claims on backoffice", claims, May{}, "signs no tokens"},
		{"a factor of ours", mfa, May{Login: true, Hold: true}, ""},
		{"a factor at Auth0", mfa, May{Auth0: true, Login: true}, "Auth0's"},
		{"a factor on backoffice", mfa, May{}, "no path"},
		{"neither", harmless, May{Auth0: true}, "besides"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var file struct {
				Actions actions.Config `json:"actions"`
			}
			doc := config.Decode([]byte(`{actions: {postLogin: [a.js]}}`), &file, config.Options{Name: "p.yaml"})
			Check(&file.Actions, actions.Set{PostLogin: []actions.Script{c.script}}, c.may, doc.Report("actions"))
			text := fmt.Sprint(doc.Problems())
			if c.want == "" && len(doc.Problems()) > 0 || !strings.Contains(text, c.want) || doc.Failed() != (c.want != "" && c.want != "besides") {
				t.Errorf("%v %s", doc.Failed(), text)
			}
		})
	}
}

// Before an account is made at Auth0: what goes to the provider, and what is kept for
// the first login.
func TestARegistration(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLite(t), setting{run: func(tr actions.Trigger, e map[string]any) (*actions.Outcome, error) {
		if tr == actions.PreUserRegistration {
			return &actions.Outcome{AppMetadata: raws(`{"a":1}`), UserMetadata: raws(`{"u":2}`)}, nil
		}
		return &actions.Outcome{}, nil
	}, pre: []actions.Script{{Name: "pre.js"}}})
	in := &login.Registering{Email: "ann@example.com", Profile: map[string]string{"given_name": "Ann"}, UserMetadata: json.RawMessage(`{"own":true,"u":1}`)}
	if err := k.hooks.Registering(t.Context(), in); err != nil || string(in.UserMetadata) != `{"own":true,"u":2}` {
		t.Fatal(err, string(in.UserMetadata))
	}
	if user := jsonOf(k.events[0]["user"]); user != `{"app_metadata":{},"email":"ann@example.com","given_name":"Ann","user_metadata":{"own":true,"u":1}}` {
		t.Error(user)
	}
	err := k.hooks.SignedIn(t.Context(), &login.SignedIn{Flow: "signup", Subject: "kc|ann@example.com", Claims: []byte(`{"sub":"kc|ann@example.com","iss":"` + k.issuer.URL + `"}`), Registered: in})
	if _, p := k.profile("ann@example.com"); err != nil || jsonOf(p.App) != `{"a":1}` || len(k.events) != 2 {
		t.Error(err, jsonOf(p.App), len(k.events))
	}
}
