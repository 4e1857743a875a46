package actions

import (
	"encoding/json"
	"maps"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// engine is one that ends with the test.
func engine(t testing.TB, o Options) *Engine {
	t.Helper()
	e := New(o)
	t.Cleanup(e.Close)
	return e
}

func shipped(t testing.TB, name string) Script {
	t.Helper()
	b, err := os.ReadFile("../../actions/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return Script{Name: name, Source: string(b)}
}

func TestTheMFAActionDecidesInItsOrder(t *testing.T) {
	t.Parallel()
	type event struct {
		tenant, protocol, email string
		logins                  any
		required                any
		challenge               any
	}
	const (
		password = "oauth2-password"
		refresh  = "oauth2-refresh-token"
		user     = "ada@example.com"
		tester   = "bot@it.example.com"
		forced   = "bot@forcemfa.example.com"
	)
	settings := map[string]string{"TEST_TENANTS": "acme-test, acme-dev", "INTEGRATION_TEST_DOMAIN": "it.example.com", "FORCE_MFA_DOMAIN": "forcemfa.example.com"}
	always := maps.Clone(settings)
	always["SKIP_MFA"] = "always"
	e := engine(t, Options{})
	for _, c := range []struct {
		name     string
		event    event
		settings map[string]string
		mfa      string
	}{
		{"asked for by nobody", event{"acme", password, user, 5, nil, nil}, settings, ""},
		{"the user has to", event{"acme", password, user, 5, true, nil}, settings, "any"},
		{"the user has to no more", event{"acme", password, user, 5, false, false}, settings, ""},
		{"risk asks for it", event{"acme", password, user, 5, nil, true}, settings, "any"},
		{"the first login is a registration's", event{"acme", password, user, 1, true, true}, settings, ""},
		{"so is none at all", event{"acme", password, user, 0, true, true}, settings, ""},
		{"a refresh of the test tenant", event{"acme-test", refresh, user, 5, true, true}, settings, ""},
		{"the second test tenant", event{"acme-dev", refresh, user, 5, true, true}, settings, ""},
		{"a refresh elsewhere", event{"acme", refresh, user, 5, true, nil}, settings, "any"},
		{"a refresh of the test tenant that is forced", event{"acme-test", refresh, forced, 5, nil, nil}, settings, "any"},
		{"even the first", event{"acme-test", refresh, forced, 1, nil, nil}, settings, "any"},
		{"forced by an address in capitals", event{"acme-test", refresh, "Bot@ForceMFA.example.com", 5, nil, nil}, settings, "any"},
		{"force counts on a refresh alone", event{"acme-test", password, forced, 5, nil, nil}, settings, ""},
		{"an integration test", event{"acme-test", password, tester, 5, true, true}, settings, ""},
		{"an integration test elsewhere", event{"acme", password, tester, 5, true, nil}, settings, "any"},
		{"a domain that only ends like it", event{"acme-test", password, "x@not-it.example.com", 5, true, nil}, settings, "any"},
		{"a name that looks like it", event{"acme-test", password, "it.example.com@example.com", 5, true, nil}, settings, "any"},
		{"no address at all", event{"acme-test", password, "", 5, true, nil}, settings, "any"},
		{"the test tenant asks like others", event{"acme-test", password, user, 5, true, nil}, settings, "any"},
		{"always: a refresh anywhere", event{"acme", refresh, user, 5, true, true}, always, ""},
		{"always: but the forced", event{"acme", refresh, forced, 5, nil, nil}, always, "any"},
		{"always: tests anywhere", event{"acme", password, tester, 5, true, true}, always, ""},
		{"without settings nothing is a test", event{"acme-test", refresh, tester, 5, true, nil}, nil, "any"},
		{"and no empty domain is one", event{"", password, "x@", 5, true, nil}, nil, "any"},
		{"logins that nobody counted", event{"acme", password, user, nil, true, nil}, settings, "any"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ev := map[string]any{
				"tenant": map[string]any{"id": c.event.tenant}, "transaction": map[string]any{"protocol": c.event.protocol},
				"stats": map[string]any{"logins_count": c.event.logins}, "request": map[string]any{"ip": "198.51.100.7", "body": map[string]any{"challengeRequired": c.event.challenge}},
				"user": map[string]any{"email": c.event.email, "app_metadata": map[string]any{"auth_require_mfa": c.event.required}},
			}
			if c.event.logins == nil {
				delete(ev, "stats")
			}
			for where, s := range map[string]Script{"secrets": {Secrets: c.settings}, "configuration": {Configuration: c.settings}} {
				script := shipped(t, "mfa_action.js")
				script.Secrets, script.Configuration = s.Secrets, s.Configuration
				out, err := e.Run(t.Context(), PostLogin, []Script{script}, ev)
				if err != nil {
					t.Fatal(err)
				}
				if out.MFA != c.mfa || out.Denied {
					t.Errorf("settings in %s: %q, want %q", where, out.MFA, c.mfa)
				}
			}
		})
	}
}

func TestSecretsComeBeforeConfiguration(t *testing.T) {
	t.Parallel()
	s := shipped(t, "add_ip_to_metadata.js")
	s.Secrets, s.Configuration = map[string]string{"IP_METADATA_KEY": "from_secrets"}, map[string]string{"IP_METADATA_KEY": "from_configuration"}
	out, err := engine(t, Options{}).Run(t.Context(), PostLogin, []Script{s}, map[string]any{"request": map[string]any{"ip": "2001:db8::7"}})
	if err != nil || string(out.UserMetadata["from_secrets"]) != `"2001:db8::7"` || len(out.UserMetadata) != 1 {
		t.Errorf("%+v %v", out, err)
	}
}

func TestTheAddressOfALoginIsKept(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{})
	for ip, want := range map[string]map[string]json.RawMessage{"198.51.100.7": {"last_login_ip": json.RawMessage(`"198.51.100.7"`)}, "": nil} {
		out, err := e.Run(t.Context(), PostLogin, []Script{shipped(t, "add_ip_to_metadata.js")}, map[string]any{"request": map[string]any{"ip": ip}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.UserMetadata); diff != "" {
			t.Error(diff)
		}
	}
}

func TestARegistrationIsMarked(t *testing.T) {
	t.Parallel()
	out, err := engine(t, Options{}).Run(t.Context(), PreUserRegistration, []Script{shipped(t, "enable_mfa.js")}, map[string]any{"user": map[string]any{"email": "a@example.com"}})
	want := map[string]json.RawMessage{"auth_require_mfa": json.RawMessage("true"), "uses_new_mfa_action": json.RawMessage("true")}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.AppMetadata); diff != "" {
		t.Error(diff)
	}
}

// What is documented for Auth0's own runtime: no other names are used, so that
// the files deploy as they are.
func TestTheScriptsAreAuth0s(t *testing.T) {
	t.Parallel()
	for name, trigger := range map[string]Trigger{"mfa_action.js": PostLogin, "add_ip_to_metadata.js": PostLogin, "enable_mfa.js": PreUserRegistration} {
		s := shipped(t, name)
		if err := Check(s, trigger); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		other := map[Trigger]Trigger{PostLogin: PreUserRegistration, PreUserRegistration: PostLogin}[trigger]
		if Check(s, other) == nil {
			t.Errorf("%s is taken for a script of %s", name, other)
		}
	}
}
