package audit_test

import (
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
