package durability

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/store/storetest"
)

// A backup that is taken while everybody writes is a store: what had been
// acknowledged before is in it, nothing is half in it, and it serves.
func TestABackupUnderLoadServes(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, url string) {
		upstream := echo(t)
		h := newHouse(t, settings{store: url, upstream: upstream})
		n, c, auth := h.serve(t), newClient(t), root(t)
		for _, r := range []string{"r0", "r1"} {
			c.must(t, 201, "POST", n.URL+"/rbac/roles", auth, `{"name": "`+r+`", "permissions": ["docs:read"]}`)
		}
		before := c.makeKey(t, n.URL, auth)
		ended := c.makeKey(t, n.URL, auth)
		c.must(t, 204, "DELETE", n.URL+"/tenant/api-keys/"+ended.ID, auth, "")
		c.must(t, 201, "POST", n.URL+"/tenant/secrets", auth, `{"key": "S7", "value": "kept"}`)

		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for i := range mostWriters {
			w := &writer{n: i, url: n.URL, c: c, auth: auth, rand: rand.New(rand.NewPCG(uint64(i), 7))} //nolint:gosec // spreads work
			all.Go(func() {
				w.write(ctx)
				if w.failed != "" {
					t.Errorf("writer %d: %s", i, w.failed)
				}
			})
		}
		<-time.After(200 * time.Millisecond)
		for _, file := range []string{"first.db", "second.db"} {
			if out := h.run(t, "backup", file); !strings.Contains(out, "written and verified") {
				t.Errorf("backup says %s", out)
			}
		}
		stop()
		all.Wait()
		n.stop(t)

		for _, file := range []string{"first.db", "second.db"} {
			h.run(t, "backup", "--verify", file)
			h.store = "sqlite:" + h.inHouse(file)
			h.write(t, "portreeve.yaml", h.text(settings{upstream: upstream}))
			sound(t, h)
			h.verified(t)
			n := h.serve(t)
			c.must(t, 200, "GET", n.URL+"/docs", before.Key, "")
			c.must(t, 401, "GET", n.URL+"/docs", ended.Key, "")
			if a := c.must(t, 200, "GET", n.URL+"/sealed/7", auth, ""); a.body != "kept" {
				t.Errorf("the secret is %q", a.body)
			}
			c.makeKey(t, n.URL, auth)
			n.stop(t)
			h.verified(t)
		}
	})
}

// A store moves to the other engine and back, and is the same.
func TestAStoreMovesToPostgreSQLAndBack(t *testing.T) {
	t.Parallel()
	upstream := echo(t)
	h := newHouse(t, settings{upstream: upstream})
	n, c, auth := h.serve(t), newClient(t), root(t)
	for _, r := range []string{"r0", "r1"} {
		c.must(t, 201, "POST", n.URL+"/rbac/roles", auth, `{"name": "`+r+`", "permissions": ["docs:read"]}`)
	}
	ctx, stop := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer stop()
	w := &writer{n: 1, url: n.URL, c: c, auth: auth, rand: rand.New(rand.NewPCG(1, 2))} //nolint:gosec // spreads work
	w.write(ctx)
	k := c.makeKey(t, n.URL, auth)
	n.stop(t)
	there, back := storetest.EmptyPostgresURL(t), "sqlite:"+h.inHouse("back.db")
	a := h.run(t, "store", "copy", "--json", h.store, there)
	b := h.run(t, "store", "copy", "--json", there, back)
	if diff := cmp.Diff(a, b); diff != "" || !strings.Contains(a, "api_keys") {
		t.Errorf("what came back is not what went (-there +back):\n%s", diff)
	}
	for _, at := range []string{there, back} {
		h.store = at
		h.write(t, "portreeve.yaml", h.text(settings{upstream: upstream}))
		sound(t, h)
		n := h.serve(t)
		c.must(t, 200, "GET", n.URL+"/docs", k.Key, "")
		w.url, w.failed = n.URL, ""
		w.look(t)
		n.stop(t)
		h.verified(t)
	}
}
