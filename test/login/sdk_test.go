package login_test

import (
	"net"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
)

const (
	realm    = "Username-Password-Authentication"
	audience = "https://api.example"
	scope    = "openid email profile offline_access"
)

// Auth0's own client against the stand-in: what it sends is what the stand-in
// takes, and what the stand-in answers is what it takes. So the stand-in may judge
// what Portreeve sends.
func TestAuth0StandInSatisfiesAuth0sOwnClient(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	l := edge.Listen(t)
	auth0, err := standin.NewAuth0(l, standin.Auth0Options{
		Clients:   []standin.Client{{ID: "app", Secret: "app-secret", Audiences: []string{audience}}},
		Audiences: []string{audience}, TLS: ca.server(),
		People: []standin.Person{{Email: "ann@example.com", Password: "correct horse", Verified: true}, {Email: "eve@example.com", Password: "correct horse", MFA: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = auth0.Close() })
	n := startNode(t, ca, map[string]any{"domain": domain(l), "clientId": "app", "clientSecret": "app-secret"})
	who := func(email string) map[string]any {
		return map[string]any{"username": email, "password": "correct horse", "realm": realm, "audience": audience, "scope": scope}
	}

	in := n.call(t, "passwordGrant", who("ann@example.com"))
	if in.Status != 200 || in.text("id_token") == "" {
		t.Fatalf("sign in: %+v", in)
	}
	if got := n.call(t, "getUserInfo", map[string]any{"token": in.text("access_token")}); got.text("email") != "ann@example.com" {
		t.Errorf("userinfo: %+v", got)
	}
	next := n.call(t, "refreshTokenGrant", map[string]any{"refresh_token": in.text("refresh_token")})
	if next.Status != 200 || next.text("refresh_token") == in.text("refresh_token") {
		t.Errorf("refresh: %+v", next)
	}
	if got := n.call(t, "revokeRefreshToken", map[string]any{"token": next.text("refresh_token")}); got.Status != 200 || auth0.Live(next.text("refresh_token")) {
		t.Errorf("revoke: %+v", got)
	}
	if got := n.call(t, "refreshTokenGrant", map[string]any{"refresh_token": next.text("refresh_token")}); got.Status != 403 || got.Error != "invalid_grant" {
		t.Errorf("refresh what was revoked: %+v", got)
	}
	wrong := who("ann@example.com")
	wrong["password"] = "wrong"
	if got := n.call(t, "passwordGrant", wrong); got.Status != 403 || got.Description != "Wrong email or password." {
		t.Errorf("a wrong password: %+v", got)
	}
	if got := n.call(t, "clientCredentialsGrant", map[string]any{"audience": audience}); got.text("access_token") == "" {
		t.Errorf("client credentials: %+v", got)
	}
	if got := n.call(t, "signUp", map[string]any{"email": "new@example.com", "password": "long enough", "connection": realm, "user_metadata": map[string]any{"plan": "free"}}); got.text("id") == "" {
		t.Errorf("sign up: %+v", got)
	}
	if got := n.call(t, "signUp", map[string]any{"email": "new@example.com", "password": "long enough", "connection": realm}); got.Status != 400 || got.Error != "user_exists" {
		t.Errorf("sign up twice: %+v", got)
	}
	if got := n.call(t, "changePassword", map[string]any{"email": "new@example.com", "connection": realm}); !strings.Contains(got.Text, "We've just sent you an email") || len(auth0.Mails()) != 1 {
		t.Errorf("change password: %+v, mails %v", got, auth0.Mails())
	}

	held := n.call(t, "passwordGrant", who("eve@example.com"))
	token, _ := held.Body["mfa_token"].(string)
	if held.Status != 403 || held.Error != "mfa_required" || token == "" {
		t.Fatalf("a second factor: %+v", held)
	}
	enrolled := n.call(t, "mfa", map[string]any{"path": "/mfa/associate", "token": token,
		"body": map[string]any{"authenticator_types": []string{"oob"}, "oob_channels": []string{"sms"}, "phone_number": "+15550001234"}})
	if enrolled.Status != 200 || enrolled.text("binding_method") != "prompt" {
		t.Fatalf("enrol: %+v", enrolled)
	}
	if got := n.call(t, "mfaGrant", map[string]any{"kind": "oob", "mfa_token": token, "oob_code": enrolled.text("oob_code"), "binding_code": auth0.Texts()[0].Code}); got.Status != 200 || got.text("refresh_token") == "" {
		t.Errorf("the code of the text: %+v", got)
	}
	if c := auth0.Complaints(); len(c) > 0 {
		t.Errorf("the stand-in complains of Auth0's own client:\n%s", strings.Join(c, "\n"))
	}
}

// domain is a listener's name as Auth0's client wants it.
func domain(l net.Listener) string { return l.Addr().String() }
