package flows

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/peer"
)

// shell runs a document's command with the site's address for the document's
// and variables in place, and returns the body and status.
func shell(t *testing.T, line string, variables ...string) (body, code string) {
	t.Helper()
	peer.Program(t, "curl")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line+` -s -w '\n%{http_code}'`)
	cmd.Env = append(cmd.Environ(), variables...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	text := strings.TrimSpace(string(out))
	at := strings.LastIndexByte(text, '\n') + 1
	return strings.TrimSpace(text[:at]), text[at:]
}

// The backend's authentication page: its snippets in one file, as they are
// printed there, &#123; included, and its calls.
func TestTheBackendsDocumentsWork(t *testing.T) {
	t.Parallel()
	g := google{signer(t, "RS256", "token-key"), signer(t, "RS256", "session-key")}
	e := start(t, setting{KeySets: g.answers,
		Files: map[string]string{".dev.vars": "JWT_SECRET=" + sharedSecret + "\nFIREBASE_PROJECT_ID=demo-project\nFIREBASE_CLIENT_EMAIL=robot@demo-project.test\nFIREBASE_PRIVATE_KEY=none\n"},
		Text: `{
  "environment": "dev",
  "jwt": { "secret": "{{env.JWT_SECRET}}" },
  "firebase": {
    "projectId": "&#123;&#123;env.FIREBASE_PROJECT_ID&#125;&#125;",
    "clientEmail": "&#123;&#123;env.FIREBASE_CLIENT_EMAIL&#125;&#125;",
    "privateKey": "&#123;&#123;env.FIREBASE_PRIVATE_KEY&#125;&#125;"
  },
  "rbac": { "enabled": true, "defaultRole": "user" },
  "upstream": "@ECHO@",
  "routes": [
    { "path": "/admin/users", "method": "get", "requireAuth": true },
    { "path": "/admin/users", "method": "delete", "requireAuth": true, "requiredPermissions": ["users:delete"] },
    { "path": "/profile", "method": "get", "authProvider": "firebase" },
    { "path": "/me", "method": "get", "requireAuth": true,
      "data": { "user_id": "&#123;&#123;auth.sub&#125;&#125;", "role": "&#123;&#123;auth.role&#125;&#125;" } }
  ]
}`})
	token := func(sub string, roles ...string) string {
		made, err := app.Token(e.Source, app.TokenRequest{Subject: sub, Roles: roles, Expires: 600e9, Now: e.Clock.Now()})
		return "TOKEN=" + must(made, err)
	}
	firebaseToken := "TOKEN=" + sign(t, g.tokens, idToken(nil))
	for _, c := range []struct{ name, line, token, code, body string }{
		{"JWT", `curl -X GET http://localhost:3000/admin/users -H "Authorization: Bearer $TOKEN"`, token("alice"), "200", `"X-Portreeve-Subject: alice"`},
		{"nobody", `curl -X GET http://localhost:3000/admin/users`, "", "401", `{"error":"Unauthorized","message":"Invalid or expired token"}`},
		{"what JWT_SECRET did not sign", `curl -X GET http://localhost:3000/admin/users -H "Authorization: Bearer $TOKEN"`,
			"TOKEN=" + sign(t, shared(strings.Repeat("other", 8)), nil), "401", `"message":"Invalid or expired token"`},
		{"templates", `curl -X GET http://localhost:3000/me -H "Authorization: Bearer $TOKEN"`, token("alice", "admin"), "200", `{"user_id":"alice","role":"admin"}`},
		{"permissions", `curl -X DELETE http://localhost:3000/admin/users -H "Authorization: Bearer $TOKEN"`, token("alice", "admin"), "200", `"method": "DELETE"`},
		{"without the permission", `curl -X DELETE http://localhost:3000/admin/users -H "Authorization: Bearer $TOKEN"`, token("bob"), "403",
			`{"error":"Forbidden","message":"Insufficient permissions"}`},
		{"Firebase", `curl -X GET http://localhost:3000/profile -H "Authorization: Bearer $TOKEN"`, firebaseToken, "200", `"X-Portreeve-Provider: firebase"`},
		{"Firebase only", `curl -X GET http://localhost:3000/profile -H "Authorization: Bearer $TOKEN"`, token("alice"), "401", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, code := shell(t, strings.ReplaceAll(c.line, "http://localhost:3000", e.URL), c.token)
			if code != c.code || !strings.Contains(body, c.body) {
				t.Errorf("%s: %s\nwant %s with %s", code, body, c.code, c.body)
			}
		})
	}
}

// The agents page: Access's header, the service token's exchange, and the
// shape of the claims that it prints.
func TestTheAgentsDocumentsWork(t *testing.T) {
	t.Parallel()
	a := accessTeam(t, standin.AccessOptions{Audience: "your-audience-tag-here", ServiceTokens: []standin.ServiceToken{{ID: "id.access", Secret: "s3cret"}}})
	e := start(t, setting{Words: map[string]string{"CERTS": a.CertsURL()}, Files: map[string]string{".dev.vars": "CF_ACCESS_AUD=your-audience-tag-here\n"}, Text: `
environment: dev
access: {teamDomain: acme.cloudflareaccess.com, certsURL: "@CERTS@"}
upstream: "@ECHO@"
routes:
  - {path: /api/agents, method: get}
  - {path: /api/agents, method: post, requireAuth: true}
`})
	const host, identity = "https://your-domain.com", "https://your-team.cloudflareaccess.com"
	at := func(line string) string {
		return strings.NewReplacer(host, e.URL, identity, a.URL(), "<jwt-token>", "$TOKEN", " \\\n ", " ").Replace(line)
	}
	printed := must(a.Mint("user@example.com", map[string]any{"type": nil, "nbf": nil, "identity_nonce": nil, "country": nil, "sub": "user-id"}))
	if _, code := shell(t, at(`curl https://your-domain.com/api/agents`)); code != "200" {
		t.Errorf("without authentication: %s", code)
	}
	for _, line := range []string{
		"curl https://your-domain.com/api/agents \\\n  -H \"CF-Access-JWT-Assertion: <jwt-token>\"",
		"curl https://your-domain.com/api/agents \\\n  -H \"CF-Access-JWT-Assertion: $TOKEN\"",
		"curl -X POST https://your-domain.com/api/agents \\\n  -H \"CF-Access-JWT-Assertion: $TOKEN\"",
	} {
		if body, code := shell(t, at(line), "TOKEN="+printed); code != "200" || !strings.Contains(body, `"X-Portreeve-Subject: user-id"`) {
			t.Errorf("%s: %s %s", line, code, body)
		}
	}
	token, code := shell(t, at("curl -X POST \"https://your-team.cloudflareaccess.com/cdn-cgi/access/get-identity\" \\\n"+
		"  -H \"CF-Access-Client-Id: $CLIENT_ID\" \\\n  -H \"CF-Access-Client-Secret: $CLIENT_SECRET\""), "CLIENT_ID=id.access", "CLIENT_SECRET=s3cret")
	if code != "200" {
		t.Fatalf("get-identity: %s %s", code, token)
	}
	if body, code := shell(t, at(`curl -X POST https://your-domain.com/api/agents -H "CF-Access-JWT-Assertion: $TOKEN"`), "TOKEN="+token); code != "200" || !strings.Contains(body, `"X-Portreeve-Subject: id.access"`) {
		t.Errorf("by a service token: %s %s", code, body)
	}
	if _, code := shell(t, at(`curl -X POST https://your-domain.com/api/agents`)); code != "401" {
		t.Errorf("nobody: %s", code)
	}
	// The headers beside the token say nothing.
	if _, code := shell(t, at(`curl -X POST https://your-domain.com/api/agents -H "CF-Access-Authenticated-User-Email: user@example.com" -H "CF-Access-Client-Id: id.access"`)); code != "401" {
		t.Errorf("by the headers beside it: %s", code)
	}
}
