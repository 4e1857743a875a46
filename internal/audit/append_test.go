package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

var zero time.Time

func TestAnEventIsToldAsItHappened(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := logs(t, db)
		e := full("acme")
		e.ID = audit.NewID()
		add(t, db, l, e)
		list, total, err := l.Page(t.Context(), "acme", audit.Filter{}, 10, 0)
		if err != nil || total != 1 || len(list) != 1 {
			t.Fatal(list, total, err)
		}
		got := list[0]
		if at, err := time.Parse(time.RFC3339, got.Time); err != nil || time.Since(at) > time.Minute || len(got.Hash) != 64 {
			t.Errorf("at %s with hash %s", got.Time, got.Hash)
		}
		got.Time, got.Hash = "", ""
		want := audit.Record{
			Tenant: "acme", N: 1, ID: e.ID, Action: "user.changed", Target: "u18", TargetEmail: "bob@example.com", Result: "ok", Decision: "d1", Request: "r1",
			Actor:  audit.RecordActor{Kind: "user", Provider: "google", Issuer: "https://issuer.example", ID: "user:17", UserID: "u17", Email: "Ada@Example.com", IP: "192.0.2.7"},
			Detail: map[string]string{"field": "roles", "to": "admin"}, Key: "test",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		mustVerify(t, l, 1)
	})
}

func TestAnEventIsThereOnlyWithItsTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := logs(t, db)
		add(t, db, l, full("acme"))
		undone := errors.New("undone")
		err := db.Tx(t.Context(), func(tx *store.Tx) error {
			if err := l.Append(tx, full("acme")); err != nil {
				return err
			}
			return undone
		})
		if !errors.Is(err, undone) {
			t.Fatal(err)
		}
		add(t, db, l, full("acme"))
		mustVerify(t, l, 2)
	})
}

func TestOneTransactionTakesManyEventsOfManyChains(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := logs(t, db)
		var events []audit.Event
		for i := range 1300 { // more than are gathered, and than one reading takes
			events = append(events, audit.Event{Tenant: []string{"b", "", "a"}[i%3], Action: "x.done", Target: fmt.Sprint(i)})
		}
		add(t, db, l, events...)
		mustVerify(t, l, 1300)
		var targets []string
		for line := range strings.Lines(export(t, l, audit.Scope{Tenant: "a"})) {
			var r audit.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			targets = append(targets, r.Target)
		}
		if len(targets) != 433 || targets[0] != "2" || targets[432] != "1298" {
			t.Errorf("%d events from %s to %s", len(targets), targets[0], targets[len(targets)-1])
		}
	})
}

func TestAnEventNamedInALastStepIsWrittenToo(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l := logs(t, db)
	err := db.Tx(t.Context(), func(tx *store.Tx) error {
		if err := l.Append(tx, full("acme")); err != nil {
			return err
		}
		tx.Last("after the events", func(tx *store.Tx) error { return l.Append(tx, full("acme")) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mustVerify(t, l, 2)
}

// Two logs on two handles of one store are two processes.
func TestManyWritersOnTwoChainsLeaveNoGap(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		a, b := logs(t, db), logs(t, db)
		storetest.Callers(t, 16, func(i int) error {
			l := []*audit.Log{a, b}[i%2]
			for j := range 8 {
				if err := db.Tx(context.Background(), func(tx *store.Tx) error {
					first, second := "one", "two"
					if (i+j)%2 == 0 {
						first, second = second, first
					}
					if err := l.Append(tx, full(first)); err != nil {
						return err
					}
					return l.Append(tx, full(second))
				}); err != nil {
					return err
				}
			}
			return nil
		})
		mustVerify(t, a, 2*16*8)
		for _, tenant := range []string{"one", "two"} {
			if _, total, err := b.Page(t.Context(), tenant, audit.Filter{}, 1, 0); err != nil || total != 128 {
				t.Errorf("%s has %d events, %v", tenant, total, err)
			}
		}
	})
}

func TestAStrangersWordsNeverPreventAnEvent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := logs(t, db)
		long := strings.Repeat("é", 100_000)
		add(t, db, l, audit.Event{
			Tenant: "acme", Action: "x.done", Target: "a\x00b\xff", TargetEmail: long, Request: long, Decision: "\n",
			Actor: audit.Actor{ID: "\x00", Email: "@@\xfe", Issuer: long}, Detail: map[string]string{"\x00": long, "b": "\xff\x00", "": ""},
		})
		mustVerify(t, l, 1)
		if n := len(export(t, l, everything())); n > 20_000 {
			t.Errorf("the event has %d bytes", n)
		}
	})
}

func TestAnEventMustSayWhat(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l := logs(t, db)
	many := map[string]string{}
	for i := range 100 {
		many[fmt.Sprint(i)] = ""
	}
	for name, e := range map[string]audit.Event{
		"no action": {}, "a sentence": {Action: "user was changed"}, "too long": {Action: strings.Repeat("x", 101)}, "too many details": {Action: "x", Detail: many},
	} {
		if err := db.Tx(t.Context(), func(tx *store.Tx) error { return l.Append(tx, e) }); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	mustVerify(t, l, 0)
}

func TestWithoutAMasterKeyThereIsNoTrail(t *testing.T) {
	t.Parallel()
	l, err := audit.New(nil, audit.Options{})
	if !errors.Is(err, audit.ErrNoKey) || l != nil || !strings.Contains(err.Error(), "portreeve masterkey new") {
		t.Errorf("%v", err)
	}
}
