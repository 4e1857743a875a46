package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFiguresOfSignIns(t *testing.T) {
	t.Parallel()
	a := tenant0(t)
	castle := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(castle.Close)
	edge := backofficeAt(a.URL())
	s := serveFile(t, "environment: test\nsites:\n- {hosts: office.example.com, backoffice: "+edge+"}\n- hosts: auth.example.com\n  login: "+
		strings.TrimSuffix(edge, "}")+", metrics: {url: '"+castle.URL+"', batch: 50, interval: 1h}, risk: {castle: {apiSecret: wrong-secret, blocking: true, onError: allow, baseURL: '"+castle.URL+"'}}}\n")
	s.send("POST", "office.example.com", "/oauth/token", credentials)
	s.send("POST", "office.example.com", "/oauth/token", strings.Replace(credentials, "correct horse", "wrong", 1))
	if status, body, _ := s.send("POST", "auth.example.com", "/oauth/token", credentials, "x-castle-request-token", "device"); status != 503 {
		t.Errorf("with a secret that Castle does not know: %d %s", status, body)
	}
	s.send("POST", "auth.example.com", "/metric/track", `{"event": "opened"}`)
	text := s.figures()
	for _, want := range []string{
		`portreeve_login_attempts_total{operation="login",outcome="granted",site="office.example.com"} 1`,
		`portreeve_login_attempts_total{operation="login",outcome="wrong_credentials",site="office.example.com"} 1`,
		`portreeve_login_attempts_total{operation="login",outcome="failed",site="auth.example.com"} 1`,
		`portreeve_castle_refused_total{site="auth.example.com"} 1`, `portreeve_castle_verdicts_total{action="deny",site="auth.example.com"} 0`,
		`portreeve_tracked_events_total{outcome="taken",site="auth.example.com"} 1`, `portreeve_tracked_events_queued{site="auth.example.com"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if strings.Contains(text, "ann@") || strings.Contains(text, `castle_refused_total{site="office`) {
		t.Error("a figure of something else")
	}
}
