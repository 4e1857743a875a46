package sms

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestTheWidget(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	n := r.node(r.configured("widget: true"), Place{})
	got := n.ask(caller{ip: "192.0.2.1"}, "GET", "/widget.js", "") // a script element sends no Origin
	if got.status != 200 || !strings.Contains(got.body, "customElements.define") || !strings.HasPrefix(got.header.Get("Content-Type"), "text/javascript") || got.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	if len(got.body) >= 4096 {
		t.Errorf("the widget has %d bytes", len(got.body))
	}
	for _, not := range []string{"innerHTML", "eval(", "document.write", "style=", "import "} {
		if strings.Contains(got.body, not) {
			t.Errorf("the widget holds %q, which strict policies forbid", not)
		}
	}
	if again := n.ask(visitor, "GET", "/widget.js", "", "If-None-Match", got.header.Get("ETag")); again.status != 304 || again.body != "" || again.header.Get("Access-Control-Allow-Origin") != page {
		t.Errorf("%d %v", again.status, again.header)
	}
	n.ask(visitor, "POST", "/widget.js", `{"to":"4155552671"}`).is(t, 403, "unknown_campaign")

	off := r.node(r.configured(""), Place{})
	off.ask(visitor, "GET", "/widget.js", "").is(t, 403, "method_not_allowed")
}
