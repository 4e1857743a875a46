package flows

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/standin"
)

const twoIssuers = `
environment: test
tenantApi: false
mfa: false
probes: {listen: "@PROBES@"}
oidc:
  - {name: shaky, issuer: "@SHAKY@", audience: api}
  - {name: steady, issuer: "@STEADY@", audience: api}
upstream: "@ECHO@"
routes:
  - {path: /orders, method: get, requireAuth: true}
  - {path: /public, method: get}
`

// often refreshes key sets at the interval given, as a configuration cannot.
func often(every time.Duration) func(*keyset.Config) {
	return func(c *keyset.Config) { c.Refresh = every }
}

func issuer(t testing.TB, o standin.IssuerOptions) *standin.Issuer {
	t.Helper()
	i, err := standin.NewIssuer(listen(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	return i
}

// mint makes a token for the audience api, over which claims go.
func mint(t testing.TB, i *standin.Issuer, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"aud": "api"}
	for k, v := range claims {
		all[k] = v
	}
	return must(i.Mint(all))
}

type readiness struct {
	OK       bool     `json:"ok"`
	Degraded []string `json:"degraded"`
}

func (e *edge) ready(t testing.TB) readiness {
	t.Helper()
	a := e.ask(t, "GET", e.Probes+"/readyz")
	if a.Status != http.StatusOK {
		t.Fatalf("/readyz answers %d", a.Status)
	}
	return decode[readiness](t, a)
}

func TestAnIssuerThatIsDownAtStartIsWaitedForByNobody(t *testing.T) {
	t.Parallel()
	shaky, steady := issuer(t, standin.IssuerOptions{}), issuer(t, standin.IssuerOptions{Alg: "EdDSA"})
	shaky.Outage(true)
	e := start(t, setting{Text: twoIssuers, Words: map[string]string{"SHAKY": shaky.URL(), "STEADY": steady.URL()}, KeySets: often(200 * time.Millisecond)})
	token := mint(t, shaky, nil)
	for _, path := range []string{"/orders", "/public"} {
		a := e.ask(t, "GET", path, bearer(token))
		status(t, a, http.StatusServiceUnavailable, "issuer unavailable")
		if a.Header.Get("Retry-After") == "" || a.Header.Get("X-Portreeve-Decision") == "" {
			t.Errorf("no Retry-After, or no decision: %v", a.Header)
		}
	}
	arrived(t, e.ask(t, "GET", "/public"))
	arrived(t, e.ask(t, "GET", "/orders", bearer(mint(t, steady, nil))))
	refused(t, e.ask(t, "GET", "/orders", bearer(mint(t, shaky, map[string]any{"aud": "else"}))), "wrong audience", "") // known without a key
	if r := e.ready(t); !r.OK || len(r.Degraded) != 1 || !strings.Contains(r.Degraded[0], "shaky") || !strings.Contains(r.Degraded[0], "503") {
		t.Errorf("readiness says %+v", r)
	}

	shaky.Outage(false)
	until(t, "the issuer is back", func() bool { return e.ask(t, "GET", "/orders", bearer(token)).Status == 200 })
	if r := e.ready(t); !r.OK || len(r.Degraded) != 0 {
		t.Errorf("readiness says %+v", r)
	}
}

// The last good keys are used for a day without the issuer, and no longer.
func TestAnIssuerThatGoesDownLaterIsRememberedForADay(t *testing.T) {
	t.Parallel()
	tick := &clock{}
	shaky, steady := issuer(t, standin.IssuerOptions{Now: tick.Now}), issuer(t, standin.IssuerOptions{Now: tick.Now})
	e := start(t, setting{Text: twoIssuers, Words: map[string]string{"SHAKY": shaky.URL(), "STEADY": steady.URL()},
		KeySets: often(300 * time.Millisecond), Clock: tick})
	until(t, "the keys are there", func() bool { return e.ask(t, "GET", "/orders", bearer(mint(t, shaky, nil))).Status == 200 })
	shaky.Outage(true)
	until(t, "readiness tells", func() bool { // of this issuer alone: the other may not have been asked yet
		list := e.ready(t).Degraded
		return len(list) == 1 && strings.Contains(list[0], "shaky") && strings.Contains(list[0], "are used")
	})
	tick.Advance(23 * time.Hour)
	arrived(t, e.ask(t, "GET", "/orders", bearer(mint(t, shaky, nil))))
	tick.Advance(2 * time.Hour)
	status(t, e.ask(t, "GET", "/orders", bearer(mint(t, shaky, nil))), 503, "issuer unavailable")
	until(t, "the other issuer's keys are fresh", func() bool {
		return e.ask(t, "GET", "/orders", bearer(mint(t, steady, nil))).Status == 200
	})
}

// P9: what an issuer answers instead of keys harms nobody but itself.
func TestIssuersThatMisbehaveHarmThemselvesAlone(t *testing.T) {
	t.Parallel()
	good := issuer(t, standin.IssuerOptions{})
	release := make(chan struct{})
	bad := map[string]http.HandlerFunc{
		"garbage":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>sign in</html>")) },
		"refusing": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"redirecting": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, good.URL()+"/jwks", http.StatusFound)
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			_, _ = w.Write([]byte(`{"keys":[`))
		},
		"huge": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[`))
			for r.Context().Err() == nil { // until Portreeve has had enough
				if _, err := w.Write([]byte(strings.Repeat(" ", 64<<10))); err != nil {
					return
				}
			}
		},
		"slow": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		},
	}
	text := "environment: test\noidc:\n  - {name: good, issuer: \"" + good.URL() + "\", audience: api}\n"
	tokens := map[string]string{}
	for n := range 8 { // more than there are workers for signatures
		bad[fmt.Sprint("slow", n)] = bad["slow"]
	}
	for name, answer := range bad {
		url := misbehaving(t, answer)
		text += "  - {name: " + name + ", issuer: \"" + url + "\", audience: api}\n"
		tokens[name] = mint(t, good, map[string]any{"iss": url})
	}
	text += "upstream: \"@ECHO@\"\nroutes: [{path: /orders, method: get, requireAuth: true}]\n"
	e := start(t, setting{Text: text})

	var stuck sync.WaitGroup
	for name, token := range tokens {
		if !strings.HasPrefix(name, "slow") {
			continue
		}
		for range 4 { // whoever asks for a slow one waits, and nobody else
			stuck.Go(func() {
				a, err := e.try(context.Background(), "GET", "/orders", bearer(token))
				if err != nil || a.Status != http.StatusServiceUnavailable {
					t.Errorf("%s: %d, %v", name, a.Status, err)
				}
			})
		}
	}
	until(t, "all of them wait", func() bool {
		state := decode[struct{ Parked struct{ Running int } }](t, e.admin(t, "/state"))
		return state.Parked.Running >= 9
	})
	for range 50 {
		arrived(t, e.ask(t, "GET", "/orders", bearer(mint(t, good, nil))))
	}
	for name, token := range tokens {
		if !strings.HasPrefix(name, "slow") {
			t.Run(name, func(t *testing.T) {
				from := time.Now()
				status(t, e.ask(t, "GET", "/orders", bearer(token)), 503, "issuer unavailable")
				if took := time.Since(from); took > 5*time.Second {
					t.Errorf("it took %v: the answer was read to no end", took)
				}
			})
		}
	}
	close(release)
	stuck.Wait()
}

// misbehaving is an issuer whose discovery is in order and whose keys are not.
func misbehaving(t testing.TB, keys http.HandlerFunc) string {
	t.Helper()
	l := listen(t)
	url := "http://" + l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(encode(map[string]string{"issuer": url, "jwks_uri": url + "/keys"}))
	})
	mux.HandleFunc("/keys", keys)
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return url
}
