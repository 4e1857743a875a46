package portal_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// A page names every module that its scripts come to import: the browser loads all
// of them at once, and what it loads is what the page named.
func TestAPageNamesItsModules(t *testing.T) {
	t.Parallel()
	admin := newFleet(t).admin
	p := admin.see("/escrow/setup")
	at := regexp.MustCompile(`(?:script type="module" src|modulepreload" href)="(/assets/[^"]+)"`).FindAllStringSubmatch(p.body, -1)
	named := map[string]bool{}
	for _, m := range at {
		if named[m[1]] {
			t.Errorf("%s is named twice", m[1])
		}
		named[m[1]] = true
	}
	imports := regexp.MustCompile(`(?m)(?:from|import) ['"](\.[^'"]+)['"]`)
	for name := range named {
		folder := name[:strings.LastIndex(name, "/")+1]
		for _, m := range imports.FindAllStringSubmatch(admin.get(name).is(200).body, -1) {
			if to := folder + strings.TrimPrefix(m[1], "./"); !named[to] {
				t.Errorf("%s imports %s, which the page does not name", name, to)
			}
		}
	}
	if len(named) < 20 {
		t.Errorf("%d modules", len(named))
	}
}

// Every cell of a table says what it is and of which column, for where rows are
// cards.
func TestCellsNameTheirColumns(t *testing.T) {
	t.Parallel()
	admin := newFleet(t).admin
	admin.see("/users").holds(`<table role="table">`, `<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">User</th>`,
		`<th role="rowheader" scope="row">`, `<td role="cell" data-label="State">`, `<td role="cell" data-label="Added">`)
	admin.see("/users").hides("<td>", "<tr>")
}

// The configuration in service is shown in part where it is long, and sent whole.
func TestALongConfigurationIsCut(t *testing.T) {
	t.Parallel()
	h := open(t, "rbac: {roles: [{name: landlord, permissions: [\"*:*\", \"platform:*\"]}]}\nroutes:\n"+manyRoutes(2000))
	h.landlord("main", "lara@example.com")
	lara := h.in("main", "lara@example.com")
	p := lara.see("/configuration").says("The first").holds(`href="/configuration/file"`).hides("/many/1999")
	if len(p.body) > 60<<10 {
		t.Errorf("%d bytes", len(p.body))
	}
	lara.get("/configuration/file").is(200).holds("/many/1999")
	h.as("ann", "viewer").get("/configuration/file").is(403).hides("/many/1999")
	lara.see("/why?search=%2Fmany%2F").says("of 2000")
}

func manyRoutes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  - {path: /many/%d, method: get, requireAuth: true, data: {}}\n", i)
	}
	return b.String()
}
