package app

import (
	"strings"
	"testing"
)

// The documentation stands at /docs/, each page under its own policy and kept by
// its tag; what else the file has there stays the file's.
func TestServingTheDocumentation(t *testing.T) {
	t.Parallel()
	s, _ := described(t)
	for path, kind := range map[string]string{"/docs/": "text/html", "/docs/index.html": "text/html", "/docs/howto/gateway.html": "text/html", "/docs/manual.css": "text/css",
		"/docs/search.js": "text/javascript", "/docs/search-index.js": "text/javascript", "/docs/examples/gateway.html": "text/html", "/docs/adr/0001-house-and-layers.html": "text/html"} {
		status, body, h := s.get(path)
		if status != 200 || !strings.HasPrefix(h.Get("Content-Type"), kind) || len(body) == 0 || h.Get("Cache-Control") != "no-cache" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, status, h)
		}
		if policy := h.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "require-trusted-types-for 'script'") {
			t.Errorf("%s: %s", path, policy)
		}
		if status, body, _ := s.get(path, "If-None-Match", h.Get("ETag")); status != 304 || body != "" {
			t.Errorf("%s, kept: %d", path, status)
		}
	}
	_, one, _ := s.get("/docs/")
	if _, two, _ := s.get("/docs/index.html"); one != two || !strings.Contains(one, "<small>"+Version()+"</small>") {
		t.Error("the first page is not the same by both of its names, or does not say of which release it is")
	}
	for _, path := range []string{"/docs/7", "/docs/howto", "/docs/howto/nothing.html", "/docs/../docs/7"} {
		if status, _, _ := s.get(path); status == 200 {
			t.Errorf("%s: %d without a credential", path, status)
		}
	}
	off := serveFile(t, "environment: test\nroutes: [{path: /a, method: get, data: {}}]\n")
	if status, _, _ := off.get("/docs/"); status != 404 {
		t.Errorf("without docs: true: %d", status)
	}
}
