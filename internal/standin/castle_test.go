package standin

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

func TestCastleJudgesWhatIsWellFormedOnce(t *testing.T) {
	t.Parallel()
	c := NewCastle(loopback(t), CastleOptions{APISecret: "s3cret"})
	closing(t, c)
	c.Act("mallory@example.com", "deny")
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(":s3cret"))
	event := func(email string, change ...func(map[string]any)) string {
		e := map[string]any{"type": "$login", "status": "$attempted", "request_token": c.Token(), "params": map[string]any{"email": email},
			"context": map[string]any{"ip": "203.0.113.9", "headers": map[string]any{"User-Agent": "app/1", "Cookie": true}}}
		for _, f := range change {
			f(e)
		}
		b, _ := json.Marshal(e)
		return string(b)
	}
	twice := event("ann@example.com")
	for _, k := range []struct {
		what, path, body, auth string
		status                 int
		says                   string
		complains              bool
	}{
		{"an honest person", "/v1/filter", twice, basic, 201, `"action":"allow"`, false},
		{"the same token", "/v1/filter", twice, basic, 422, `invalid_request_token`, true},
		{"a denied person", "/v1/filter", event("Mallory@example.com"), basic, 201, `"action":"deny"`, false},
		{"a made up token", "/v1/filter", event("a@example.com", func(e map[string]any) { e["request_token"] = "x" }), basic, 422, `invalid_request_token`, false},
		{"an unknown field", "/v1/filter", event("a@example.com", func(e map[string]any) { e["email"] = "a@example.com" }), basic, 201, `allow`, true},
		{"a status of another type", "/v1/filter", event("a@example.com", func(e map[string]any) { e["status"] = "$requested" }), basic, 422, `bad_request`, true},
		{"a cookie", "/v1/filter", event("a@example.com", func(e map[string]any) {
			e["context"] = map[string]any{"ip": "::1", "headers": []any{[]any{"cookie", "a=b"}}}
		}), basic, 422, `bad_request`, true},
		{"a success of nobody", "/v1/risk", event("", func(e map[string]any) { delete(e, "params"); e["status"] = "$succeeded" }), basic, 422, `bad_request`, true},
		{"a success", "/v1/risk", event("", func(e map[string]any) {
			delete(e, "params")
			e["status"], e["user"] = "$succeeded", map[string]any{"id": "auth0|1"}
		}), basic, 201, `allow`, false},
		{"another secret", "/v1/filter", event("a@example.com"), "Authorization: Basic eDp4", 401, `unauthorized`, true},
	} {
		before := len(c.Complaints())
		got := call(t, "POST", c.URL()+k.path, k.body, k.auth, "Content-Type: application/json")
		if got.status != k.status || !strings.Contains(got.body, k.says) || len(c.Complaints()) > before != k.complains {
			t.Errorf("%s: %d %s, complaints %v", k.what, got.status, got.body, c.Complaints()[before:])
		}
	}
}
