package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/identity"
)

// Cookies that are made up cost the store 600 look-ups a minute and address, and
// take nothing from keys, nor keys from them.
func TestCookiesThatAreNoSessionAreBoundedApart(t *testing.T) {
	t.Parallel()
	g, _, _ := hosting(t, withSessions, olgas(), nil)
	from := func(peer string, fields ...string) answer {
		a := arrival("GET /open", fields...)
		a.Peer = addrPort(peer)
		return g.send(a, "")
	}
	madeUp := func(i int) string { return fmt.Sprintf("Cookie: %s=entra.none.n%d......", identity.CookieSession, i) }
	const here, elsewhere = "203.0.113.7:1", "203.0.113.8:1"
	if got := from(here, session("olga")); got.status != 200 {
		t.Fatal(got.status, got.body)
	}
	for i := range 31 {
		if got, want := from(here, fmt.Sprint("X-Api-Key: prk_none", i, "-acme")), map[bool]int{true: 401, false: 429}[i < 30]; got.status != want {
			t.Fatalf("key %d: %d", i, got.status)
		}
	}
	for i := range 602 {
		if got, want := from(here, madeUp(i)), map[bool]int{true: 401, false: 429}[i < 600]; got.status != want {
			t.Fatalf("cookie %d: %d %s", i, got.status, got.code)
		}
	}
	if got := from(here, madeUp(0)); got.header.Get("Retry-After") == "" || !strings.Contains(fmt.Sprint(got.steps), "credentials that fail, by address: session") {
		t.Errorf("%v %v", got.header, got.steps)
	}
	if got := from(here, session("olga")); got.status != 200 {
		t.Errorf("a session that is remembered: %d", got.status)
	}
	for i := range 600 { // and the other way about
		from(elsewhere, madeUp(i))
	}
	for i := range 30 {
		if got := from(elsewhere, fmt.Sprint("X-Api-Key: prk_none", i, "-acme")); got.status != 401 {
			t.Fatalf("after cookies, key %d: %d", i, got.status)
		}
	}
	g.now = g.now.Add(time.Minute)
	if got := from(here, madeUp(1)); got.status != 401 {
		t.Errorf("a minute later: %d", got.status)
	}
}
