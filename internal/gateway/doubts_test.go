package gateway

import (
	"strings"
	"testing"
)

func TestWhatIsHardlyMeant(t *testing.T) {
	t.Parallel()
	const up = "upstream: 'http://127.0.0.1:9000'"
	guarded := "{path: /admin/*, method: any, requireAuth: true, " + up + "}"
	for name, c := range map[string]struct{ text, want string }{
		"the root of a guarded tree is open": {"routes: [{path: /*, method: any, " + up + "}, " + guarded + "]", "routes[1].path: /admin itself is not under it and goes to routes[0] (/*)"},
		"by a parameter":                     {"routes: [{path: '/:page', method: get, " + up + "}, " + guarded + "]", "/admin itself is not under it"},
		"it is open on purpose":              {"routes: [{path: /admin, method: any, " + up + "}, " + guarded + "]", ""},
		"it is guarded":                      {"routes: [{path: /*, method: any, requireAuth: true, " + up + "}, " + guarded + "]", ""},
		"it is nobody's":                     {"routes: [" + guarded + "]", ""},
		"it is answered here":                {"routes: [{path: /*, method: any, data: {}}, " + guarded + "]", ""},
		"other methods":                      {"routes: [{path: /*, method: post, " + up + "}, {path: /admin/*, method: get, requireAuth: true, " + up + "}]", ""},
		"the whole site is guarded":          {"allow: {ips: 10.0.0.0/8}\nroutes: [{path: /*, method: any, " + up + "}, " + guarded + "]", ""},
		"on a named site":                    {"sites: [{hosts: a.example, routes: [{path: /*, method: any, " + up + "}, " + guarded + "]}]", "sites[0].routes[1].path: /admin itself"},
		"an upstream without routes":         {up, "upstream: nothing goes there"},
		"a value in a page":                  {"routes: [{path: /a, method: get, response: '<b>{{query.n}}</b>', headers: {content-type: text/HTML}}]", "routes[0].response: values stand in this markup"},
		"a value in plain text":              {"routes: [{path: /a, method: get, response: 'Hi {{query.n}}'}]", ""},
		"a page without values":              {"routes: [{path: /a, method: get, response: '<b>hi</b>', headers: {Content-Type: text/html}}]", ""},
		"an upstream with routes":            {up + "\nroutes: [{path: /*, method: any}]", ""},
	} {
		g := serving(t, c.text)
		if c.want == "" && strings.Contains(g.problems, "p.yaml") || !strings.Contains(g.problems, c.want) {
			t.Errorf("%s:\n%s\nwant %q", name, g.problems, c.want)
		}
	}
}
