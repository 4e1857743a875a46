package durability

import (
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/test/edge"
)

// hammered is one key that some use while others turn and end it.
type hammered struct {
	id string

	mu    sync.Mutex
	text  string
	ended map[string]time.Time // secrets that no longer count, and since when somebody was told
	away  atomic.Int64         // 503s
}

// Some use keys while others rotate and revoke them, on two nodes, in this process,
// so that the race detector is in them as it is in the tests. Nothing fails but what
// should, and no secret opens anything once its end was acknowledged and the bound
// is over.
func TestNoSecretOutlivesItsEnd(t *testing.T) {
	t.Parallel()
	long := time.Duration(times(t, "PORTREEVE_ROUNDS", 6)) * 300 * time.Millisecond
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		hammer(t, "", 1, min(long, time.Minute))
	})
	t.Run("postgres, two nodes", func(t *testing.T) {
		t.Parallel()
		hammer(t, storetest.EmptyPostgresURL(t), 2, min(long, time.Minute))
	})
}

func hammer(t *testing.T, url string, nodes int, long time.Duration) {
	h := newHouse(t, settings{store: url})
	var at []*edge.Edge
	for range nodes {
		n := &edge.Edge{Dir: h.dir, Log: &edge.Lines{}, Source: app.Source{Path: filepath.Join(h.dir, "portreeve.yaml"), Getenv: func(string) (string, bool) { return "", false }}}
		n.Serve(t)
		at = append(at, n)
	}
	c, auth := newClient(t), root(t)
	keys := make([]*hammered, 12)
	for i := range keys {
		k := c.makeKey(t, at[0].URL, auth)
		keys[i] = &hammered{id: k.ID, text: k.Key, ended: map[string]time.Time{}}
	}
	var uses, late, turned atomic.Int64
	var latest atomic.Int64
	until := time.Now().Add(long)
	var all sync.WaitGroup
	for i := range 8 { // who use
		all.Go(func() {
			for n := i; time.Now().Before(until) && !t.Failed(); n++ {
				keys[n%len(keys)].use(t, c, at[(i+n)%nodes].URL, &uses, &late, &latest)
			}
		})
	}
	for i := range 3 { // who turn and end
		all.Go(func() {
			for n := i; time.Now().Before(until) && !t.Failed(); n += 3 {
				k := keys[n%len(keys)]
				k.turn(t, c, at[n%nodes].URL, auth, n%40 >= 37)
				turned.Add(1)
			}
		})
	}
	all.Wait()
	for _, n := range at {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
		if s := n.Log.String(); strings.Contains(s, "panic") {
			t.Errorf("the process says:\n%s", s)
		}
	}
	h.verified(t)
	t.Logf("%d uses beside %d rotations and revocations; %d of ended secrets, the latest %v after its end was told",
		uses.Load(), turned.Load(), late.Load(), time.Duration(latest.Load()).Round(time.Millisecond))
}

// use asks with the newest secret and with one that has ended.
func (k *hammered) use(t *testing.T, c *client, url string, uses, late, latest *atomic.Int64) {
	k.mu.Lock()
	texts := []string{k.text}
	for s := range k.ended {
		texts = append(texts, s)
		break
	}
	k.mu.Unlock()
	for _, text := range texts {
		k.mu.Lock()
		since, ended := k.ended[text]
		k.mu.Unlock()
		began := time.Now()
		a, err := c.ask(t.Context(), "GET", url+"/docs", text, "")
		uses.Add(1)
		switch {
		case err != nil:
			t.Errorf("use: %v", err)
		case a.status == 503: // a machine so busy that the store was not read in time: a refusal
			if k.away.Add(1) > 5 {
				t.Errorf("use: %d %s, again and again", a.status, a.body)
			}
		case a.status != 200 && a.status != 401 && a.status != 429:
			t.Errorf("use: %d %s", a.status, a.body)
		case a.status == 200 && ended:
			late.Add(1)
			if d := int64(began.Sub(since)); d > latest.Load() {
				latest.Store(d)
			}
			if began.Sub(since) > bound {
				t.Errorf("a secret opens %v after its end was acknowledged", began.Sub(since))
			}
		}
	}
}

// turn rotates the key, or revokes it and makes another. Each key has one who
// turns it.
func (k *hammered) turn(t *testing.T, c *client, url, auth string, end bool) {
	k.mu.Lock()
	id, before := k.id, k.text
	k.mu.Unlock()
	method, path, body := "POST", "/tenant/api-keys/"+id+"/rotate", `{"gracePeriodSeconds": 0}`
	if end {
		method, path, body = "DELETE", "/tenant/api-keys/"+id, ""
	}
	a, err := c.ask(t.Context(), method, url+path, auth, body)
	if err == nil && a.status == 503 && k.away.Add(1) <= 5 { // not told that it happened: again
		a, err = c.ask(t.Context(), method, url+path, auth, body)
		if err == nil && end && a.status == 404 { // it had happened
			a.status = 204
		}
	}
	if err != nil || a.status >= 500 {
		t.Errorf("%s %s: %d %s %v", method, path, a.status, a.body, err)
		return
	}
	told := time.Now()
	if end {
		if a, err = c.ask(t.Context(), "POST", url+"/tenant/api-keys", auth, `{"name": "k", "scopes": ["docs:read"]}`); err != nil {
			t.Errorf("make a key: %v", err)
			return
		}
	}
	if a.status != 200 && a.status != 201 {
		t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
		return
	}
	made := mustRead[madeKey](a)
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.ended) > 64 {
		clear(k.ended)
	}
	k.ended[before], k.id, k.text = told, made.ID, made.Key
}
