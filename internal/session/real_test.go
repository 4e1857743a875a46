package session

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/test/oidc"
)

// A certified provider: sign-in through its own forms, refresh with rotation, and
// sign-out that it tells by the back channel.
func TestARealProvider(t *testing.T) {
	t.Parallel()
	k := &kit{t: t, url: storetest.SQLiteURL(t)}
	k.at.Store(time.Now().UnixMilli())
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(k.browser().ask("POST /.portreeve/backchannel/corp", string(body), "Content-Type: application/x-www-form-urlencoded").status)
	}))
	t.Cleanup(back.Close)
	s := oidc.StartFor(t, oidc.Web{ID: "portreeve", Secret: "s3cret", RedirectURIs: []string{"https://app.example/.portreeve/callback/corp"},
		AfterLogout: []string{"https://app.example/.portreeve/signed-out"}, BackChannel: back.URL, SIDInTheToken: true})
	k.start(s.Issuer)
	two := k.newNode(s.Issuer)

	person, err := s.Person("alice")
	if err != nil {
		t.Fatal(err)
	}
	b := k.browser()
	begun := b.ask("GET /.portreeve/login?return=/private", "")
	begun = b.ask("GET "+begun.header("Location"), "")
	came, err := person.Authorize(t.Context(), begun.header("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if came.Path != "/.portreeve/callback/corp" || came.Query().Get("iss") != s.Issuer {
		t.Fatalf("back at %s", came.Path)
	}
	if r := b.callback(came.Query()); r.status != 303 || r.header("Location") != "/private" {
		t.Fatalf("%d %s %v", r.status, r.body, r.fault)
	}
	if w := b.who(); w["subject"] != "alice" || w["email"] != "alice@example.com" || w["emailVerified"] != true {
		t.Errorf("%v", w)
	}
	if r := k.browser(); r.callback(came.Query()).status != 400 {
		t.Error("replayed")
	}
	for range 5 {
		k.advance(65 * time.Second)
		tab := b.tab(two)
		done := make(chan bool)
		go func() { done <- tab.in() }()
		if !b.in() || !<-done {
			t.Fatal("a refresh logged somebody out")
		}
	}
	if n := k.count(`SELECT refresh_rev FROM sessions`); n != 5 {
		t.Errorf("%d refreshes", n)
	}

	k.at.Store(time.Now().UnixMilli()) // logout tokens live for two minutes, by the provider's clock
	r := b.tab(k.node).ask("GET /.portreeve/signed-out?at=corp", "")
	end := between(r.body, `href="`+s.Issuer, `"`)
	left, err := person.Logout(t.Context(), s.Issuer+strings.ReplaceAll(end, "&amp;", "&"))
	if err != nil {
		t.Fatal(err)
	}
	if left.String() != "https://app.example/.portreeve/signed-out" {
		t.Errorf("led to %s", left)
	}
	if b.in() || k.events("session.ended") != 1 {
		t.Error("signed out at the provider, and still in here")
	}
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}
