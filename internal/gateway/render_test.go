package gateway

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
)

func TestFlatErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault  *fault.Error
		status int
		body   string
		fields string // name=value; …
	}{
		{fault.New(fault.BadRequest, "x", ""), 400, `{"error":"Bad Request","message":"Validation failed"}`, ""},
		{&fault.Error{Kind: fault.BadRequest, Details: []fault.Detail{{Field: "name", Issue: "required"}}}, 400, `{"error":"Bad Request","message":"Validation failed","details":[{"field":"name","issue":"required"}]}`, ""},
		{fault.New(fault.Unauthenticated, "unauthenticated", ""), 401, `{"error":"Unauthorized","message":"Invalid or expired token"}`, "WWW-Authenticate=Bearer"},
		{fault.New(fault.Unauthenticated, "token_expired", ""), 401, `{"error":"Unauthorized","message":"Invalid or expired token"}`, `WWW-Authenticate=Bearer error="invalid_token"`},
		{fault.New(fault.Forbidden, "x", ""), 403, `{"error":"Forbidden","message":"Insufficient permissions"}`, ""},
		{fault.New(fault.NotFound, "x", ""), 404, `{"error":"Not Found","message":"Resource not found"}`, ""},
		{&fault.Error{Kind: fault.MethodNotAllowed, Allow: []string{"GET", "HEAD"}}, 405, `{"error":"Method Not Allowed","message":"Method not allowed"}`, "Allow=GET, HEAD"},
		{&fault.Error{Kind: fault.MethodNotAllowed, Allow: []string{}}, 405, `{"error":"Method Not Allowed","message":"Method not allowed"}`, "Allow="},
		{fault.New(fault.Conflict, "x", "Taken"), 409, `{"error":"Conflict","message":"Taken"}`, ""},
		{fault.New(fault.TooLarge, "x", ""), 413, `{"error":"Payload Too Large","message":"Request body is too large"}`, ""},
		{fault.New(fault.Misdirected, "x", ""), 421, `{"error":"Misdirected Request","message":"No site answers for this host"}`, ""},
		{&fault.Error{Kind: fault.TooManyRequests, RetryAfter: 1500 * time.Millisecond}, 429, `{"error":"Too Many Requests","message":"Rate limit exceeded","retryAfter":2}`, "Retry-After=2"},
		{fault.Wrap(fault.Internal, "x", "", errors.New("sql: secret")), 500, `{"error":"Internal Server Error","message":"An unexpected error occurred","requestId":"id"}`, ""},
		{fault.Wrap(fault.BadGateway, "x", "", errors.New("dial 10.0.0.1")), 502, `{"error":"Bad Gateway","message":"The upstream could not be reached or broke off","requestId":"id"}`, ""},
		{&fault.Error{Kind: fault.Unavailable, RetryAfter: time.Nanosecond}, 503, `{"error":"Service Unavailable","message":"Not available right now","retryAfter":1,"requestId":"id"}`, "Retry-After=1"},
		{fault.New(fault.GatewayTimeout, "x", ""), 504, `{"error":"Gateway Timeout","message":"The upstream did not answer in time","requestId":"id"}`, ""},
		{fault.New(fault.HTTPSRequired, "x", ""), 403, `{"error":"Forbidden","message":"HTTPS is required"}`, ""},
		{fault.New(fault.HeadTooLarge, "x", ""), 431, `{"error":"Request Header Fields Too Large","message":"The request head is too large"}`, ""},
	} {
		r := Flat(c.fault, "id", "dec")
		if r.Status != c.status || strings.TrimSpace(string(r.Body)) != c.body || !json.Valid(r.Body) {
			t.Errorf("%d %s\nwant %d %s", r.Status, r.Body, c.status, c.body)
		}
		want := []string{"Cache-Control=no-store", "Content-Type=application/json; charset=utf-8", "X-Content-Type-Options=nosniff", "X-Portreeve-Decision=dec"}
		if c.fields != "" {
			want = append(want, c.fields)
		}
		for _, w := range want {
			name, value, _ := strings.Cut(w, "=")
			if got := r.Header.Values(name); len(got) != 1 || !strings.HasPrefix(got[0], value) {
				t.Errorf("%d: %s is %q, want %q", c.status, name, got, value)
			}
		}
		if len(r.Header) != len(want) {
			t.Errorf("%d: fields %v", c.status, r.Header)
		}
	}
	if r := Flat(fault.New(fault.NotFound, "", ""), "id", ""); r.Header.Has("X-Portreeve-Decision") {
		t.Error("a fault without decision names one")
	}
}

func TestWhoamiAndHealth(t *testing.T) {
	t.Parallel()
	g := serving(t, `{rbac: {roles: [{name: editor, permissions: ["docs:read"]}]}, routes: [{path: /a, method: get, response: x}]}`)
	for _, c := range []struct{ name, line, field, want string }{
		{"nobody", "GET /.portreeve/whoami", "", `{"authenticated":false,"kind":"anonymous","emailVerified":false,"roles":[],"scopes":[],"permissions":[]}`},
		{"health", "GET /health", "", `{"ok":true,"version":"1.2.3"}`},
		{"health does not look at credentials", "GET /health", "Authorization: Bearer bad", `{"ok":true,"version":"1.2.3"}`},
	} {
		a := g.ask(c.line, c.field)
		if a.status != 200 || strings.TrimSpace(a.body) != c.want || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
	a := g.ask("GET /.portreeve/whoami", bearer(alice.with("scope", "a b", "auth_time", clock.Unix()-9, "sub", "h\u00e9<")))
	var w map[string]any
	if err := json.Unmarshal([]byte(a.body), &w); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"authenticated": true, "provider": "jwt", "subject": "h\u00e9<", "email": "alice@example.com", "emailVerified": true, "tenant": "main", "kind": "user",
		"authTime": "2026-03-01T11:59:51Z", "expiresAt": "2026-03-01T13:00:00Z",
	} {
		if w[name] != want {
			t.Errorf("%s is %v, want %v", name, w[name], want)
		}
	}
	for name, want := range map[string][]any{"roles": {"editor"}, "permissions": {"docs:read"}, "scopes": {"a", "b"}} {
		if got, _ := w[name].([]any); !slices.Equal(got, want) {
			t.Errorf("%s are %v, want %v", name, w[name], want)
		}
	}
	if got, _ := w["claims"].(map[string]any); got["scope"] != "a b" {
		t.Errorf("claims are %v", w["claims"])
	}
	if a := g.ask("GET /.portreeve/whoami", "Authorization: Bearer bad"); a.status != 401 {
		t.Errorf("a bad credential: %d", a.status)
	}
	access := g.ask("GET /.portreeve/whoami", "Cf-Access-Jwt-Assertion: "+accessToken())
	if !strings.Contains(access.body, `"provider":"access"`) {
		t.Errorf("by Access: %s", access.body)
	}
}
