package session

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A refresh token is shown to whoever gave it, and to nobody who goes by that
// name since.
func TestARefreshTokenIsShownToItsOwnProviderAlone(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		b := k.browser()
		b.signIn()
		shown := make(chan string, 10)
		var other *httptest.Server
		other = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				shown <- r.PostFormValue("refresh_token")
				respond(w, 400, map[string]string{"error": "invalid_request"})
				return
			}
			respond(w, 200, map[string]any{"issuer": other.URL, "jwks_uri": other.URL + "/jwks", "authorization_endpoint": other.URL + "/a", "token_endpoint": other.URL + "/token"})
		}))
		t.Cleanup(other.Close)
		two := k.newNode(other.URL) // whose configuration calls it corp
		k.advance(2 * time.Minute)
		id := ""
		k.tx(readID(&id))
		_ = two.s.refreshed(t.Context(), id)
		select {
		case token := <-shown:
			t.Errorf("another provider was shown the refresh token: %t", token != "")
		default:
		}
		k.advance(time.Minute)
		if !b.in() {
			t.Error("the session has ended, by its own provider too")
		}
	})
}
