package login_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
)

// TestAThousandLoginsAtOnce signs a thousand people in at once: everybody comes in,
// and afterwards the process holds no more than after the first of them did. (Under the race
// detector they are fewer.)
func TestAThousandLoginsAtOnce(t *testing.T) { //nolint:paralleltest // it measures the process
	const people = crowd
	w := start(t, map[string]string{"TOP": "trustedProxies: [127.0.0.1/32]", "TIMEOUT": "20s", "RISKTIME": "10s", "USERTIME": "20s"})
	for n := range people {
		w.auth0.Add(standin.Person{Email: fmt.Sprintf("p%d@example.com", n), Password: password})
		w.users.Put(standin.User{ID: fmt.Sprintf("u%d", n), Email: fmt.Sprintf("p%d@example.com", n), Status: "active"})
	}
	round := func(people int) {
		t.Helper()
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
			t.Errorf("%d of %d did not come in; one: %s\n%s", len(failed), people, <-failed, reasons(w.Log.String()))
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
	round(max(people/4, 150)) // until as many connections are kept as ever are
	goroutines, bytes := held()
	round(people)
	edge.Until(t, "the goroutines of all logins are gone", func() bool { now, _ := held(); return now <= goroutines+100 })
	// A login leaves a refresh token in the stand-in, a device token that counted, a success
	// in the lock-out's table: 8 KiB each are more than all of it.
	_, now := held()
	t.Logf("%d KiB before, %d KiB after", bytes>>10, now>>10)
	if now > bytes+people*(8<<10) {
		t.Error("that is more than 8 KiB for each")
	}
}

// reasons is a few lines of a log that say why.
func reasons(log string) string {
	var out []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, `"status":200`) && !strings.Contains(line, "store migrated") && !strings.Contains(line, `"msg":"configuration"`) && len(out) < 8 {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
