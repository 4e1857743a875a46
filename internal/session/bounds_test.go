package session

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// Sign-ins that strangers begin, and never end, fill no store: whatever their
// number, one look removes those that are over, and of the others the oldest beyond
// a bound.
func TestWhatStrangersBeganDoesNotPileUp(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		const many = 3*pruneBatch + 7
		fill := func(kind string, n int, until time.Duration) {
			t.Helper()
			k.tx(func(tx *store.Tx) error {
				for from := 0; from < n; from += 500 {
					var b strings.Builder
					for i := from; i < min(from+500, n); i++ {
						if b.Len() > 0 {
							b.WriteByte(',')
						}
						fmt.Fprintf(&b, "('%s-%d','b-%d','n-%d','app','corp',$1,$2,$3)", kind, i, i, i)
					}
					if _, err := tx.Exec(`INSERT INTO session_starts (state, browser, network, site, provider, sealed, created_at, expires_at) VALUES `+b.String(),
						[]byte("x"), k.now().UnixMilli(), k.now().Add(until).UnixMilli()); err != nil {
						return err
					}
				}
				return nil
			})
		}
		fill("over", many, -time.Second)
		if err := k.s.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := k.count(`SELECT COUNT(*) FROM session_starts`); n != 0 {
			t.Errorf("%d of %d that are over are left", n, many)
		}
		fill("old", 2500, time.Minute)
		fill("new", startsInAll, 10*time.Minute)
		if err := k.s.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if all, old := k.count(`SELECT COUNT(*) FROM session_starts`), k.count(`SELECT COUNT(*) FROM session_starts WHERE state LIKE 'old-%'`); all != startsInAll || old != 0 {
			t.Errorf("%d are left, %d of them the oldest", all, old)
		}
	})
}

// stuck is a provider that takes connections and says nothing.
type stuck struct{ asked chan struct{} }

func (s stuck) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked <- struct{}{}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A provider that hangs holds each who begins a sign-in for their own time, not for
// that of whoever came before.
func TestAProviderThatHangsHoldsNobodyLong(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t), Config{})
	gate := stuck{make(chan struct{}, 100)}
	k.s.http = newClient(&http.Client{Transport: gate}, true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _, _ = k.s.document(ctx, k.oidc) }()
	<-gate.asked
	for range 4 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		began := time.Now()
		if _, err := k.s.document(ctx, k.oidc); err == nil {
			t.Fatal("a document out of nothing")
		}
		cancel()
		if took := time.Since(began); took > 3*time.Second {
			t.Fatalf("it took %v, and whoever asked was gone after 50ms", took)
		}
	}
	if len(gate.asked) > 0 {
		t.Error("the provider was asked more than once at a time")
	}
}

// slow is a provider that takes a moment.
type slow struct{ by time.Duration }

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(s.by):
		return http.DefaultTransport.RoundTrip(r)
	}
}

// Whoever begins a sign-in and goes away keeps nobody else from beginning one.
func TestWhoGoesAwayTakesNobodysAnswer(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t), Config{})
	k.s.http = newClient(&http.Client{Transport: slow{200 * time.Millisecond}}, true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := k.s.document(ctx, k.oidc); err == nil {
		t.Fatal("it waited for longer than its own time")
	}
	if _, err := k.s.document(t.Context(), k.oidc); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// While a description is read anew, sign-ins go on by the one before.
func TestAnOldDescriptionDoesWhileTheProviderIsAsked(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t), Config{})
	if _, err := k.s.document(t.Context(), k.oidc); err != nil {
		t.Fatal(err)
	}
	k.s.http = newClient(&http.Client{Transport: stuck{make(chan struct{}, 100)}}, true)
	k.advance(discoverEvery)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := k.s.document(ctx, k.oidc); err != nil || ctx.Err() != nil {
		t.Errorf("after an hour it waits: %v", err)
	}
}

// Whoever has no credential has the store written 300 times a minute for each way
// in, and no more; another way, another address and another minute are not theirs.
func TestStrangersHaveTheStoreWrittenSoOften(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLiteURL(t), Config{})
	b, near := k.browser(), k.browser()
	near.peer = "203.0.113.10:1"
	for line, body := range map[string]string{
		"GET /.portreeve/login/corp": "", "GET /.portreeve/callback/corp?state=x": "",
		"POST /.portreeve/backchannel/corp": "logout_token=x", "GET /.portreeve/link/x": "",
	} {
		for i := range 301 {
			if r := b.send(line, body); (r.status == 429) != (i == 300) {
				t.Fatalf("%s, request %d: %d", line, i, r.status)
			}
		}
		if r := near.send(line, body); r.status == 429 {
			t.Errorf("%s from another address: 429", line)
		}
	}
	k.advance(time.Minute)
	b.signIn()
}

// Of an office behind one address everybody can sign in, whatever somebody there
// begins and never ends; beyond 2,000 the oldest go.
func TestStartsOfOneAddress(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		first, second := k.browser(), k.browser()
		q1, q2 := first.begin("/"), second.begin("/")
		k.advance(time.Second)
		k.tx(func(tx *store.Tx) error {
			for i := range startsOfNetwork - 3 {
				_, err := tx.Exec(`INSERT INTO session_starts (state, browser, network, site, provider, sealed, created_at, expires_at)
					SELECT $1, $2, network, site, provider, sealed, $3, expires_at FROM session_starts WHERE browser = $4`,
					fmt.Sprint("s-", i), fmt.Sprint("b-", i), k.now().UnixMilli(), hashOf(first.jar[cookiePre]))
				if err != nil {
					return err
				}
			}
			return nil
		})
		k.advance(time.Second)
		k.browser().begin("/")
		if r := first.callback(q1); r.status != 303 {
			t.Errorf("with %d begun: %d %v", startsOfNetwork, r.status, r.fault)
		}
		for range 2 {
			k.browser().begin("/")
		}
		if r := second.callback(q2); r.status != 400 {
			t.Errorf("with more: %d", r.status)
		}
		if n := k.count(`SELECT COUNT(*) FROM session_starts`); n != startsOfNetwork {
			t.Errorf("%d are left", n)
		}
	})
}
