package login

import (
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/castle"
)

// What is left of the time for scoring is that of the exchanges: a store under load
// takes none of it, or a crowd would be turned away as if Castle were late.
func TestWaitingForTheStoreTakesNoTimeOfScoring(t *testing.T) {
	t.Parallel()
	good := canned{status: 200, body: tokens("refresh-2", map[string]any{"sub": "auth0|1", "email": "ann@example.com"})}
	for _, c := range []struct {
		what         string
		waits, takes time.Duration
		scored       bool
	}{
		{"a long wait for the store", time.Minute, 100 * time.Millisecond, true},
		{"a Castle that took all of it", 0, 800 * time.Millisecond, false},
	} {
		k := newKit(t, setting{})
		k.risk.action, k.risk.wait, k.risk.waits, k.risk.takes = castle.Allow, true, c.waits, c.takes
		k.queue = []canned{good}
		k.send("POST /oauth/token", ann, device)
		if steps := strings.Join(k.took(), "\n"); strings.Contains(steps, "risk risk $login $succeeded") != c.scored {
			t.Errorf("%s: scored after the success is not %v:\n%s", c.what, c.scored, steps)
		}
	}
}
