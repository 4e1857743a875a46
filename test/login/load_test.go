package login_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
)

// TestAThousandLoginsAtOnce signs a thousand people in at once, three times over:
// everybody comes in, and afterwards the process holds no more than after the first
// round.
func TestAThousandLoginsAtOnce(t *testing.T) { //nolint:paralleltest // it measures the process
	const people = 1000
	w := start(t, map[string]string{"TOP": "trustedProxies: [127.0.0.1/32]", "TIMEOUT": "20s", "RISKTIME": "10s", "USERTIME": "20s"})
	for n := range people {
		w.auth0.Add(standin.Person{Email: fmt.Sprintf("p%d@example.com", n), Password: password})
		w.users.Put(standin.User{ID: fmt.Sprintf("u%d", n), Email: fmt.Sprintf("p%d@example.com", n), Status: "active"})
	}
	round := func() {
		var all sync.WaitGroup
		failed := make(chan string, people)
		for n := range people {
			all.Go(func() {
				a, err := w.try(t, "auth.example", "POST", "/oauth/token", fmt.Sprintf(`{"username":"p%d@example.com","password":%q}`, n, password),
					"Content-Type: application/json", "X-Castle-Request-Token: "+w.castle.Token(), fmt.Sprintf("X-Forwarded-For: 10.1.%d.%d", n/250, n%250))
				if err != nil {
					failed <- err.Error()
				} else if a.Status != 200 {
					failed <- fmt.Sprint(a.Status, " ", a.Body)
				}
			})
		}
		all.Wait()
		close(failed)
		if len(failed) > 0 {
			t.Errorf("%d of %d did not come in; one: %s", len(failed), people, <-failed)
		}
		w.forget()
	}
	held := func() (goroutines int, bytes uint64) {
		client.CloseIdleConnections()
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapAlloc
	}
	round()
	goroutines, bytes := held()
	round()
	round()
	edge.Until(t, "the goroutines of 2,000 logins are gone", func() bool { now, _ := held(); return now <= goroutines+20 })
	// A login leaves a token in the stand-in, a device token that counted, a success
	// in the lock-out's table: 8 KiB each are more than all of it.
	if _, now := held(); now > bytes+2*people*(8<<10) {
		t.Errorf("%d KiB before, %d KiB after 2,000 logins more", bytes>>10, now>>10)
	}
}
