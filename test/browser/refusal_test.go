package browser

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/app"
)

// Who lacks a permission is told so on a page, whose decision id says why to who
// runs the site, and from which one signs out, here and at the provider.
func refusal(t *testing.T, h *house) {
	w := h.portreeve(t)
	b := w.signIn("anna", "/app/one").goTo(w.origin + "/docs/write").shows("You cannot open this page")
	id := eval[string](b, `document.querySelector(".id").innerText`)
	if b.last().status != 403 || b.last().header["x-portreeve-decision"] != id || len(id) < 16 {
		t.Errorf("%d, decision %q", b.last().status, id)
	}
	rec, err := app.Lookup(w.Source, id)
	if err != nil {
		t.Fatal(err)
	}
	if raw, _ := json.Marshal(rec); !strings.Contains(string(raw), "docs:write") {
		t.Errorf("the trace does not say what was missing: %s", raw)
	}
	if strings.Contains(b.text(), "docs:write") {
		t.Error("the page says which permission it asks for")
	}
	b.click("form button").shows("You are signed out")
	if b.in() {
		t.Error("signed in still")
	}
	b.click("a.button").click(atProvider).shows("You are signed out")
	b.quiet()
}
