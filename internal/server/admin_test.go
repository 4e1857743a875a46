package server

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/secret"
)

func TestAdmin(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("t", 32)
	ring := explain.NewRing()
	ring.Add(explain.Record{ID: "known", Status: 403})
	reloads := 0
	tcp := AdminOptions{Token: secret.New(token), Hosts: AdminHosts(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9787}),
		Ring: ring, State: func() any { return "fine" }, Reload: func() error { reloads++; return nil }}
	socket := tcp
	socket.Token, socket.Socket = secret.Value{}, true
	locked := socket
	locked.Token = secret.New(token)
	profiled, bare, failing := tcp, tcp, tcp
	profiled.Pprof = true
	bare.Token = secret.Value{}
	failing.Reload = func() error { return errors.New("portreeve.yaml:1:1: a problem") }

	for _, test := range []struct {
		name         string
		o            AdminOptions
		method, path string
		host         string
		fields       []string
		status       int
		says         string
	}{
		{"state", tcp, "GET", "/state", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 200, "fine"},
		{"localhost", tcp, "GET", "/state", "localhost:9787", []string{"Authorization", "Bearer " + token}, 200, ""},
		{"no token", tcp, "GET", "/state", "127.0.0.1:9787", nil, 401, "Bearer"},
		{"another token", tcp, "GET", "/state", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token + "x"}, 401, ""},
		{"an empty token", tcp, "GET", "/state", "127.0.0.1:9787", []string{"Authorization", "Bearer "}, 401, ""},
		{"Basic", tcp, "GET", "/state", "127.0.0.1:9787", []string{"Authorization", "Basic " + token}, 401, ""},
		{"two tokens", tcp, "GET", "/state", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}, 401, ""},
		{"a name that was rebound", tcp, "GET", "/state", "admin.example.com", []string{"Authorization", "Bearer " + token}, 421, ""},
		{"a page", tcp, "POST", "/reload", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token, "Origin", "http://127.0.0.1:9787"}, 403, "web pages"},
		{"a page with Origin null", socket, "GET", "/state", "x", []string{"Origin", "null"}, 403, ""},
		{"an empty Origin", socket, "GET", "/state", "x", []string{"Origin", ""}, 403, ""},
		{"TCP without a token", bare, "GET", "/state", "127.0.0.1:9787", nil, 403, "no token"},
		{"TCP without a token, an empty one given", bare, "GET", "/state", "127.0.0.1:9787", []string{"Authorization", "Bearer "}, 403, ""},
		{"the socket", socket, "GET", "/state", "anything", nil, 200, ""},
		{"the socket with a token, none given", locked, "GET", "/state", "x", nil, 401, ""},
		{"the socket with a token", locked, "GET", "/state", "x", []string{"Authorization", "Bearer " + token}, 200, ""},
		{"reload", tcp, "POST", "/reload", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 200, "true"},
		{"reload by GET", tcp, "GET", "/reload", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 405, ""},
		{"reload by HEAD", tcp, "HEAD", "/reload", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 405, ""},
		{"reload of a bad file", failing, "POST", "/reload", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 422, "portreeve.yaml:1:1"},
		{"explain", tcp, "GET", "/explain/known", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 200, "known"},
		{"explain another", tcp, "GET", "/explain/unknown", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 404, "no such decision"},
		{"pprof unasked", tcp, "GET", "/debug/pprof/", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 404, ""},
		{"pprof", profiled, "GET", "/debug/pprof/", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 200, ""},
		{"pprof's command line", profiled, "GET", "/debug/pprof/cmdline", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 404, ""},
		{"pprof without the token", profiled, "GET", "/debug/pprof/heap", "127.0.0.1:9787", nil, 401, ""},
		{"anything else", tcp, "GET", "/", "127.0.0.1:9787", []string{"Authorization", "Bearer " + token}, 404, ""},
	} {
		before := reloads
		r := httptest.NewRequest(test.method, test.path, nil)
		r.Host = test.host
		for i := 0; i < len(test.fields); i += 2 {
			r.Header.Add(test.fields[i], test.fields[i+1])
		}
		w := httptest.NewRecorder()
		AdminMux(test.o).ServeHTTP(w, r)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) {
			t.Errorf("%s: %d %s", test.name, w.Code, w.Body)
		}
		if done := reloads != before; done != (test.path == "/reload" && w.Code == http.StatusOK) {
			t.Errorf("%s: reloaded %t", test.name, done)
		}
		if strings.Contains(w.Body.String(), token) {
			t.Errorf("%s: the answer holds the token", test.name)
		}
	}
}
