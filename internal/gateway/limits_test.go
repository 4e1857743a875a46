package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// limitsOf is what an answer says about limits.
func limitsOf(a answer) string {
	s := fmt.Sprintf("%d %s/%s", a.status, a.header.Get("X-RateLimit-Remaining"), a.header.Get("X-RateLimit-Limit"))
	if r := a.header.Get("Retry-After"); r != "" {
		s += " retry " + r
	}
	return s
}

func TestLimitsByAddressComeBeforeIdentification(t *testing.T) {
	t.Parallel()
	g := serving(t, `{rateLimit: {default: {windowMs: 60000, max: 3}}, routes: [{path: /a, method: get, requireAuth: true, response: ok}]}`)
	for i, want := range []string{"401 2/3", "401 1/3", "404 0/3", "429 0/3 retry 60"} {
		line := "GET /a"
		if i == 2 {
			line = "GET /nowhere" // a miss counts like the rest
		}
		if got := limitsOf(g.ask(line, "Authorization: Bearer bad")); got != want {
			t.Errorf("request %d: %s, want %s", i, got, want)
		}
	}
	a := g.ask("GET /a", bearer(alice))
	if a.status != 429 || a.x.Found.Present {
		t.Errorf("%d; the credential was read: %v", a.status, a.x.Found.Present)
	}
	if want := `{"error":"Too Many Requests","message":"Rate limit exceeded","retryAfter":60}`; strings.TrimSpace(a.body) != want {
		t.Errorf("body %s, want %s", a.body, want)
	}
	if got := a.header.Get("X-RateLimit-Reset"); got != fmt.Sprint(clock.Add(time.Minute).Unix()) {
		t.Errorf("reset %s", got)
	}
	if !failed(a.steps) || a.steps[len(a.steps)-1].Stage != "limit" || !strings.Contains(a.steps[len(a.steps)-1].Check, "rateLimit.default") {
		t.Errorf("the trace does not name the limit: %+v", a.steps)
	}
	g.now = clock.Add(59*time.Second + time.Millisecond)
	if got := limitsOf(g.ask("GET /a")); got != "429 0/3 retry 1" {
		t.Errorf("just before the window is over: %s", got)
	}
	g.now = clock.Add(time.Minute)
	if got := limitsOf(g.ask("GET /a")); got != "401 2/3" {
		t.Errorf("in the next window: %s", got)
	}
}

func TestAddressesCountByTheirNetwork(t *testing.T) {
	t.Parallel()
	g := serving(t, `{rateLimit: {default: {windowMs: 60000, max: 1}}, routes: [{path: /a, method: get, response: ok}]}`)
	from := func(peer string) answer {
		a := arrival("GET /a")
		a.Peer = addrPort(peer)
		return g.send(a, "")
	}
	for _, c := range []struct {
		peer string
		want int
	}{
		{"198.51.100.1:1", 200}, {"198.51.100.1:2", 429}, {"198.51.100.2:1", 200}, {"[::ffff:198.51.100.1]:1", 429},
		{"[2001:db8:0:1::1]:1", 200}, {"[2001:db8:0:1:ffff::]:1", 429}, {"[2001:db8:0:2::1]:1", 200},
	} {
		if a := from(c.peer); a.status != c.want {
			t.Errorf("%s: %d, want %d", c.peer, a.status, c.want)
		}
	}
	for i := range 14 { // sixteen lines of one /48 at all
		if a := from(fmt.Sprintf("[2001:db8:0:%x::1]:1", i+16)); a.status != 200 {
			t.Errorf("line %d of the /48: %d", i+2, a.status)
		}
	}
	a := from("[2001:db8:0:ffff::1]:1")
	if a.status != 429 || !strings.Contains(a.steps[len(a.steps)-1].Check, "rateLimit.default") {
		t.Errorf("a seventeenth line of the /48: %d %+v", a.status, a.steps)
	}
}

func TestEveryLimitThatMatchesCountsAndTheTightestIsReported(t *testing.T) {
	t.Parallel()
	g := serving(t, `
rateLimit: {default: {windowMs: 60000, max: 5}, perEndpoint: {"/u/:id": {windowMs: 60000, max: 4}}}
routes:
  - {path: "/u/:id", method: get, rateLimit: {windowMs: 60000, max: 2, by: principal}, requireAuth: true, response: ok}
  - {path: /free, method: get, response: ok}
`)
	token, bob := bearer(alice), bearer(alice.with("sub", "bob"))
	for i, c := range []struct{ line, field, want string }{
		{"GET /u/1", token, "200 1/2"},
		{"GET /u/2", token, "200 0/2"},
		{"GET /u/3", token, "429 0/2 retry 60"}, // by principal, after identification
		{"GET /u/3", bob, "200 0/4"},            // another principal; the path's limit is tighter now
		{"GET /u/3", bob, "429 0/4 retry 60"},
		{"GET /free", "", "200 0/5"}, // the refused one used nothing up of the site's
		{"GET /free", "", "429 0/5 retry 60"},
	} {
		if got := limitsOf(g.ask(c.line, c.field)); got != c.want {
			t.Errorf("request %d, %s: %s, want %s", i, c.line, got, c.want)
		}
	}
}

func TestWhomLimitsCount(t *testing.T) {
	t.Parallel()
	g := serving(t, `routes:
  - {path: /tenant, method: get, response: ok, rateLimit: {windowMs: 60000, max: 1, by: tenant}}
  - {path: /key, method: get, response: ok, rateLimit: {windowMs: 60000, max: 1, by: key}}`)
	acme, acmeToo, other := bearer(alice.with("tenant_id", "acme")), bearer(alice.with("sub", "bob", "tenant_id", "acme")), bearer(alice.with("tenant_id", "other"))
	for i, c := range []struct {
		line, field string
		want        int
	}{
		{"GET /tenant", acme, 200}, {"GET /tenant", acmeToo, 429}, {"GET /tenant", other, 200},
		{"GET /tenant", "", 200}, {"GET /tenant", "", 429}, // the anonymous by address
		{"GET /key", acme, 200}, {"GET /key", acmeToo, 200}, {"GET /key", acme, 429},
	} {
		if a := g.ask(c.line, c.field); a.status != c.want {
			t.Errorf("request %d: %d, want %d", i, a.status, c.want)
		}
	}
}

func TestLimitsThatAreOffOrNowhere(t *testing.T) {
	t.Parallel()
	g := serving(t, `{rateLimit: {enabled: false, default: {windowMs: 60000, max: 1}, perEndpoint: {/a: {windowMs: 60000, max: 1}}}, routes: [{path: /a, method: get, response: ok}, {path: /b, method: get, response: ok, rateLimit: {windowMs: 60000, max: 1}}]}`)
	for i, line := range []string{"GET /a", "GET /a", "GET /b", "GET /b"} {
		if a := g.ask(line); (a.status == 429) != (i == 3) {
			t.Errorf("request %d: %d", i, a.status)
		}
	}
	if h := g.ask("GET /a").header; h.Has("X-RateLimit-Limit") {
		t.Error("a limit is reported where there is none")
	}
	for _, c := range []struct{ file, want string }{
		{`{rateLimit: {perEndpoint: {/nowhere: {windowMs: 1000, max: 1}}}, routes: [{path: /a, method: get, response: ok}]}`, "/nowhere"},
		{`{rateLimit: {perEndpoint: {/there: {windowMs: 1000, max: 1}}}, sites: [{hosts: [b.example], routes: [{path: /there, method: get, response: ok}]}]}`, ""},
		{`{sites: [{hosts: [b.example], rateLimit: {perEndpoint: {/nowhere: {windowMs: 1000, max: 1}}}, routes: [{path: /there, method: get, response: ok}]}]}`, "/nowhere"},
		{`{rateLimit: {perEndpoint: {/health: {windowMs: 1000, max: 1}}}, routes: [{path: /a, method: get, response: ok}]}`, ""},
	} {
		p := load(t, c.file).problems
		if !strings.HasPrefix(p, "warnings only") || strings.Contains(p, "counts nothing") != (c.want != "") || !strings.Contains(p, c.want) {
			t.Errorf("%s: %s", c.file, p)
		}
	}
}

func TestWhatIsCountedSurvivesAReload(t *testing.T) {
	t.Parallel()
	const text = `{rateLimit: {default: {windowMs: 60000, max: 1}}, routes: [{path: /a, method: get, response: ok}]}`
	g, reloaded := serving(t, text), serving(t, text)
	g.ask("GET /a")
	g.snap = reloaded.snap
	if a := g.ask("GET /a"); a.status != 429 {
		t.Errorf("after a reload: %d", a.status)
	}
	g.snap = serving(t, strings.Replace(text, "max: 1", "max: 9", 1)).snap
	if a := g.ask("GET /a"); a.status != 200 {
		t.Errorf("after a reload with another max: %d", a.status)
	}
}
