package flows

import (
	"strings"
	"testing"
)

// One credential decides, all must be good, none may come twice.
func TestSeveralCredentialsAtOnce(t *testing.T) {
	t.Parallel()
	e, i, a := everyone(t)
	alice := bearer(sign(t, shared(sharedSecret), map[string]any{"sub": "alice"}))
	acme := bearer(sign(t, shared(sharedSecret), map[string]any{"sub": "alice", "tenant_id": "acme"}))
	bob := bearer(mint(t, i, map[string]any{"sub": "bob"}))
	carol := must(a.Mint("carol@example.com", nil))
	forged := changed(carol)
	for _, c := range []struct {
		name, path string
		fields     []string
		status     int
		subject    string // "@" for the person at Access
		reason     string // of a 401
	}{
		{"Authorization decides before Access", "/orders", []string{alice, assertion(carol)}, 200, "alice", ""},
		{"the route's provider decides", "/by-access", []string{alice, assertion(carol)}, 200, "@", ""},
		{"the route's provider decides, for the bearer", "/by-jwt", []string{alice, cookie(carol)}, 200, "alice", ""},
		{"a good one does not excuse a bad one", "/by-jwt", []string{alice, assertion(forged)}, 401, "", "bad signature"},
		{"nor where nothing is asked", "/public", []string{alice, cookie(forged)}, 401, "", "bad signature"},
		{"a good credential of a provider that does not count is none", "/by-jwt", []string{bob}, 401, "", ""},
		{"nor is Access where a token is wanted", "/by-jwt", []string{assertion(carol)}, 401, "", ""},
		{"nor a token where Access is wanted", "/by-access", []string{alice}, 401, "", ""},
		{"tenants agree where only one names one", "/orders", []string{acme, assertion(carol)}, 200, "alice", ""},
		{"two Authorization headers", "/orders", []string{alice, alice}, 400, "", ""},
		{"two different ones", "/orders", []string{alice, bob}, 400, "", ""},
		{"a bearer beside Basic", "/public", []string{alice, "Authorization: Basic eDp5"}, 400, "", ""},
		{"in other letters", "/public", []string{alice, strings.Replace(alice, "Authorization", "authorization", 1)}, 400, "", ""},
		{"two assertions", "/orders", []string{assertion(carol), strings.ToLower("Cf-Access-Jwt-Assertion") + ": " + carol}, 400, "", ""},
		{"two cookies of the name", "/orders", []string{cookie(carol) + "; CF_Authorization=" + carol}, 400, "", ""},
		{"over two Cookie fields", "/orders", []string{cookie(carol), "cookie: CF_Authorization=x"}, 400, "", ""},
		{"two in one field", "/orders", []string{alice + ", " + strings.TrimPrefix(alice, "Authorization: ")}, 401, "", "malformed token"},
		{"Basic alone is none", "/public", []string{"Authorization: Basic eDp5"}, 200, "", ""},
		{"and opens nothing", "/orders", []string{"Authorization: Basic eDp5"}, 401, "", ""},
		{"Bearer in other letters", "/orders", []string{strings.Replace(alice, "Bearer", "bEARER", 1)}, 200, "alice", ""},
		{"two where none is looked at", "/untouched", []string{"Authorization: Basic eDp5", "Cookie: CF_Authorization=x; CF_Authorization=y"}, 200, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ans := e.ask(t, "GET", c.path, c.fields...)
			switch c.status {
			case 200:
				subject := got(t, arrived(t, ans), "X-Portreeve-Subject")
				if c.subject == "@" && subject == "alice" || c.subject != "@" && subject != c.subject {
					t.Errorf("it was %q who came through", subject)
				}
			case 401:
				refused(t, ans, c.reason, "")
			default:
				status(t, ans, c.status, "")
				if f := decode[flat](t, ans); !strings.HasPrefix(f.Message, "More than one ") {
					t.Errorf("message %q", f.Message)
				}
			}
		})
	}
}

// A route with identify: none leaves the caller's credentials to the
// application; any other takes them off.
func TestCredentialsStayAtTheDoor(t *testing.T) {
	t.Parallel()
	e, _, a := everyone(t)
	carol, alice := must(a.Mint("carol@example.com", nil)), sign(t, shared(sharedSecret), nil)
	fields := []string{bearer(alice), cookie(carol)}
	for _, path := range []string{"/orders", "/public"} {
		r := arrived(t, e.ask(t, "GET", path, fields...))
		if in := headerOf(r, alice) + headerOf(r, carol); in != "" {
			t.Errorf("%s: the application got a credential in %s", path, in)
		}
	}
	r := arrived(t, e.ask(t, "GET", "/untouched", append(fields, "X-Portreeve-Subject: root")...))
	if headerOf(r, alice) != "Authorization" || headerOf(r, carol) != "Cookie" || got(t, r, "X-Portreeve-Subject") != "" {
		t.Errorf("the application got %v", r.Headers)
	}
}
