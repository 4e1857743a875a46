package login_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// device sends every request to the site of applications, with a device token.
type device struct{ w *world }

func (d device) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = "auth.example"
	r.Header.Set("X-Castle-Request-Token", d.w.castle.Token())
	return client.Transport.RoundTrip(r)
}

func TestAPlainOAuth2ClientSignsInAndRefreshes(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: device{w}})
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInParams, oauth2.AuthStyleInHeader} {
		c := oauth2.Config{ClientID: "mobile", ClientSecret: "of the client", Scopes: []string{"whatever"}, Endpoint: oauth2.Endpoint{TokenURL: w.URL + "/oauth/token", AuthStyle: style}}
		first, err := c.PasswordCredentialsToken(ctx, ann, password)
		if err != nil {
			t.Fatal(err)
		}
		if first.RefreshToken == "" || first.Extra("id_token") == nil {
			t.Fatalf("%+v", first)
		}
		first.Expiry = time.Now().Add(-time.Minute)
		second, err := c.TokenSource(ctx, first).Token()
		if err != nil {
			t.Fatal(err)
		}
		if second.AccessToken == first.AccessToken || second.RefreshToken == first.RefreshToken {
			t.Error("the tokens are the old ones")
		}
		_, err = c.PasswordCredentialsToken(ctx, ann, "wrong")
		if refused, ok := err.(*oauth2.RetrieveError); !ok || refused.ErrorCode != "invalid_grant" || refused.ErrorDescription != "Wrong email or password." {
			t.Errorf("a wrong password: %v", err)
		}
	}
}

func TestAuth0sOwnClientSignsInThroughPortreeve(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	w := startWith(t, map[string]string{"LOGINHOST": "localhost"}, ca)
	_, port, _ := strings.Cut(w.Addr, ":")
	n := startNode(t, ca, map[string]any{"domain": strings.TrimPrefix(w.auth0.URL(), "https://"), "clientId": "app", "clientSecret": "whatever"}, "AUTH0_THROUGH=https://localhost:"+port)
	n.device = w.castle.Token
	who := func(email string) map[string]any {
		return map[string]any{"username": email, "password": password, "realm": "another", "audience": "https://another", "scope": "another"}
	}

	in := n.call(t, "passwordGrant", who(ann))
	if in.Status != 200 || in.text("refresh_token") == "" || in.text("id_token") == "" {
		t.Fatalf("sign in: %+v", in)
	}
	if got := n.call(t, "getUserInfo", map[string]any{"token": in.text("access_token")}); got.text("email") != ann {
		t.Errorf("userinfo: %+v", got)
	}
	next := n.call(t, "refreshTokenGrant", map[string]any{"refresh_token": in.text("refresh_token")})
	if next.Status != 200 || next.text("refresh_token") == in.text("refresh_token") {
		t.Errorf("refresh: %+v", next)
	}
	if got := n.call(t, "refreshTokenGrant", map[string]any{"refresh_token": in.text("refresh_token")}); got.Status != 403 || got.Error != "invalid_grant" {
		t.Errorf("a second use: %+v", got)
	}
	wrong := who(ann)
	wrong["password"] = "wrong"
	if got := n.call(t, "passwordGrant", wrong); got.Status != 403 || got.Description != "Wrong email or password." {
		t.Errorf("a wrong password: %+v", got)
	}

	held := n.call(t, "passwordGrant", who(eve))
	token, _ := held.Body["mfa_token"].(string)
	if held.Status != 403 || held.Error != "mfa_required" || token == "" {
		t.Fatalf("a second factor: %+v", held)
	}
	asked := n.call(t, "mfa", map[string]any{"path": "/mfa/challenge", "body": map[string]any{"mfa_token": token, "challenge_type": "oob"}})
	if asked.Status != 200 || asked.text("oob_code") == "" {
		t.Fatalf("a challenge: %+v", asked)
	}
	texts := w.auth0.Texts()
	if got := n.call(t, "mfaGrant", map[string]any{"kind": "oob", "mfa_token": token, "oob_code": asked.text("oob_code"), "binding_code": texts[len(texts)-1].Code}); got.Status != 200 || got.text("refresh_token") == "" {
		t.Errorf("the code of the text: %+v", got)
	}
	w.castle.Act("", "deny")
	if got := n.call(t, "passwordGrant", who(ann)); got.Status != 401 || got.Error != "unauthorized" {
		t.Errorf("denied by risk: %+v", got)
	}
}
