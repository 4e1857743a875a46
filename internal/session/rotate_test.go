package session

import (
	"testing"

	"github.com/portreeve/portreeve/internal/store"
)

// Whoever has shown a second factor, and then reads a page for a while, is signed
// in still: the answer to the factor carried the session's new cookie.
func TestASteppedUpSessionGoesOn(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		quiet(k)
		b := k.browser()
		b.signIn()
		who, err := k.s.Verify(t.Context(), b.jar["__Host-portreeve"], "app")
		if err != nil {
			t.Fatal(err)
		}
		var cookie string
		k.tx(func(tx *store.Tx) (err error) { cookie, err = k.s.StepUpIn(tx, who); return err })
		before := b.tab(k.node)
		b.jar["__Host-portreeve"] = cookie
		k.advance(oldCookie)
		if !b.in() || b.jar["__Host-portreeve"] != cookie {
			t.Error("signed out by a second factor")
		}
		if before.in() {
			t.Error("the cookie before is good for too long")
		}
		// By a cookie that does not count any more nobody gets to one that does.
		k.tx(func(tx *store.Tx) (err error) { cookie, err = k.s.StepUpIn(tx, who); return err })
		if cookie != "" {
			t.Error("an old cookie leads to a new one")
		}
	})
}
