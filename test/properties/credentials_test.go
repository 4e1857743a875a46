package properties

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/request"
)

// mangled is a token cut everywhere, a flipped bit in each place (all of them at
// the last ones, some of which base64 does not need), and every character before
// and behind it. Blanks at the ends are no part of a field's value, so they are
// not among them.
func mangled(token string) []string {
	var out []string
	for i := range len(token) {
		out = append(out, token[:i])
		if i%8 == 0 {
			out = append(out, token[i+1:])
		}
		for bit := range 8 {
			if bit != i*5%8 && i < len(token)-3 {
				continue
			}
			b := []byte(token)
			b[i] ^= 1 << bit
			if s := string(b); !strings.ContainsAny(s, "\r\n") {
				out = append(out, s)
			}
		}
	}
	for c := byte('!'); c <= '~'; c++ {
		out = append(out, string(c)+token, token+string(c))
	}
	p := strings.Split(token, ".")
	return append(out, token+"."+token, token+"."+p[2], p[0]+"."+p[1]+".", p[0]+"."+p[1], p[0]+".."+p[2], "."+p[1]+"."+p[2],
		"eyJhbGciOiJub25lIn0."+p[1]+".", "eyJhbGciOiJub25lIn0."+p[1]+"."+p[2], p[0]+"."+p[1]+"."+strings.ToUpper(p[2]),
		token+"=", token+"==", strings.ReplaceAll(token, "-", "+"), strings.ReplaceAll(token, "_", "/"), "\""+token, token+"\"", "", ".", "..", "...")
}

// TestP6AnyChangeOfACredentialIsRefused: a token that differs in one bit from a
// good one, even one that was remembered a moment ago, opens nothing; nothing of
// what it claims reaches the application, the answer or the log.
func TestP6AnyChangeOfACredentialIsRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		w := newWorld(t)
		d := w.start(t, e)
		c := d.client(t)
		for _, kind := range w.kinds(t) {
			t.Run(kind.name, func(t *testing.T) {
				if a := c.get(t, "x.test", "/closed", kind.present(kind.token)...); a.status != 200 || a.saw == nil {
					t.Fatalf("the whole token: %d %s", a.status, a.body)
				}
				for i, bad := range mangled(kind.token) {
					switch cookie := kind.name == "Access cookie"; {
					case bad == kind.token, cookie && strings.HasPrefix(bad, kind.token+";"):
						continue // ";" ends a cookie and is no part of it
					case cookie && i%3 > 0 && i < 1000:
						continue // it is the header's token in another place
					}
					target := []string{"/open", "/who", "/closed"}[i/3%3]
					a := c.get(t, "x.test", target, kind.present(bad)...)
					if a.status != 401 && a.status != 400 || a.saw != nil {
						t.Fatalf("%s: change %d, %q: %d %s", target, i, bad, a.status, a.body)
					}
					if whole := fmt.Sprint(a.header, a.body); strings.Contains(whole, mark) {
						t.Fatalf("change %d: the answer tells what the token claims: %s", i, whole)
					}
					if line := d.log.line(t, a.id); line["user"] != nil {
						t.Fatalf("change %d: the log believes the token: %v", i, line)
					}
				}
			})
			if text := d.log.text(); strings.Contains(text, mark) || strings.Contains(text, kind.token[:len(kind.token)/2]) {
				t.Errorf("%s: the log tells a claim or a token", kind.name)
			}
		}
	})
}

// matrix is what each caller may do: the sum of the site's requirements.
var matrix = map[string]map[string]int{
	"HS256 token":   {"/open": 200, "/closed": 200, "/docs": 403, "/users": 200, "/local": 200, "/foreign": 401, "/team": 401, "/who": 200},
	"RS256 token":   {"/open": 200, "/closed": 200, "/docs": 403, "/users": 200, "/local": 401, "/foreign": 200, "/team": 401, "/who": 200},
	"Access header": {"/open": 200, "/closed": 200, "/docs": 403, "/users": 403, "/local": 401, "/foreign": 401, "/team": 200, "/who": 200},
	"Access cookie": {"/open": 200, "/closed": 200, "/docs": 403, "/users": 403, "/local": 401, "/foreign": 401, "/team": 200, "/who": 200},
	"nobody":        {"/open": 200, "/closed": 401, "/docs": 401, "/users": 401, "/local": 401, "/foreign": 401, "/team": 401, "/who": 200},
	"crafted":       {"/open": 401, "/closed": 401, "/docs": 401, "/users": 401, "/local": 401, "/foreign": 401, "/team": 401, "/who": 401},
}

// TestP4WhatIsRememberedDependsOnTheWholeCredential: many callers at once, each
// with the others' tokens, halves of tokens and requirements in flight, and each
// gets its own answer.
func TestP4WhatIsRememberedDependsOnTheWholeCredential(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		w := newWorld(t)
		d := w.start(t, e)
		kinds := w.kinds(t)
		half := func(a, b string) string { // one's claims under the other's signature
			return a[:strings.LastIndexByte(a, '.')] + b[strings.LastIndexByte(b, '.'):]
		}
		again := w.kinds(t) // the same people with other tokens
		callers := append(kinds,
			kind{name: "nobody", present: func(string) []request.Field { return nil }},
			kind{name: "crafted", token: half(kinds[0].token, w.hs256(t, map[string]any{"sub": "eve"})), present: bearer},
			kind{name: "crafted", token: half(kinds[1].token, kinds[2].token), present: bearer},
			kind{name: "crafted", token: half(kinds[1].token, again[1].token), present: bearer})
		var group sync.WaitGroup
		for worker := range 8 {
			c := d.client(t)
			group.Go(func() {
				for i := range 25 {
					who := callers[(worker+i*3)%len(callers)]
					for target, want := range matrix[who.name] {
						if (i+worker)%3 == 0 && who.name == "HS256 token" { // a token that nobody saw before
							who.token = w.hs256(t, map[string]any{"sub": "alice", "role": "admin", "jti": fmt.Sprint(worker, i, target)})
						}
						try(t, c, who, target, want)
					}
				}
			})
		}
		group.Wait()
	})
}

func try(t *testing.T, c *client, who kind, target string, want int) {
	a := c.get(gentle{t}, "x.test", target, who.present(who.token)...)
	if a.status != want || (a.saw != nil) != (want == 200 && target != "/who") {
		t.Errorf("%s at %s: %d, want %d: %s", who.name, target, a.status, want, a.body)
		return
	}
	if a.saw == nil {
		return
	}
	told := a.saw.CGI["HTTP_X_PORTREEVE_SUBJECT"]
	if who.subject != "" && told != who.subject || who.name == "nobody" && told != "" ||
		strings.HasPrefix(who.name, "Access") && a.saw.CGI["HTTP_X_PORTREEVE_EMAIL"] != "carol@example.com" {
		t.Errorf("%s at %s: the application was told %q", who.name, target, told)
	}
}

// gentle is a test that may be failed from another goroutine.
type gentle struct{ *testing.T }

func (g gentle) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// TestP3GarbageOpensNothing: no combination of fields that anything parses, with
// anything in them, opens what asks for a credential.
func TestP3GarbageOpensNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		w := newWorld(t)
		d := w.start(t, e)
		c := d.client(t)
		kinds := w.kinds(t)
		names := slices.Concat([]string{"Authorization", "authorization", "Cookie", "Cf-Access-Jwt-Assertion", "CF-Access-Client-Id", "X-Api-Key",
			"Origin", "Sec-Fetch-Site", "Accept", "Content-Type", "Expect", "Upgrade", "Range", "Host"}, identityNames, family)
		pieces := []string{"Bearer ", "bearer", "Basic ", "Bearer\t", "CF_Authorization=", "CF_Authorization", "cf_authorization=", ";", ",", ".", "..", "=", "\"", " ", "\t",
			"e30", "eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzI1NiJ9", "127.0.0.1", "alice", "admin", "true", "https", "\xff", "%00", "{{auth.sub}}", strings.Repeat("a.", 2000),
			kinds[0].token[:40], kinds[1].token[:40], kinds[2].token[40:]}
		rapid.Check(t, func(t *rapid.T) {
			fields := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) request.Field {
				return request.Field{Name: rapid.SampledFrom(names).Draw(t, "name"),
					Value: strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 4).Draw(t, "value"), "")}
			}), 1, 4).Draw(t, "fields")
			for _, target := range []string{"/closed", "/docs", "/users", "/local", "/foreign", "/team"} {
				for _, method := range []string{"GET", "POST"} {
					a := c.send(t, method, head(method, "x.test", target, fields...)+"\r\n")
					if a.status < 400 || a.status >= 500 || a.saw != nil {
						t.Fatalf("%s %s with %q: %d %s", method, target, fields, a.status, a.body)
					}
				}
			}
		})
	})
}

// TestP3AnIssuerThatIsAwayOpensNothing: until its keys are known, an issuer's
// tokens are neither good nor bad, and open nothing.
func TestP3AnIssuerThatIsAwayOpensNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		w := newWorld(t)
		w.issuer.Outage(true)
		d := start(t, e, w.config("", ""), w.files())
		c := d.client(t)
		token := w.kinds(t)[1].token
		for target := range matrix["nobody"] {
			if a := c.get(t, "x.test", target, bearer(token)...); a.status != 503 || a.saw != nil || strings.Contains(a.body, "127.0.0.1") {
				t.Errorf("%s: %d %s", target, a.status, a.body)
			}
			if a := c.get(t, "x.test", target); a.status != matrix["nobody"][target] {
				t.Errorf("%s without a credential: %d %s", target, a.status, a.body)
			}
		}
	})
}
