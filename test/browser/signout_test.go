package browser

import (
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/session"
	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/test/edge"
)

// nodeBound and storeBound are how soon what this process, and another one over the
// same store, has ended is ended everywhere.
const (
	nodeBound  = time.Second
	storeBound = 5 * time.Second
)

// signedOut wants somebody to be signed out within a time, and led to sign in.
func (b *tab) signedOut(within time.Duration) {
	b.t.Helper()
	if took := edge.Until(b.t, "the session ends", func() bool { return !b.in() }); took > within {
		b.t.Errorf("signed out after %v", took)
	}
	if who := b.who(); who["authenticated"] == true {
		b.t.Errorf("whoami: %v", who)
	}
}

const atProvider = `button[name=logout][value=yes]`

func signingOut(t *testing.T, h *house) {
	w := h.portreeve(t)
	one := w.signIn("anna", "/app/one")
	two := one.beside().goTo(w.origin + "/app/two").lands("/app/two")
	two.click("#out").click(atProvider).shows("You are signed out")
	if at := eval[string](two, `location.origin + location.pathname`); at != w.origin+"/.portreeve/signed-out" {
		t.Errorf("signing out leads to %s", at)
	}
	if c := one.cookies(w.origin)[sessionCookie]; c != nil {
		t.Error("the session's cookie stays")
	}
	one.signedOut(nodeBound)
	one.goTo(w.origin + "/app/one").until(`document.querySelector("input[name=login]")`)
	two.click("a.button").until(`document.querySelector("input[name=login]")`)
	two.quiet()
}

// Signing out at the provider signs out here.
func backChannel(t *testing.T, h *house) {
	w := h.portreeve(t)
	anna := w.signIn("anna", "/app/one")
	other := w.signIn("anna", "/app/other-browser")
	bob := w.signIn("bob", "/app/one")
	anna.beside().goTo(w.people.Issuer + "/session/end").click(atProvider).until(`location.pathname === "/session/end/success"`)
	anna.signedOut(nodeBound)
	if !other.in() || !bob.in() {
		t.Error("sessions that the provider did not end have ended")
	}
}

// What who runs Portreeve does by `portreeve users sessions` holds in browsers.
func revoked(t *testing.T, h *house) {
	w := h.portreeve(t)
	host := w.Host(t)
	u, err := host.Tenants.AddUser(t.Context(), host.By(), "main", tenant.NewUser{Email: "anna@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	b := w.signIn("anna", "/app/one")
	if u, err = host.Tenants.User(t.Context(), "main", u.ID); err != nil {
		t.Fatal(err)
	}
	list, err := host.Sessions.Sessions(t.Context(), session.OfUser(u))
	if err != nil || len(list) != 1 || list[0].Provider != "corp" {
		t.Fatalf("%+v, %v", list, err)
	}
	if n, err := host.Sessions.Revoke(t.Context(), session.By{Actor: host.Actor()}, session.OfUser(u), list[0].ID); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	b.signedOut(storeBound)
	// The provider knows her still, and has nothing against her.
	b.goTo(w.origin + "/app/again").lands("/app/again")
}
