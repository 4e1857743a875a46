package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/identity"
)

// No upstream sees Portreeve's own cookies, or sets one: by the one of a sign-in
// that has begun it could sign its visitors in as somebody else.
func TestUpstreamsHaveNothingToDoWithOurCookies(t *testing.T) {
	t.Parallel()
	own := []string{identity.CookieSession, identity.CookieMFA, identity.CookiePre}
	sent := make(chan string, 1)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent <- strings.Join(r.Header.Values("Cookie"), "; ")
		for _, name := range append(own, "theirs") {
			w.Header().Add("Set-Cookie", name+"=x; Path=/; Secure")
		}
	}))
	t.Cleanup(up.Close)
	s := serveFile(t, "environment: test\nsession: {devLink: anna@example.com}\nroutes: [{path: /, method: get, identify: none, upstream: '"+up.URL+"'}]\n")
	req, _ := http.NewRequest("GET", s.url+"/", nil)
	req.Header.Set("Cookie", "theirs=1; "+strings.Join(own, "=2; ")+"=2")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if seen := <-sent; resp.StatusCode != 200 || seen != "theirs=1" {
		t.Errorf("%d: the upstream saw %q", resp.StatusCode, seen)
	}
	if got := resp.Header.Values("Set-Cookie"); len(got) != 1 || !strings.HasPrefix(got[0], "theirs=") {
		t.Errorf("it set %q", got)
	}
}
