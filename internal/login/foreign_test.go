package login

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// Tokens that wait are those of the provider that gave them: after the site has got
// another, they are neither handed out nor shown to it.
func TestTokensThatWaitStayTheirProviders(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	k := newKit(t, setting{db: db})
	t.Run("behind a social code", func(t *testing.T) {
		code := newThere(k).through(t)
		k.answers = nil
		k.u.c.BaseURL = config.URL("https://new.example")
		k.risk.after = castle.Deny
		k.took()
		if got := k.send("POST /oauth/token", redeemed(code, appVerifier), device); got.status != 400 {
			t.Error(got)
		}
		if steps := strings.Join(k.took(), "\n"); strings.Contains(steps, "provider") {
			t.Errorf("the new provider sees it: %s", steps)
		}
	})
	t.Run("behind a factor", func(t *testing.T) {
		k := newKit(t, setting{db: db, factors: noFactors{}, noRisk: true, change: withReissue})
		a := &attempt{answer: newAnswer(200, nil, []byte(tokens("refresh-1", map[string]any{"sub": "1"})))}
		if err := k.u.hold(t.Context(), a, &SignedIn{}); err != nil {
			t.Fatal(err)
		}
		token := a.answer.text("mfa_token")
		k.u.c.BaseURL = config.URL("https://new.example")
		if _, err := k.u.holding(t.Context(), token, Caller{}); !errors.Is(err, errGone) {
			t.Error(err)
		}
		k.now.Add((6 * time.Minute).Milliseconds())
		k.took()
		if err := k.u.PruneHeld(t.Context()); err != nil {
			t.Error(err)
		}
		if steps := strings.Join(k.took(), "\n"); strings.Contains(steps, "provider") {
			t.Errorf("the new provider sees it: %s", steps)
		}
	})
}
