package properties

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/request"
)

// family are the headers by which a proxy tells what it was asked, by whom and
// from where.
var family = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server",
	"X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Path", "X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Forwarded-By", "X-Forwarded-Client-Cert", "X-Forwarded",
	"X-Original-URL", "X-Original-URI", "X-Original-Method", "X-Original-Host", "X-Original-For", "X-Original-Proto", "X-Rewrite-URL",
	"X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override",
	"X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "Fastly-Client-IP",
	"X-Envoy-External-Address", "X-Azure-ClientIP", "Proxy-Client-IP", "WL-Proxy-Client-IP",
	"X-Scheme", "X-Url-Scheme", "Front-End-Https", "CF-Visitor", "X-Host", "X-Request-Id",
}

var familyValues = []string{
	"10.9.9.9", "10.9.9.9, 127.0.0.1", "127.0.0.1", "for=10.9.9.9;proto=https;host=evil.test", "for=\"[2001:db8::1]\"", "evil.test", "https", "on", "443",
	"/users", "/who?x=1", "http://evil.test/users", "DELETE", "POST", "{\"scheme\":\"https\"}", "unknown", "", "forged-request-id", "::ffff:10.9.9.9", "garbage \xff",
}

const forwardedRoutes = `  - {path: /ip, method: any, allow: {ips: [10.9.9.9]}}
  - {path: /not-ip, method: any, deny: {ips: [10.9.9.9]}, requireAuth: true}
  - {path: /here, method: any, data: {ip: "{{request.ip}}", path: "{{request.path}}", method: "{{request.method}}"}}
  - {path: /go, method: any, redirect: "https://x.example/{{request.ip}}?from={{request.path}}"}
  - {path: /one, method: get}
  - {path: /one, method: delete, requiredPermissions: ["users:read"]}
`

// telling draws what a peer that pretends to be a proxy sends. names are those
// that it may use.
func telling(t *rapid.T, names []string) []request.Field {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) request.Field {
		name := rapid.SampledFrom(names).Draw(t, "name")
		if rapid.Bool().Draw(t, "aliased") {
			if a := alias(t, name); !slices.ContainsFunc(family, func(f string) bool { return strings.EqualFold(f, a) }) {
				name = a
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "apt") > 0 {
			return request.Field{Name: name, Value: apt(name)}
		}
		return request.Field{Name: name, Value: rapid.SampledFrom(familyValues).Draw(t, "value")}
	}), 1, 5).Draw(t, "told")
}

// apt is a value that a reader who believed the header would act on.
func apt(name string) string {
	name = strings.ToLower(name)
	for _, a := range []struct{ in, value string }{
		{"request-id", "forged-request-id"}, {"visitor", `{"scheme":"https"}`}, {"ssl", "on"}, {"proto", "https"}, {"scheme", "https"}, {"https", "on"},
		{"port", "443"}, {"host", "evil.test"}, {"server", "evil.test"}, {"method", "DELETE"}, {"uri", "/users"}, {"url", "/users"}, {"path", "/users"}, {"prefix", "/users"},
		{"-", "10.9.9.9"}, {"forwarded", "for=10.9.9.9;proto=https;host=evil.test"},
	} {
		if strings.Contains(name, a.in) {
			return a.value
		}
	}
	return "10.9.9.9"
}

// outcome is all that anybody can see of a request, but what differs each time.
type outcome struct {
	Status  int
	Header  map[string][]string
	Body    string
	Target  string
	Told    map[string]string
	Trailer int
	Log     map[string]any
}

func (c *client) outcome(t fataler, a answer) outcome {
	t.Helper()
	o := outcome{Status: a.status, Header: maps.Clone(map[string][]string(a.header)), Log: maps.Clone(c.d.log.line(t, a.id))}
	for _, changing := range []string{"X-Request-Id", "X-Portreeve-Decision", "Date", "Content-Length"} {
		delete(o.Header, changing)
	}
	for _, changing := range []string{"time", "request", "ms", "decision", "bytes"} {
		delete(o.Log, changing)
	}
	if a.saw != nil {
		o.Target, o.Told, o.Trailer = a.saw.Method+" "+a.saw.Target, told(a.saw), len(a.saw.Trailers)
		return o
	}
	o.Body = a.body
	return o
}

// asked are requests whose outcome hangs on method, path, host, scheme and
// address.
func asked(t testing.TB, w *world) []struct {
	method, target string
	fields         []request.Field
} {
	kinds := w.kinds(t)
	person := kinds[2].present(kinds[2].token)
	var out []struct {
		method, target string
		fields         []request.Field
	}
	for _, target := range []string{"/open", "/closed", "/users", "/ip", "/not-ip", "/here", "/go", "/one", "/nowhere"} {
		for _, method := range []string{"GET", "DELETE"} {
			for _, who := range [][]request.Field{nil, bearer(kinds[0].token)} {
				out = append(out, struct {
					method, target string
					fields         []request.Field
				}{method, target, who})
			}
		}
	}
	for _, origin := range []string{"http://x.test", "https://x.test", "http://evil.test"} { // an ambient credential: same site or not
		out = append(out, struct {
			method, target string
			fields         []request.Field
		}{"POST", "/team", append(slices.Clone(person), request.Field{Name: "Origin", Value: origin})})
	}
	return out
}

// TestP8AStrangersWordCountsForNothing: forwarded headers from a peer that is
// not listed change neither decision nor log nor URL nor what the application
// gets.
func TestP8AStrangersWordCountsForNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		w := newWorld(t)
		for _, trusted := range []string{"", "trustedProxies: [192.0.2.0/24, {from: cloudflare, header: CF-Connecting-IP}]\n"} {
			t.Run(fmt.Sprintf("%d listed", strings.Count(trusted, "/")+strings.Count(trusted, "cloudflare")), func(t *testing.T) {
				d := w.startWith(t, e, trusted, forwardedRoutes)
				compare(t, w, d, nil, family)
			})
		}
	})
}

// TestP8AListedProxySpeaksByOneHeader: from a peer that is listed, the one
// header counts that its entry names (with X-Forwarded-Proto for the scheme and
// X-Request-Id for the log), and no other.
func TestP8AListedProxySpeaksByOneHeader(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		w := newWorld(t)
		for name, value := range map[string]string{"X-Forwarded-For": "10.9.9.9", "X-Real-IP": "10.9.9.9", "CF-Connecting-IP": "10.9.9.9", "Forwarded": "for=10.9.9.9;proto=http"} {
			t.Run(name, func(t *testing.T) {
				d := w.startWith(t, e, "trustedProxies: [{from: 127.0.0.1, header: "+name+"}]\n", forwardedRoutes)
				c := d.client(t)
				speaks := request.Field{Name: name, Value: value}
				if a := c.get(t, "x.test", "/here", speaks); !strings.Contains(a.body, `"10.9.9.9"`) || d.log.line(t, a.id)["client"] != "10.9.9.9" {
					t.Fatalf("its own header does not count: %s", a.body)
				}
				others := slices.DeleteFunc(slices.Clone(family), func(f string) bool {
					return f == name || f == "X-Request-Id" || f == "X-Forwarded-Proto"
				})
				compare(t, w, d, []request.Field{speaks}, others)
				compare(t, w, d, nil, others) // and nobody speaks for a proxy that is silent
			})
		}
	})
}

// compare holds requests with what a peer tells, among names, to the same
// requests without. always are fields of both.
func compare(t *testing.T, w *world, d *edge, always []request.Field, names []string) {
	t.Helper()
	c := d.client(t)
	requests := asked(t, w)
	without := make([]outcome, len(requests))
	for i, r := range requests {
		without[i] = c.outcome(t, c.send(t, r.method, head(r.method, "x.test", r.target, slices.Concat(r.fields, always)...)+"\r\n"))
	}
	same := func(t fataler, i int, said ...request.Field) {
		t.Helper()
		r := requests[i]
		with := c.outcome(t, c.send(t, r.method, head(r.method, "x.test", r.target, slices.Concat(said, r.fields, always)...)+"\r\n"))
		if diff := cmp.Diff(without[i], with); diff != "" {
			t.Fatalf("%s %s with %q (-without +with):\n%s", r.method, r.target, said, diff)
		}
	}
	var all []request.Field
	for i, name := range names { // each alone
		all = append(all, request.Field{Name: name, Value: apt(name)})
		same(t, i%len(requests), all[i])
		same(t, len(requests)-1-i%4, all[i])
	}
	for i := range requests { // all at once
		same(t, i, all...)
	}
	rapid.Check(t, func(t *rapid.T) {
		same(t, rapid.IntRange(0, len(requests)-1).Draw(t, "request"), telling(t, names)...)
	})
	if text := d.log.text(); strings.Contains(text, "evil.test") || strings.Contains(text, "forged-request-id") {
		t.Error("the log repeats what a stranger said")
	}
}

// TestP8AddressesOfNobodysChoosing: a rate limit by address counts a stranger
// once, whatever addresses it claims.
func TestP8AddressesOfNobodysChoosing(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		d := start(t, e, "routes: [{path: /few, method: get, response: ok, rateLimit: {windowMs: 3600000, max: 5}}]\n", nil)
		c := d.client(t)
		for i := range 40 {
			said := request.Field{Name: family[i%len(family)], Value: fmt.Sprintf("10.0.0.%d", i)}
			a := c.get(t, "x.test", "/few", said)
			if want := map[bool]int{true: 200, false: 429}[i < 5]; a.status != want {
				t.Fatalf("request %d with %v: %d, want %d", i+1, said, a.status, want)
			}
		}
		lines, _ := json.Marshal(d.log.text())
		if strings.Contains(string(lines), "10.0.0.") {
			t.Error("the log repeats a stranger's address")
		}
	})
}
