package app

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const observed = `
environment: test
jwt: {secret: "{{file.key}}"}
rbac: {}
log: {file: access.log}
routes:
  - {path: /me, method: get, requireAuth: true, data: {}}
  - {path: /users/:id, method: get, requiredPermissions: ["users:read"], data: {}}
`

// accessLines are the access lines of the log, all others left out.
func accessLines(t *testing.T, file string) (lines []map[string]any, text string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if m["msg"] == "access" {
			lines = append(lines, m)
		}
	}
	return lines, string(raw)
}

// One line for each request, with what is needed to find it again and nothing
// that a client may have meant for our eyes alone.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	s := serveFile(t, observed, "key", secret32)
	log := filepath.Join(s.dir, "access.log")
	bearer := s.token("alice@example.com")
	_, _, h := s.get("/me?query-text=1", "Authorization", bearer, "X-Secret", "header-text")
	_, _, h2 := s.get("/users/7?query-text=1", "Authorization", bearer, "X-Secret", "header-text", "Cookie", "a=cookie-text")
	s.get("/me?query-text=1", "Authorization", "Bearer ey.not-a-token.x")
	s.get("/n%6Fwhere", "User-Agent", "agent-text")
	eventually(t, "four lines", func() bool { lines, _ := accessLines(t, log); return len(lines) == 4 })
	lines, text := accessLines(t, log)
	slices.SortFunc(lines, func(a, b map[string]any) int { return strings.Compare(a["time"].(string), b["time"].(string)) })

	first := lines[0]
	for key, want := range map[string]any{"site": "default", "route": "/me", "method": "GET", "path": "/me", "status": 200.0,
		"bytes": 2.0, "client": "127.0.0.1", "provider": "jwt", "action": "api_request", "resource": "/me", "request": h.Get("X-Request-Id")} {
		if first[key] != want {
			t.Errorf("%s is %v, want %v", key, first[key], want)
		}
	}
	for _, key := range []string{"time", "ms", "user"} {
		if first[key] == nil {
			t.Errorf("no %s", key)
		}
	}
	if _, refused := first["decision"]; refused {
		t.Error("a request that was let through has a decision id")
	}
	user, _ := first["user"].(string)
	if !strings.HasPrefix(user, "mail:") || lines[1]["user"] != user {
		t.Errorf("the user is %q, and then %q", user, lines[1]["user"])
	}
	if lines[1]["decision"] != h2.Get("X-Portreeve-Decision") || lines[1]["reason"] == nil {
		t.Errorf("the refusal is %v", lines[1])
	}
	for _, leak := range []string{"query-text", "header-text", "cookie-text", "agent-text", "not-a-token", "alice@example.com", secret32, strings.TrimPrefix(bearer, "Bearer ")} {
		if strings.Contains(text, leak) {
			t.Errorf("the log holds %q", leak)
		}
	}

	// log: {user: email} takes effect at a reload, and so does a rotated file.
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	if err := s.reload(strings.Replace(observed, "file: access.log", "file: access.log, user: email", 1)); err != nil {
		t.Fatal(err)
	}
	s.get("/me", "Authorization", bearer)
	eventually(t, "a line in the new file", func() bool { lines, _ := accessLines(t, log); return len(lines) == 1 })
	lines, _ = accessLines(t, log)
	if got := lines[0]["user"]; got != "alice@example.com" {
		t.Errorf("the user is %v", got)
	}
}

// /livez, /readyz and /metrics, and nothing else.
func TestProbes(t *testing.T) {
	t.Parallel()
	probes := free(t)
	s := serveFile(t, observed+"probes: {listen: '"+probes+"'}\n", "key", secret32)
	s.get("/me", "Authorization", s.token("alice"))
	s.get("/me")
	s.get("/nowhere/" + strings.Repeat("x", 100))
	at := "http://" + probes
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/metrics": 200, "/": 404, "/me": 404, "/state": 404, "/debug/pprof/": 404, "/reload": 404} {
		if got := <-ask(at + path); got.status != want {
			t.Errorf("%s answers %d, want %d", path, got.status, want)
		}
	}
	var metrics string
	eventually(t, "three requests counted", func() bool {
		metrics = (<-ask(at + "/metrics")).body
		return strings.Contains(metrics, `portreeve_requests_total{site="default",status="404"} 1`)
	})
	for _, line := range []string{
		`portreeve_requests_total{site="default",status="200"} 1`, `portreeve_requests_total{site="default",status="401"} 1`,
		`portreeve_refusals_total{reason="no_route",site="default"} 1`, `portreeve_keys_ready{provider="jwt"} 1`,
		`portreeve_request_seconds_count{site="default"} 3`, "portreeve_parked_running 0", "go_goroutines ",
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no line %s", line)
		}
	}
	if strings.Contains(metrics, "nowhere") || strings.Contains(metrics, "alice") {
		t.Error("a label holds what a client sent")
	}
	scan := bufio.NewScanner(strings.NewReader(metrics))
	for n := 0; scan.Scan(); n++ {
		if n > 1000 {
			t.Fatal("more lines than anybody reads")
		}
	}
}
