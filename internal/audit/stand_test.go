package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/store"
)

var ada = audit.Actor{
	Kind: audit.User, Provider: "google", Issuer: "https://issuer.example", ID: "user:17", UserID: "u17",
	Email: "Ada@Example.com", IP: netip.MustParseAddr("192.0.2.7"),
}

// full is an event that leaves no column empty.
func full(tenant string) audit.Event {
	return audit.Event{
		Tenant: tenant, Action: "user.changed", Target: "u18", TargetEmail: "bob@example.com", Decision: "d1", Request: "r1",
		Actor: ada, Detail: map[string]string{"field": "roles", "to": "admin"},
	}
}

func add(t testing.TB, db *store.DB, l *audit.Log, events ...audit.Event) {
	t.Helper()
	if err := db.Tx(context.Background(), func(tx *store.Tx) error {
		for _, e := range events {
			if err := l.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// chain adds n full events to a chain.
func chain(t testing.TB, db *store.DB, l *audit.Log, tenant string, n int) {
	t.Helper()
	for range n {
		add(t, db, l, full(tenant))
	}
}

func exec(t testing.TB, db *store.DB, query string, args ...any) {
	t.Helper()
	if err := db.Tx(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func verify(t testing.TB, l *audit.Log, s audit.Scope, checkpoints string) *audit.Report {
	t.Helper()
	r, err := l.Verify(context.Background(), s, strings.NewReader(checkpoints))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func everything() audit.Scope { return audit.Scope{All: true} }

func mustVerify(t testing.TB, l *audit.Log, rows int64) {
	t.Helper()
	r := verify(t, l, everything(), "")
	if !r.OK() || r.Rows != rows {
		t.Fatalf("%d rows, want %d; problems: %+v", r.Rows, rows, r.Problems)
	}
}

func export(t testing.TB, l *audit.Log, s audit.Scope) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := l.Export(context.Background(), &b, s, zero, zero); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func problems(r *audit.Report) string {
	var out []string
	for _, p := range r.Problems {
		out = append(out, fmt.Sprintf("%s/%d %s", p.Tenant, p.N, p.What))
	}
	return strings.Join(out, "\n")
}

// logs makes the log of most tests.
func logs(t testing.TB, db *store.DB) *audit.Log { return audittest.New(t, db) }
