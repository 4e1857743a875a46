package audit_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestAPersonIsErasedAndTheChainVerifies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := logs(t, db)
		var events []audit.Event
		for range 620 { // more than one transaction erases
			events = append(events, full("acme"))
		}
		add(t, db, l, events...)
		chain(t, db, l, "globex", 2)
		by := audit.Actor{Kind: audit.Host, ID: "operator"}
		if n, err := l.Erase(t.Context(), audit.Scope{Tenant: "globex"}, "ada@example.com", by); err != nil || n != 2 {
			t.Fatal(n, err)
		}
		if !strings.Contains(export(t, l, audit.Scope{Tenant: "acme"}), "Ada@Example.com") {
			t.Error("erased in another tenant too")
		}
		if n, err := l.Erase(t.Context(), everything(), " ADA@example.COM", by); err != nil || n != 620 {
			t.Fatal(n, err)
		}
		all := export(t, l, everything())
		for _, gone := range []string{"Ada@", "ada@", "192.0.2.7"} {
			if strings.Contains(all, gone) {
				t.Errorf("%q is still there", gone)
			}
		}
		if !strings.Contains(all, "bob@example.com") || !strings.Contains(all, `"erased":true`) || strings.Count(all, `"action":"audit.erased"`) != 3 {
			t.Error("others were erased, or nothing is said of it")
		}
		mustVerify(t, l, 622+3)
		if r := verify(t, l, everything(), ""); r.Erased != 622 {
			t.Errorf("%d are reported as erased", r.Erased)
		}
		if n, err := l.Erase(t.Context(), everything(), "ada@example.com", by); err != nil || n != 0 {
			t.Error("twice:", n, err)
		}
		// Whoever erases without saying so is found, as is one who undoes it.
		exec(t, db, `DELETE FROM audit_people WHERE tenant_id = 'acme' AND n = 7`)
		if r := verify(t, l, everything(), ""); !strings.Contains(problems(r), "of 1 persons was removed without being erased") {
			t.Error(problems(r))
		}
	})
}

// What was counted before somebody was erased is written after it, and on any node.
func TestWhoIsErasedComesNotBackWithWhatWasCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l, c := counting(t, db)
		other, _ := counting(t, db) // a node whose clock stands still
		for _, node := range []*audit.Log{l, other} {
			node.Refused("acme", "login_failed", "Ada@example.com", netip.Addr{})
			node.Refused("globex", "login_failed", "ada@example.com", netip.Addr{})
			node.Refused("acme", "login_failed", "bob@example.com", netip.Addr{})
		}
		c.unix.Add(61)
		by := audit.Actor{Kind: audit.Host, ID: "operator"}
		if _, err := l.Erase(t.Context(), audit.Scope{Tenant: "acme"}, "ADA@example.com", by); err != nil {
			t.Fatal(err)
		}
		c.unix.Add(60)
		l.Refused("acme", "login_failed", "ada@example.com", netip.Addr{}) // is tried again, after it
		for _, node := range []*audit.Log{l, other} {
			if err := node.Flush(t.Context(), true); err != nil {
				t.Fatal(err)
			}
		}
		got := refusals(t, l, "acme")
		slices.Sort(got)
		want := []string{"login_failed  ×1 08:00", "login_failed  ×1 08:00", "login_failed ada@example.com ×1 08:02", "login_failed bob@example.com ×1 08:00", "login_failed bob@example.com ×1 08:00"}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if got := refusals(t, l, "globex"); len(got) != 2 || !strings.Contains(got[0], "ada@") {
			t.Errorf("erased in another tenant too: %q", got)
		}
		mustVerify(t, l, 7)
	})
}

func TestNobodyIsErasedByMistake(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l := logs(t, db)
	add(t, db, l, audit.Event{Tenant: "acme", Action: "x.done", Actor: audit.Actor{IP: ada.IP}})
	if _, err := l.Erase(t.Context(), everything(), "  ", ada); err == nil {
		t.Error("erases rows without an address")
	}
	if !strings.Contains(export(t, l, everything()), "192.0.2.7") {
		t.Error("the address is gone")
	}
}

func TestAPersonWhoIsBackIsFound(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l := logs(t, db)
	chain(t, db, l, "acme", 2)
	exec(t, db, `CREATE TABLE copy AS SELECT * FROM audit_people`)
	if _, err := l.Erase(t.Context(), everything(), "ada@example.com", ada); err != nil {
		t.Fatal(err)
	}
	exec(t, db, `INSERT INTO audit_people SELECT * FROM copy WHERE n = 1 AND part = 'actor'`)
	if r := verify(t, l, everything(), ""); !strings.Contains(problems(r), "1 persons who were erased are back") {
		t.Error(problems(r))
	}
}
