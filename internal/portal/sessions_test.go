package portal_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Whoever is signed in sees where, and whoever may change users ends it.
func TestWhereSomebodyIsSignedIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	olga := h.signedIn()
	olga.see("/sessions").says("this one", "link").hides("End all", "End this session")
	olga.see("/sessions/end").says("There is none to end").hides("<button class=\"button stop\"")
	h.as("ann@example.com", "viewer").see("/sessions").says("You have no session here")

	admin := h.admin()
	id := regexp.MustCompile(`href="/users/([^"/?]+)">(?:<bdi>)?olga@example.com`).FindStringSubmatch(admin.see("/users").body)
	if id == nil {
		t.Fatal("olga is no user")
	}
	page := "/users/" + id[1]
	olga.see(page).says("Signed in", "this one").hides("End all")
	p := admin.see(page).says("Signed in", "End all", "End this session").hides("this one")
	one := regexp.MustCompile(regexp.QuoteMeta(page) + `/sessions/[^"/]+/end`).FindString(p.body)
	admin.see(one).says("End this session of olga@example.com", "has to sign in again")
	admin.get(page + "/sessions/nobody/end").is(404)
	admin.see(page+"/sessions/end").says("1 session ends now", "disable it instead")
	h.as("ann@example.com", "viewer").get(one).is(403)
	olga.see("/sessions").says("this one")

	stale := admin.see(one)
	if to := stale.post(one).is(303).header.Get("Location"); to != page+"?done=session-ended" {
		t.Errorf("leads to %q", to)
	}
	olga.get("/sessions").is(401)
	admin.see(page+"?done=session-ended").says("The session has ended", "In no browser at present").hides("End all")
	if to := admin.sendForm(one, url.Values{"once": {strings.Repeat("0a", 16)}}).is(303).header.Get("Location"); to != page+"?done=session-ended" {
		t.Errorf("ended already, it leads to %q", to)
	}
	admin.see("/audit").says("session.revoked")
}
