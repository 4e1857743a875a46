package gateway

import (
	"slices"
	"strings"
	"testing"
)

const corsFile = `
cors: {origins: [https://app.example.com, "http://localhost:3000"], credentials: true, maxAge: 10m}
routes:
  - {path: /a, method: [get, post], requireAuth: true, response: ok}
  - {path: /own, method: get, response: ok, cors: {origins: "*", methods: [get, put], headers: [X-One, X-Two]}}
  - {path: /own, method: post, response: ok, cors: {origins: [https://post.example]}}
  - {path: /opt, method: [get, options], response: ok}
`

// corsOf are the CORS fields of an answer, sorted; one that stands twice shows.
func corsOf(a answer) string {
	var out []string
	for _, f := range a.header {
		if name, ok := strings.CutPrefix(f.Name, "Access-Control-"); ok && name != "Expose-Headers" {
			out = append(out, name+"="+f.Value)
		}
	}
	slices.Sort(out)
	return itoa(a.status) + " " + strings.Join(out, "; ")
}

func TestCORS(t *testing.T) {
	t.Parallel()
	g := serving(t, corsFile)
	const preflight = "Access-Control-Request-Method: "
	for _, c := range []struct {
		name, line string
		fields     []string
		want       string
	}{
		{"a listed origin", "GET /a", []string{"Origin: https://app.example.com", bearer(alice)}, "200 Allow-Credentials=true; Allow-Origin=https://app.example.com"},
		{"on refusals too", "GET /a", []string{"Origin: http://localhost:3000"}, "401 Allow-Credentials=true; Allow-Origin=http://localhost:3000"},
		{"on 404 too", "GET /nowhere", []string{"Origin: http://localhost:3000"}, "404 Allow-Credentials=true; Allow-Origin=http://localhost:3000"},
		{"a foreign origin", "GET /a", []string{"Origin: https://evil.example", bearer(alice)}, "200 "},
		{"a longer origin", "GET /a", []string{"Origin: https://app.example.com.evil.example", bearer(alice)}, "200 "},
		{"another scheme", "GET /a", []string{"Origin: http://app.example.com", bearer(alice)}, "200 "},
		{"another port", "GET /a", []string{"Origin: http://localhost:3001", bearer(alice)}, "200 "},
		{"the origin null", "GET /a", []string{"Origin: null", bearer(alice)}, "200 "},
		{"two origins", "GET /a", []string{"Origin: https://app.example.com", "Origin: https://app.example.com", bearer(alice)}, "200 "},
		{"none", "GET /a", []string{bearer(alice)}, "200 "},
		{"the route's replaces the site's", "GET /own", []string{"Origin: https://any.example"}, "200 Allow-Origin=*"},
		{"the route's, by method", "POST /own", []string{"Origin: https://app.example.com"}, "200 "},

		{"a preflight", "OPTIONS /a", []string{"Origin: https://app.example.com", preflight + "POST"},
			"204 Allow-Credentials=true; Allow-Headers=Authorization, Content-Type, X-API-Key; Allow-Methods=GET, HEAD, POST; Allow-Origin=https://app.example.com; Max-Age=600"},
		{"a preflight from elsewhere", "OPTIONS /a", []string{"Origin: https://evil.example", preflight + "POST"}, "204 "},
		{"a preflight for a method that the path has not", "OPTIONS /a", []string{"Origin: https://app.example.com", preflight + "PUT"},
			"204 Allow-Credentials=true; Allow-Headers=Authorization, Content-Type, X-API-Key; Allow-Methods=GET, HEAD, POST; Allow-Origin=https://app.example.com; Max-Age=600"},
		{"a preflight to the route's own", "OPTIONS /own", []string{"Origin: https://any.example", preflight + "GET"}, "204 Allow-Headers=X-One, X-Two; Allow-Methods=GET, PUT; Allow-Origin=*"},
		{"a preflight to another method's own", "OPTIONS /own", []string{"Origin: https://post.example", preflight + "POST"},
			"204 Allow-Headers=Authorization, Content-Type, X-API-Key; Allow-Methods=GET, HEAD, POST; Allow-Origin=https://post.example"},
		{"a preflight where OPTIONS is listed", "OPTIONS /opt", []string{"Origin: https://app.example.com", preflight + "GET"},
			"204 Allow-Credentials=true; Allow-Headers=Authorization, Content-Type, X-API-Key; Allow-Methods=GET, HEAD, OPTIONS; Allow-Origin=https://app.example.com; Max-Age=600"},
		{"with a bad credential, which is not looked at", "OPTIONS /a", []string{"Origin: https://evil.example", preflight + "POST", "Authorization: Bearer bad"}, "204 "},
		{"OPTIONS without Origin is a method like the rest", "OPTIONS /a", []string{preflight + "POST"}, "405 "},
		{"OPTIONS without the asked method too", "OPTIONS /opt", []string{"Origin: https://evil.example"}, "200 "},
		{"a preflight to no path", "OPTIONS /nowhere", []string{"Origin: https://evil.example", preflight + "GET"}, "404 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := g.ask(c.line, c.fields...)
			if got := corsOf(a); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if a.header.Get("Vary") != "Origin" || a.header.Count("Vary") != 1 {
				t.Errorf("Vary: %q", a.header.Values("Vary"))
			}
			if a.status == 204 && a.x.Found.Present {
				t.Error("a preflight was identified")
			}
		})
	}
	bare := serving(t, `routes: [{path: /a, method: get, response: ok}, {path: /b, method: any, response: ok}]`)
	for line, want := range map[string]string{"OPTIONS /a": "405 ", "OPTIONS /b": "200 ", "GET /b": "200 "} {
		if got := corsOf(bare.ask(line, "Origin: https://app.example.com", preflight+"GET")); got != want {
			t.Errorf("without cors, %s: %s, want %s", line, got, want)
		}
	}
}

func TestCORSProblems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ cors, want string }{
		{`{origins: ["*"], credentials: true}`, "cors.origins[0]: \"*\" and credentials: true exclude"},
		{`{origins: [https://a.example], headers: ["*"], credentials: true}`, "cors.headers[0]: \"*\" and credentials"},
		{`{origins: [https://a.example], methods: ["*"], credentials: true}`, "cors.methods[0]: \"*\" and credentials"},
		{`{origins: [https://a.example/]}`, "not an origin"}, {`{origins: [a.example]}`, "not an origin"}, {`{origins: ["null"]}`, "not an origin"},
		{`{origins: ["https://*.example"]}`, "not an origin"}, {`{origins: [https://u@a.example]}`, "not an origin"}, {`{origins: [https://a.example?]}`, "not an origin"},
		{`{origins: [https://a.example], headers: ["X A"]}`, "cors.headers[0]"}, {`{origins: [https://a.example], methods: ["ge t"]}`, "cors.methods[0]"},
		{`{credentials: true}`, "origins"}, {`{origins: ["*"], headers: ["*"]}`, "warnings only:"},
	} {
		for _, text := range []string{"cors: " + c.cors + "\nroutes: [{path: /a, method: get, response: x}]", "routes: [{path: /a, method: get, response: x, cors: " + c.cors + "}]"} {
			if p := load(t, text).problems; !strings.Contains(p, c.want) {
				t.Errorf("%s: %s, want %s", c.cors, p, c.want)
			}
		}
	}
}
