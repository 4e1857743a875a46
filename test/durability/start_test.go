package durability

import (
	"os"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// Processes that start at once on an empty store: one makes it, all serve it.
func TestManyStartAtOnceOnAnEmptyStore(t *testing.T) {
	t.Parallel()
	const many = 6
	rounds := max(2, times(t, "PORTREEVE_ROUNDS", 10)/4)
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			for range rounds {
				s := settings{noKey: engine == "sqlite"} // and so its key is made too
				if engine == "postgres" {
					s.store = storetest.EmptyPostgresURL(t)
				}
				h := newHouse(t, s)
				var nodes []*node
				for range many {
					nodes = append(nodes, h.launch(t))
				}
				c, auth := newClient(t), root(t)
				for _, n := range nodes {
					n.await(t)
					k := c.makeKey(t, n.URL, auth)
					for _, other := range nodes {
						if other.URL != "" {
							c.must(t, 200, "GET", other.URL+"/docs", k.Key, "")
						}
					}
				}
				for _, n := range nodes {
					n.stop(t)
				}
				h.verified(t)
				var keys int
				if err := h.open(t).Read(t.Context(), func(tx *store.Tx) error { return tx.Row(`SELECT count(*) FROM audit_keys`).Scan(&keys) }); err != nil || keys != 1 {
					t.Errorf("the trail has %d keys, %v", keys, err)
				}
				left, err := os.ReadDir(h.dir)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range left {
					if strings.Contains(f.Name(), "migrating") || strings.HasPrefix(f.Name(), ".portreeve") {
						t.Errorf("%s is left over", f.Name())
					}
				}
			}
		})
	}
}
