package mfa

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestACodeIsAcceptedOnce(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna := r.anna()
		secret, codes := r.enrolled(t, anna)
		for _, name := range []string{"app", "backup"} { // in this order: the app's code is of now
			code := codes[0]
			if name == "app" {
				code = r.code(t, secret)
			}
			var accepted, refused atomic.Int32
			storetest.Callers(t, 16, func(i int) error {
				node := r.Service
				if i%2 == 1 {
					node = r.second
				}
				a, err := tryCall(t.Context(), node, anna, "POST", "/mfa/verify", `{"code":"`+code+`"}`)
				switch {
				case err != nil:
					return err
				case a.status == 200:
					accepted.Add(1)
				case a.status == 400 || a.status == 429:
					refused.Add(1)
				default:
					return fmt.Errorf("%d %s", a.status, a.body)
				}
				return nil
			})
			if accepted.Load() != 1 || refused.Load() != 15 {
				t.Errorf("%s: %d accepted, %d refused", name, accepted.Load(), refused.Load())
			}
			r.clock.add(25 * time.Hour) // over the lock that fifteen replays came to
		}
	})
}

func TestAnOlderCodeThanTheLastIsUsedUp(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna := r.anna()
	secret, _ := r.enrolled(t, anna)
	now := r.clock.now()
	call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+r.codeAt(t, secret, now.Add(period))+`"}`).is(t, 200, "")
	call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+r.codeAt(t, secret, now)+`"}`).is(t, 400, `{"error":"Bad Request","message":"Invalid code"}`)
}

func TestWrongCodesLockLongerEachTime(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna, bob := r.anna(), r.person("bob")
		secret, codes := r.enrolled(t, anna)
		bobs, _ := r.enrolled(t, bob)
		// Over all ways and both nodes.
		tries := []func(s *Service) answer{
			func(s *Service) answer { return call(t, s, anna, "POST", "/mfa/verify", `{"code":"000000"}`) },
			func(s *Service) answer { return call(t, s, anna, "POST", "/mfa/verify", `{"code":"aaaa-bbbb-cccc"}`) },
			func(s *Service) answer { return call(t, s, anna, "POST", "/mfa/disable", `{"code":"000000"}`) },
			func(s *Service) answer { return call(t, s, anna, "POST", "/mfa/backup-codes", `{"code":"000000"}`) },
			func(s *Service) answer {
				return call(t, s, anna, "POST", "/mfa/passkeys/register/begin", `{"code":"000000"}`)
			},
		}
		for _, lock := range []time.Duration{15 * time.Minute, time.Hour, 24 * time.Hour, 24 * time.Hour} {
			for i, try := range tries {
				node := r.Service
				if i%2 == 1 {
					node = r.second
				}
				try(node).is(t, 400, `{"error":"Bad Request","message":"Invalid code"}`)
			}
			for _, try := range tries {
				try(r.second).is(t, 429, fmt.Sprintf(`{"error":"Too Many Requests","message":"Too many wrong codes; try again later","retryAfter":%d}`, int(lock.Seconds())))
			}
			right := `{"code":"` + r.code(t, secret) + `"}`
			if a := call(t, r.second, anna, "POST", "/mfa/verify", right).is(t, 429, ""); a.header.Get("Retry-After") != fmt.Sprint(int(lock.Seconds())) {
				t.Errorf("%v", a.header)
			}
			call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+codes[0]+`"}`).is(t, 429, "")
			r.clock.add(lock - time.Second)
			call(t, r.Service, anna, "POST", "/mfa/verify", right).is(t, 429, "")
			r.clock.add(time.Second)
		}
		// What was right while it was locked is not spent; bob has nothing to do with it.
		call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+codes[0]+`"}`).is(t, 200, "")
		call(t, r.Service, bob, "POST", "/mfa/verify", `{"code":"`+r.code(t, bobs)+`"}`).is(t, 200, "")
		if got := r.events(t, "a"); len(slices.DeleteFunc(got, func(s string) bool { return s != "mfa.locked" })) != 4 {
			t.Errorf("the trail: %v", r.events(t, "a"))
		}
		// Long after the last lock a right code makes the next one short again.
		r.clock.add(25 * time.Hour)
		r.token(t, anna, secret)
		for _, try := range tries {
			try(r.Service).is(t, 400, "")
		}
		if until := call(t, r.second, anna, "GET", "/mfa", "").is(t, 200, "").text(t, "lockedUntil"); until != r.clock.now().Add(15*time.Minute).Format(time.RFC3339Nano) {
			t.Errorf("locked until %s", until)
		}
		tries[0](r.Service).is(t, 429, `{"error":"Too Many Requests","message":"Too many wrong codes; try again later","retryAfter":900}`)
	})
}

func TestWrongCodesAreForgottenAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna := r.anna()
	secret, _ := r.enrolled(t, anna)
	for range 3 {
		for range 4 {
			call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"000000"}`).is(t, 400, "")
		}
		r.clock.add(5 * time.Minute)
	}
	r.token(t, anna, secret)
	// A right code in between forgives nothing of the span.
	for range 4 {
		call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"000000"}`).is(t, 400, "")
	}
	r.token(t, anna, secret)
	call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"000000"}`).is(t, 400, "")
	call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"000000"}`).is(t, 429, "")
}

// Whoever guesses slowly enough never to be five times wrong in five minutes is
// locked out all the same: days of it come to a few codes. What is older than a day
// is forgotten.
func TestSlowGuessesAreLockedOutToo(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	anna, bob := r.anna(), r.person("bob")
	r.enrolled(t, anna)
	r.enrolled(t, bob)
	wrong := func(p caller) int { return call(t, r.Service, p, "POST", "/mfa/verify", `{"code":"000000"}`).status }
	for range 2 {
		for range mostOfDay - 1 {
			if got := wrong(bob); got != 400 {
				t.Fatalf("below the bound of a day: %d", got)
			}
			r.clock.add(2 * time.Minute)
		}
		r.clock.add(wrongDay)
	}
	looked := 0
	for at := time.Duration(0); at < 72*time.Hour; at += wrongSpan + time.Second {
		for range mostWrong - 1 {
			if wrong(anna) != 429 {
				looked++
			}
		}
		r.clock.add(wrongSpan + time.Second)
	}
	if looked > 5*mostOfDay || looked < mostOfDay {
		t.Errorf("%d codes were looked at in three days", looked)
	}
}

// Sixteen at once do not look at more than five guesses.
func TestManyGuessesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna := r.anna()
		r.enrolled(t, anna)
		var looked atomic.Int32
		storetest.Callers(t, 16, func(i int) error {
			node := []*Service{r.Service, r.second}[i%2]
			a, err := tryCall(t.Context(), node, anna, "POST", "/mfa/verify", fmt.Sprintf(`{"code":"%06d"}`, i))
			if err == nil && a.status == 400 {
				looked.Add(1)
			} else if err == nil && a.status != 429 {
				err = fmt.Errorf("%d %s", a.status, a.body)
			}
			return err
		})
		if looked.Load() != 5 {
			t.Errorf("%d guesses were looked at", looked.Load())
		}
	})
}

func TestRacesOfEnrolmentLeaveOneFactor(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna := r.anna()
		var enabled atomic.Int32
		secrets := make([]string, 16)
		storetest.Callers(t, 16, func(i int) error {
			node := []*Service{r.Service, r.second}[i%2]
			a, err := tryCall(t.Context(), node, anna, "POST", "/mfa/setup", "")
			if err != nil || a.status != 200 && a.status != 409 {
				return fmt.Errorf("%v %d %s", err, a.status, a.body)
			}
			if a.status == 409 {
				return nil
			}
			secrets[i] = a.text(t, "secret")
			a, err = tryCall(t.Context(), node, anna, "POST", "/mfa/enable", `{"code":"`+r.code(t, secrets[i])+`"}`)
			if err == nil && a.status == 200 {
				enabled.Add(1)
			} else if err == nil && !slices.Contains([]int{400, 409, 429}, a.status) {
				err = fmt.Errorf("%d %s", a.status, a.body)
			}
			return err
		})
		if n := enabled.Load(); n > 1 {
			t.Fatalf("%d factors were enabled", n)
		}
		r.clock.add(25 * time.Hour)
		good := 0
		for _, s := range secrets {
			if s != "" {
				r.clock.add(5 * time.Minute)
				if call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+r.code(t, s)+`"}`).status == 200 {
					good++
				}
			}
		}
		if int32(good) != enabled.Load() && enabled.Load() == 1 {
			t.Errorf("%d secrets are good", good)
		}
		if st := call(t, r.Service, anna, "GET", "/mfa", ""); strings.Contains(st.body, "true") != (enabled.Load() == 1) {
			t.Errorf("%s", st.body)
		}
	})
}
