package login_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
)

// configuration has both surfaces, each on a site of its own. Words may be set
// anew by a test; those of settings are the rest.
const configuration = `
environment: test
store: {url: "sqlite:@STORE@"}
masterKey: "enE4LW1hc3Rlci1rZXktMDEyMzQ1Njc4OWFiY2RlZjA="
@TOP@
sites:
  - hosts: [backoffice.example]
    backoffice:
      {baseURL: "@AUTH0@", clientId: app, clientSecret: app-secret-zq8, audience: https://api.example, connection: Username-Password-Authentication, timeout: @TIMEOUT@}
  - hosts: [@LOGINHOST@]
    login:
      baseURL: "@AUTH0@"
      clientId: app
      clientSecret: app-secret-zq8
      audience: https://api.example
      connection: Username-Password-Authentication
      timeout: @TIMEOUT@
      mfa: {audience: "@TENANT@/mfa/", clientId: app, clientSecret: app-secret-zq8}
      management: {audience: "@TENANT@/api/v2/", clientId: manager, clientSecret: manager-secret-zq8}
      social: {connections: [google-oauth2], returnURLs: ["myapp://", "https://app.example/done"]}
      @RISK@
      @USERS@
      @MORE@
`

const (
	withRisk = `risk: {castle: {apiSecret: castle-secret-zq8, blocking: @BLOCKING@, timeout: @RISKTIME@, onError: @ONERROR@, baseURL: "@CASTLE@", afterSuccess: @AFTER@}}`

	withUsers = `userService: {url: "@SERVICE@", signing: {awsSigV4: {region: eu-west-1, service: execute-api, accessKeyId: AKIDEXAMPLE, secretAccessKey: aws-secret-zq8}}, timeout: @USERTIME@, onError: @USERERROR@}`
)

func settings() map[string]string {
	return map[string]string{"STORE": "portreeve.db", "LOGINHOST": "auth.example", "TOP": "", "TIMEOUT": "5s", "RISK": withRisk, "USERS": withUsers, "MORE": "",
		"BLOCKING": "true", "RISKTIME": "5s", "ONERROR": "deny", "AFTER": "wait", "USERTIME": "5s", "USERERROR": "deny"}
}

// secrets are what no answer and no log may hold.
var secrets = []string{"app-secret-zq8", "manager-secret-zq8", "castle-secret-zq8", "aws-secret-zq8"}

// The people of the tenant. Passwords are marked, so that one is found wherever it
// comes to light.
const (
	password = "zq9-correct-horse"
	ann      = "zq9.ann@example.com"
	eve      = "zq9.eve@example.com" // has a second factor
	phone    = "+15550001234"
)

// world is a Portreeve between its client and the three services.
type world struct {
	*edge.Edge
	auth0  *standin.Auth0
	castle *standin.Castle
	users  *standin.UserService
}

// start serves with settings changed. The stand-ins' complaints fail the test.
func start(t testing.TB, change map[string]string) *world { return startWith(t, change, nil) }

// startWith is start where all that Node speaks to is https: Portreeve, and the
// tenant under its own name.
func startWith(t testing.TB, change map[string]string, ca *authority) *world {
	t.Helper()
	w := &world{}
	words := settings()
	maps.Copy(words, change)
	var err error
	o := standin.Auth0Options{
		RSA: edge.Keys(t),
		Clients: []standin.Client{{ID: "app", Secret: "app-secret-zq8"},
			{ID: "manager", Secret: "manager-secret-zq8", Scopes: []string{"read:users", "update:users"}}},
		Audiences: []string{audience},
		Callbacks: []string{"http://auth.example/social/callback", "https://auth.example/social/callback"},
		Social:    map[string]string{"google-oauth2": ann},
		People:    []standin.Person{{Email: ann, Username: "zq9ann", Password: password, Verified: true, Name: "Ann"}, {Email: eve, Password: password, MFA: true, Phone: phone}},
	}
	s := edge.Setting{}
	if ca != nil {
		plain := edge.Listen(t)
		o.TLS, o.Plain = ca.server(), plain
		words["AUTH0"] = "http://" + plain.Addr().String()
		words["TOP"] += "\ntls: {cert: c.pem, key: k.pem}"
		s.Files = map[string]string{"c.pem": ca.cert, "k.pem": ca.key}
	}
	w.auth0, err = standin.NewAuth0(edge.Listen(t), o)
	if err != nil {
		t.Fatal(err)
	}
	w.castle = standin.NewCastle(edge.Listen(t), standin.CastleOptions{APISecret: "castle-secret-zq8"})
	w.users = standin.NewUserService(edge.Listen(t), standin.UserServiceOptions{Region: "eu-west-1", Service: "execute-api", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "aws-secret-zq8",
		Users: []standin.User{{ID: "u-ann", Email: ann, Status: "active", Plan: "gold"}, {ID: "u-eve", Email: eve, Status: "active"}}})
	words["CASTLE"], words["SERVICE"], words["TENANT"] = w.castle.URL(), w.users.URL(), w.auth0.URL()
	if ca == nil {
		words["AUTH0"] = w.auth0.URL()
	}
	t.Cleanup(func() {
		_, _, _ = w.auth0.Close(), w.castle.Close(), w.users.Close()
		if n := w.auth0.Followed() + w.castle.Followed() + w.users.Followed(); n > 0 {
			t.Errorf("%d redirects were followed", n)
		}
		for _, c := range append(append(w.auth0.Complaints(), w.castle.Complaints()...), w.users.Complaints()...) {
			t.Errorf("a service complains: %s", c)
		}
	})
	text := configuration
	for range 2 { // settings name settings
		for k, v := range words {
			text = strings.ReplaceAll(text, "@"+k+"@", v)
		}
	}
	s.Text = text
	w.Edge = edge.Start(t, s)
	return w
}

// upstream is every request to any of the services but those for keys.
func (w *world) upstream() (out []standin.Sent) {
	for _, s := range append(append(w.auth0.Seen(), w.castle.Seen()...), w.users.Seen()...) {
		if !strings.HasPrefix(s.Path, "/.well-known/") {
			out = append(out, s)
		}
	}
	return out
}

func (w *world) forget() { w.auth0.Forget(); w.castle.Forget(); w.users.Forget() }

// client follows no redirect and sends what it is told.
var client = &http.Client{
	Timeout:       60 * time.Second,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// login posts JSON to the site of applications, with a device token of its own.
func (w *world) login(t testing.TB, path, body string, fields ...string) edge.Answer {
	t.Helper()
	return w.send(t, "auth.example", "POST", path, body, append([]string{"Content-Type: application/json", "X-Castle-Request-Token: " + w.castle.Token()}, fields...)...)
}

func (w *world) send(t testing.TB, host, method, path, body string, fields ...string) edge.Answer {
	t.Helper()
	a, err := w.try(t, host, method, path, body, fields...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}
