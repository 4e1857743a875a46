package durability

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
)

// refusesToServe starts a node that ends by itself, and returns what it said.
func (h *house) refusesToServe(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := h.command(ctx, "serve", "--listen", "127.0.0.1:0").CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Fatalf("it serves (%v):\n%s", err, out)
	}
	return string(out)
}

func TestInProdNothingIsServedWithoutAMasterKey(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, url string) {
		h := newHouse(t, settings{store: url, noKey: true, prod: true})
		if out := h.refusesToServe(t); !strings.Contains(out, "portreeve masterkey new") {
			t.Errorf("it says:\n%s", out)
		}
		h.write(t, "portreeve.yaml", h.text(settings{store: url, prod: true}))
		h.write(t, "master", strings.TrimSpace(h.run(t, "masterkey", "new")))
		h.serve(t).stop(t)
	})
}

// A store that was made with a key is not served with another one, and not
// without; what is sealed in it is whole when the right one is back.
func TestAStoreIsServedWithItsOwnKeyAlone(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, url string) {
		s := settings{store: url, upstream: echo(t)}
		h := newHouse(t, s)
		key := strings.TrimSpace(h.run(t, "masterkey", "new"))
		h.write(t, "master", key)
		auth, c := root(t), newClient(t)
		n := h.serve(t)
		c.must(t, 201, "POST", n.URL+"/tenant/secrets", auth, `{"key": "S0", "value": "whole"}`)
		n.stop(t)

		h.write(t, "master", seal.NewKey())
		if out := h.refusesToServe(t); !strings.Contains(out, "master key") {
			t.Errorf("with another key it says:\n%s", out)
		}
		h.write(t, "master", "")
		if out := h.refusesToServe(t); !strings.Contains(strings.ToLower(out), "masterkey") && !strings.Contains(out, "master key") {
			t.Errorf("with an empty one it says:\n%s", out)
		}
		without := s
		without.noKey = true
		h.write(t, "portreeve.yaml", h.text(without))
		if out := h.refusesToServe(t); !strings.Contains(out, "master key") && !strings.Contains(out, "masterKey") {
			t.Errorf("without a key it says:\n%s", out)
		}

		h.write(t, "portreeve.yaml", h.text(s))
		h.write(t, "master", key)
		n = h.serve(t)
		if a := c.must(t, 200, "GET", n.URL+"/sealed/0", auth, ""); a.body != "whole" {
			t.Errorf("the secret is %q", a.body)
		}
		n.stop(t)
		h.verified(t)
	})
}

// Whoever writes to the database moves sealed values about: from row to row,
// from tenant to tenant, from column to column, and bit by bit. None of them
// opens, and none reaches an upstream.
func TestSealedValuesOpenWhereTheyWereSealedAlone(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, url string) {
		h := newHouse(t, settings{store: url, upstream: echo(t)})
		auth, c := root(t), newClient(t)
		n := h.serve(t)
		h.run(t, "tenants", "create", "other")
		for _, body := range []string{`{"key": "S0", "value": "v0"}`, `{"key": "S1", "value": "v1"}`, `{"key": "S2", "value": "v2"}`} {
			c.must(t, 201, "POST", n.URL+"/tenant/secrets", auth, body)
		}
		c.must(t, 200, "POST", n.URL+"/tenant/secrets/rotate", auth, `{"key": "S2", "newValue": "w2", "gracePeriodDays": 1}`)
		n.stop(t)
		db := h.open(t)
		keep := map[string][]byte{}
		for _, name := range []string{"S0", "S1", "S2"} {
			var b []byte
			if err := db.Read(t.Context(), func(tx *store.Tx) error {
				return tx.Row(`SELECT sealed FROM tenant_secrets WHERE name = $1`, name).Scan(&b)
			}); err != nil {
				t.Fatal(err)
			}
			keep[name] = b
		}
		put := func(name string, b []byte) {
			change(t, db, `UPDATE tenant_secrets SET sealed = $2 WHERE name = $1`, name, b)
		}
		flipped := append([]byte{}, keep["S0"]...)
		flipped[len(flipped)-1] ^= 1
		for _, moved := range []struct {
			what   string
			sealed []byte
		}{
			{"another row's", keep["S1"]}, {"one bit is another", flipped}, {"cut short", keep["S0"][:len(keep["S0"])-1]},
			{"no sealed value at all", []byte("v1")},
		} {
			put("S0", moved.sealed)
			n := h.serve(t)
			a, err := c.ask(t.Context(), "GET", n.URL+"/sealed/0", auth, "")
			if err != nil || a.status != 503 || strings.Contains(a.body, "v1") {
				t.Errorf("%s: %d %q %v", moved.what, a.status, a.body, err)
			}
			// The one that nobody touched is served.
			if a := c.must(t, 200, "GET", n.URL+"/sealed/2", auth, ""); a.body != "w2" {
				t.Errorf("%s: the other secret is %q", moved.what, a.body)
			}
			n.stop(t)
			if s := n.log.String(); !strings.Contains(s, "S0") && !strings.Contains(s, "secret") {
				t.Errorf("%s: the log says nothing:\n%s", moved.what, s)
			}
		}
		put("S0", keep["S0"])
		for _, q := range []string{
			`UPDATE tenant_secrets SET tenant_id = 'other' WHERE name = 'S1'`, // the row, as it is, to another tenant
			`UPDATE tenant_secrets SET sealed = previous WHERE name = 'S2'`,   // the value of before, in the place of the newest
		} {
			change(t, db, q)
		}
		n = h.serve(t)
		other := token(t, map[string]any{"sub": "eve", "tenant_id": "other", "role": "admin"})
		if a, err := c.ask(t.Context(), "GET", n.URL+"/sealed/1", other, ""); err != nil || strings.Contains(a.body, "v1") || a.status == 200 && a.body != "" {
			t.Errorf("another tenant got a secret by moving its row: %d %q %v", a.status, a.body, err)
		}
		if a, err := c.ask(t.Context(), "GET", n.URL+"/sealed/2", auth, ""); err != nil || a.status == 200 && a.body != "w2" {
			t.Errorf("the column of before in the place of the newest: %d %q %v", a.status, a.body, err)
		}
		if a := c.must(t, 200, "GET", n.URL+"/sealed/0", auth, ""); a.body != "v0" {
			t.Errorf("put back it is %q", a.body)
		}
		n.stop(t)

		// What the trail is kept under.
		var sealed []byte
		if err := db.Read(t.Context(), func(tx *store.Tx) error { return tx.Row(`SELECT sealed FROM audit_keys`).Scan(&sealed) }); err != nil {
			t.Fatal(err)
		}
		change(t, db, `UPDATE audit_keys SET sealed = $1`, keep["S0"])
		if out, err := h.try(t, "audit", "verify"); err == nil {
			t.Errorf("audit verify does not notice another's value in audit_keys:\n%s", out)
		}
		change(t, db, `UPDATE audit_keys SET sealed = $1`, sealed)
		h.verified(t)
		change(t, db, `UPDATE meta SET value = (SELECT value FROM meta WHERE name = 'masterkeys') WHERE name LIKE 'masterkey.%'`)
		if out := h.refusesToServe(t); !strings.Contains(out, "check value") && !strings.Contains(out, "master key") {
			t.Errorf("with another check value it says:\n%s", out)
		}
	})
}
