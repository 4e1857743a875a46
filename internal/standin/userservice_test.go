package standin

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

func TestUserServiceAnswersWhoSigned(t *testing.T) {
	t.Parallel()
	u := NewUserService(loopback(t), UserServiceOptions{Region: "eu-west-1", Service: "execute-api", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "k3y",
		Users: []User{{ID: "u1", Email: "ann@example.com", Status: "paused"}}})
	closing(t, u)
	ask := func(path, body, secret string, at time.Time, spoil func(*http.Request)) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", u.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		sum := sha256.Sum256([]byte(body))
		key := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret}
		if err := v4.NewSigner().SignHTTP(t.Context(), key, r, hex.EncodeToString(sum[:]), "execute-api", "eu-west-1", at); err != nil {
			t.Fatal(err)
		}
		spoil(r)
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	plain := func(*http.Request) {}
	const ann = `{"email":"Ann@example.com"}`
	for _, c := range []struct {
		what, path, body, secret string
		at                       time.Time
		spoil                    func(*http.Request)
		status                   int
	}{
		{"as it should be", "/users-by-email", ann, "k3y", time.Now(), plain, 200},
		{"nobody", "/users-by-email", `{"email":"bob@example.com"}`, "k3y", time.Now(), plain, 404},
		{"end a pause", "/users/unblock", `{"id":"u1"}`, "k3y", time.Now(), plain, 200},
		{"a new one", "/users", `{"id":"u2","email":"bob@example.com"}`, "k3y", time.Now(), plain, 201},
		{"the same again", "/users", `{"id":"u2","email":"bob@example.com"}`, "k3y", time.Now(), plain, 409},
		{"another key", "/users-by-email", ann, "other", time.Now(), plain, 403},
		{"an old date", "/users-by-email", ann, "k3y", time.Now().Add(-time.Hour), plain, 403},
		{"another body", "/users-by-email", ann, "k3y", time.Now(), func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(ann, "Ann", "Bob", 1)))
		}, 403},
		{"another path", "/users-by-email", ann, "k3y", time.Now(), func(r *http.Request) { r.URL.Path = "/users" }, 403},
		{"no signature", "/users-by-email", ann, "k3y", time.Now(), func(r *http.Request) { r.Header.Del("Authorization") }, 403},
	} {
		if got := ask(c.path, c.body, c.secret, c.at, c.spoil); got != c.status {
			t.Errorf("%s: %d, want %d; %v", c.what, got, c.status, u.Complaints())
		}
	}
	if one, _ := u.User("ann@example.com"); one.Status != "active" {
		t.Errorf("after the pause: %+v", one)
	}
}
