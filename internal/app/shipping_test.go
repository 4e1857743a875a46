package app

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// datadogIntake keeps what is shipped, and the keys that came with it.
type datadogIntake struct {
	mu      sync.Mutex
	entries []map[string]any
	all     string
	keys    map[string]bool
}

func newIntake(t *testing.T) (*datadogIntake, string) {
	d := &datadogIntake{keys: map[string]bool{}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z, err := gzip.NewReader(r.Body)
		if err != nil || r.URL.Path != "/api/v2/logs" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		raw, _ := io.ReadAll(z)
		d.mu.Lock()
		defer d.mu.Unlock()
		var list []map[string]any
		if json.Unmarshal(raw, &list) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		d.keys[r.Header.Get("DD-API-KEY")] = true
		d.entries, d.all = append(d.entries, list...), d.all+string(raw)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(s.Close)
	return d, s.URL
}

func (d *datadogIntake) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.entries)
}

func TestTheAccessLogIsShipped(t *testing.T) {
	t.Parallel()
	d, url := newIntake(t)
	file := func(key string) string {
		return "environment: test\nlog: {datadog: {apiKey: " + key + ", baseURL: \"" + url + "\", service: edge}}\njwt: {secret: " + secret32 + "}\n" +
			"tenantApi: false\nmfa: false\nroutes: [{path: /me, method: get, requireAuth: true, response: hi}]\n"
	}
	s := serveFile(t, file("first-key"))
	if status, _, _ := s.get("/me?code=query-word", "Authorization", s.token("ann@example.com")); status != 200 {
		t.Fatal(status)
	}
	s.get("/me", "Authorization", "Bearer header-word")
	if err := s.reload(file("second-key")); err != nil { // what was logged so far goes out
		t.Fatal(err)
	}
	s.get("/me/unknown")
	if err := s.reload(strings.Replace(file("x"), "apiKey: x", `apiKey: "{{env.NONE:-}}"`, 1)); err != nil {
		t.Fatal(err)
	}
	s.get("/me/not-shipped")
	eventually(t, "three entries", func() bool { return d.count() == 3 })
	figures := s.figures()
	s.stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.keys["first-key"] || !d.keys["second-key"] || len(d.keys) != 2 || len(d.entries) != 3 {
		t.Errorf("%d entries by %v", len(d.entries), d.keys)
	}
	for _, secret := range []string{"query-word", "header-word", "ann@example.com", secret32, "first-key", "second-key"} {
		if strings.Contains(d.all, secret) {
			t.Errorf("%q was shipped", secret)
		}
	}
	first := d.entries[0]
	if first["service"] != "edge" || first["message"] != "GET /me" || first["status"] != "info" || !strings.Contains(first["ddtags"].(string), "env:test") ||
		first["http"].(map[string]any)["status_code"] != 200.0 || !strings.HasPrefix(first["usr"].(map[string]any)["id"].(string), "mail:") {
		t.Errorf("%v", first)
	}
	if !strings.Contains(figures, "portreeve_log_shipped_total") {
		t.Error("nothing in the metrics")
	}
}

func TestWhatIsLeftIsShippedAtTheEnd(t *testing.T) {
	t.Parallel()
	d, url := newIntake(t)
	s := serveFile(t, "environment: test\nlog: {datadog: {apiKey: k, baseURL: \""+url+"\"}}\nroutes: [{path: /x, method: get, response: hi}]\n")
	s.get("/x")
	s.stop()
	if err := <-s.done; err != nil {
		t.Fatal(err)
	}
	s.done <- nil
	if d.count() != 1 {
		t.Errorf("%d entries", d.count())
	}
}

func TestASilentKeyIsFilledByTheVariable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir+"/portreeve.yaml", "environment: test\nlog: {datadog: {}}\n")
	for key, want := range map[string]bool{"": false, "k": true} {
		l, err := Load(Source{Path: dir + "/portreeve.yaml", Getenv: vars(map[string]string{"DATADOG_API_KEY": key})})
		if err != nil || l.Doc.Failed() || l.File.Log.Datadog.On() != want {
			t.Errorf("%q: %v %v", key, l.Doc.Problems(), err)
		}
	}
	l, err := Load(Source{Path: dir + "/portreeve.yaml", Getenv: vars(nil)})
	if err != nil || l.Doc.Failed() || l.File.Log.Datadog.On() {
		t.Errorf("%v %v", l.Doc.Problems(), err)
	}
}
