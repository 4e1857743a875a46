package escrow

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// Of sixteen admins who set the first key at once, one does; the others are told.
func TestSixteenFirstKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var bodies [16]string
		for i := range bodies {
			who := fmt.Sprint("crowd-", i)
			w.user(acme, who, "admin")
			k := w.key(i % 4)
			c, proof := w.prove(t, who, k)
			bodies[i] = object("publicKey", k.Public.JWK, "signingKey", k.Signer.JWK, "wrappedPrivateKey", outside(k.Public.Kid), "challengeId", c["challengeId"], "proof", proof,
				"signature", must(k.State(acme, str(c, "createdAt"), "")))
		}
		var made, refused atomic.Int64
		storetest.Callers(t, 16, func(i int) error {
			a := w.Ask(t, "POST", "/v1/tenant/key", bodies[i], w.as(fmt.Sprint("crowd-", i)))
			switch a.Status {
			case 201:
				made.Add(1)
			case 409:
				refused.Add(1)
			default:
				return fmt.Errorf("%d %s", a.Status, a.Body)
			}
			return nil
		})
		if made.Load() != 1 || refused.Load() != 15 || w.events(t, acme, "escrow.key_created") != 1 {
			t.Errorf("%d were made, %d refused", made.Load(), refused.Load())
		}
		for _, table := range []string{"escrow_keys", "escrow_wrappings"} {
			if n := w.column(t, `SELECT CAST(COUNT(*) AS TEXT) FROM `+table)[0]; n != "1" {
				t.Errorf("%s rows in %s", n, table)
			}
		}
	})
}

// outside is a wrapping that opens to nothing: what a server sees of one is the same.
func outside(kid string) string {
	return "" + jwe(object("alg", "PBES2-HS512+A256KW", "enc", "A256GCM", "p2s", enc(make([]byte, 16)), "p2c", envelope.LeastCount, "kid", kid), 40)
}

// Two admins replace the key at once: one wins, and the other's key is nowhere.
func TestTwoRotationsAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := w.onboarded(t, "plinth gravel otter sunday mosaic tin")
		who, next := []string{"admin", "second"}, []*ends.Key{w.key(1), w.key(2)}
		var bodies [2]string
		for i := range bodies {
			body, _ := w.onboarding(t, who[i], next[i], first, "")
			bodies[i] = text2(body)
		}
		var status [2]int
		storetest.Callers(t, 2, func(i int) error {
			a := w.Ask(t, "POST", "/v1/tenant/key", bodies[i], w.as(who[i]))
			if status[i] = a.Status; a.Status != 201 && a.Status != 409 {
				return fmt.Errorf("%d %s", a.Status, a.Body)
			}
			return nil
		})
		if status[0]+status[1] != 201+409 {
			t.Fatalf("%v", status)
		}
		won := 0
		if status[1] == 201 {
			won = 1
		}
		if p := w.published(t); p.Public.Kid != next[won].Public.Kid || p.Predecessor != first.Public.Kid {
			t.Errorf("current is %s after %s", p.Public.Kid, p.Predecessor)
		}
		if err := ends.CheckChain(w.chain(t, "viewer"), acme, first.Signer.Kid); err != nil {
			t.Error(err)
		}
		if n := w.column(t, `SELECT kid FROM escrow_keys`); len(n) != 2 || w.events(t, acme, "escrow.key_replaced") != 1 {
			t.Errorf("the keys are %v", n)
		}
		// The loser asks again and follows the winner.
		body, _ := w.onboarding(t, who[1-won], next[1-won], next[won], "")
		w.want(t, 201, w.as(who[1-won]), "POST /v1/tenant/key", text2(body))
	})
}

// Sixteen reveals at once are sixteen events.
func TestEveryRevealIsInTheRecord(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		k := w.onboarded(t, "plinth gravel otter sunday mosaic tin")
		id := w.sealed(t, "PC-1", "local-admin", "Tr0ub4dor&3-of-PC-1")
		var ids [16]string
		storetest.Callers(t, 16, func(i int) error {
			r := w.reveal(t, "member", id)
			ids[i] = str(r, "auditId")
			_, err := k.Open(str(r, "ciphertext"), listed(r))
			return err
		})
		known := map[string]bool{}
		for _, id := range w.column(t, `SELECT id FROM audit_events WHERE action = 'secret.revealed'`) {
			known[id] = true
		}
		for _, id := range ids {
			if !known[id] {
				t.Errorf("event %q is not in the record", id)
			}
			delete(known, id)
		}
	})
}
