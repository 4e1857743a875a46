package flows

import (
	"net/http"
	"strings"
	"testing"
)

// flat is the shape of a refusal on config routes.
type flat struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

// refused holds an answer to the documented 401: the shape, the challenge with
// the reason ("" for none), the decision's id, and nothing of the token.
func refused(t testing.TB, a answer, reason, token string) {
	t.Helper()
	if a.Status != http.StatusUnauthorized {
		t.Errorf("status %d, want 401 for %q: %s", a.Status, reason, a.Body)
		return
	}
	challenge := "Bearer"
	if reason != "" {
		challenge = `Bearer error="invalid_token", error_description="` + reason + `"`
	}
	if c := a.Header.Values("WWW-Authenticate"); len(c) != 1 || c[0] != challenge {
		t.Errorf("WWW-Authenticate %q, want %q", c, challenge)
	}
	if f := decode[flat](t, a); f != (flat{"Unauthorized", "Invalid or expired token"}) {
		t.Errorf("body %+v", f)
	}
	if a.Header.Get("X-Portreeve-Decision") == "" {
		t.Error("the refusal has no id")
	}
	for _, part := range strings.Split(token, ".") {
		if len(part) > 8 && (strings.Contains(a.Body, part) || strings.Contains(strings.Join(a.Header.Values("WWW-Authenticate"), ""), part)) {
			t.Error("the answer quotes the token")
		}
	}
}

// status holds an answer to a status and, if it is an error, to its message.
func status(t testing.TB, a answer, want int, message string) {
	t.Helper()
	if a.Status != want {
		t.Errorf("status %d, want %d: %s", a.Status, want, a.Body)
		return
	}
	if message != "" && decode[flat](t, a).Message != message {
		t.Errorf("message %q, want %q", decode[flat](t, a).Message, message)
	}
}
