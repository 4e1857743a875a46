package browser

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/test/oidc"
)

// Two tabs whose tokens have expired ask at once, again and again. The provider
// takes a refresh token once, and a second use for theft; nobody is logged out.
func twoTabs(t *testing.T, h *house) {
	rounds := 30
	if n, err := strconv.Atoi(os.Getenv("PORTREEVE_ROUNDS")); err == nil {
		rounds = n
	}
	people := oidc.StartPeople(t)
	var ahead atomic.Int64
	w := h.start(t, people, "", func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	one := w.signIn("anna", "/app/one")
	two := one.beside().goTo(w.origin + "/app/two").lands("/app/two")
	for round := range rounds {
		ahead.Add(int64(31 * time.Second)) // tokens are refreshed twice a minute at most
		var all sync.WaitGroup
		for _, b := range []*tab{one, two} {
			all.Go(func() {
				got, err := try[[]int](b, fmt.Sprintf(`Promise.all([1, 2, 3].map((n) => fetch("/app/%d/" + n).then((r) => r.status)))`, round))
				if err != nil || len(got) != 3 || got[0] != 200 || got[1] != 200 || got[2] != 200 {
					t.Errorf("round %d: %v %v", round, got, err)
				}
			})
		}
		if all.Wait(); t.Failed() {
			return
		}
	}
	if good, bad := people.Refreshes(t); good != rounds || bad != 0 {
		t.Errorf("%d refreshes and %d that were refused in %d rounds", good, bad, rounds)
	}
}
