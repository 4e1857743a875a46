package insight

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// ask sends a GET to the operation that stands at the path, as tenant's auditor.
func ask(t testing.TB, s *Service, tenant, target string) (request.Reply, error) {
	t.Helper()
	path, query, _ := strings.Cut(target, "?")
	for _, r := range s.Routes() {
		if r.Path == "/.portreeve/insight"+path {
			return r.Op.Run(t.Context(), &gateway.Call{
				View: &request.View{ID: "req-1", Method: "GET", Query: query, HasQuery: query != ""}, Tenant: tenant,
				Actor: func() audit.Actor { return audit.Actor{Kind: audit.User, ID: "auditor"} },
			})
		}
	}
	t.Fatalf("nothing stands at %s", path)
	return request.Reply{}, nil
}

// answer is ask where the answer is to be read.
func answer[T any](t testing.TB, s *Service, tenant, target string) (out T) {
	t.Helper()
	reply, err := ask(t, s, tenant, target)
	if err == nil {
		err = json.Unmarshal(reply.Body, &out)
	}
	if err != nil || reply.Status != 200 {
		t.Fatalf("%s: %d, %v: %s", target, reply.Status, err, reply.Body)
	}
	return out
}

func refused(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind {
		t.Errorf("%s: %v, want a %s", what, err, kind)
	}
}

// recorded is a service on a store with five events of tenant a, three of b and
// two of the host.
func recorded(t *testing.T, db *store.DB) (*Service, *audit.Log) {
	t.Helper()
	log := audittest.New(t, db)
	record(t, db, log, "a", 5)
	record(t, db, log, "b", 3)
	record(t, db, log, "", 2)
	return New(Deps{Events: Events{Trail: func() (*store.DB, *audit.Log) { return db, log }}}), log
}

func record(t testing.TB, db *store.DB, log *audit.Log, tenant string, n int) {
	t.Helper()
	err := db.Tx(context.Background(), func(tx *store.Tx) error {
		for i := range n {
			e := audit.Event{Tenant: tenant, Action: "apikey.created", Target: fmt.Sprintf("key_%s%d", tenant, i),
				Actor: audit.Actor{Kind: audit.User, ID: "ann", UserID: "u-ann", Email: "Ann@" + tenant + ".test"}}
			if i%2 == 1 {
				e.Action, e.Result = "user.changed", "refused"
			}
			if err := log.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func targets(p EventPage) (out []string) {
	for _, r := range p.Data {
		out = append(out, r.Target)
	}
	return out
}

func TestATenantSeesItsEventsAndNobodyElses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, _ := recorded(t, db)
		for query, want := range map[string][]string{
			"":                       {"key_a4", "key_a3", "key_a2", "key_a1", "key_a0"},
			"?action=user.":          {"key_a3", "key_a1"},
			"?action=apikey.created": {"key_a4", "key_a2", "key_a0"},
			"?outcome=refused":       {"key_a3", "key_a1"},
			"?target=key_a2":         {"key_a2"},
			"?target=key_b2":         nil,
			"?actor=u-ann&limit=1":   {"key_a4"},
			"?actor=ann%40A.test":    {"key_a4", "key_a3", "key_a2", "key_a1", "key_a0"},
			"?actor=ann%40b.test":    nil,
			"?before=3":              {"key_a1", "key_a0"},
			"?from=2000-01-01&to=" + time.Now().UTC().Format(time.DateOnly) + "&target=key_a0": {"key_a0"},
			"?to=2000-01-01": nil,
		} {
			if d := cmp.Diff(want, targets(answer[EventPage](t, s, "a", "/audit"+query))); d != "" {
				t.Errorf("%s: %s", query, d)
			}
		}
		if got := targets(answer[EventPage](t, s, "b", "/audit")); len(got) != 3 {
			t.Errorf("b sees %v", got)
		}
		if got := answer[EventPage](t, s, "nobody", "/audit"); got.Data == nil || len(got.Data) > 0 || got.Next != "" {
			t.Errorf("%+v", got)
		}
	})
}

func TestPagesOfEventsHoldEachOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, log := recorded(t, db)
		var got []string
		for query := "?limit=2"; ; {
			p := answer[EventPage](t, s, "a", "/audit"+query)
			got = append(got, targets(p)...)
			record(t, db, log, "a", 1) // what comes in meanwhile moves nothing
			if p.Next == "" {
				break
			}
			query = "?limit=2&before=" + p.Next
		}
		if d := cmp.Diff([]string{"key_a4", "key_a3", "key_a2", "key_a1", "key_a0"}, got); d != "" {
			t.Error(d)
		}
	})
}

func TestAnExportHasEveryEventAndIsOneItself(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, _ := recorded(t, db)
		reply, err := ask(t, s, "a", "/audit/export")
		if err != nil || reply.Header.Get("Link") != "" || !strings.HasPrefix(reply.Header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%v, %v", reply.Header, err)
		}
		var got []string
		for line := range bytes.Lines(reply.Body) {
			var r audit.Record
			if err := json.Unmarshal(line, &r); err != nil || r.Tenant != "a" {
				t.Fatalf("%s: %v", line, err)
			}
			got = append(got, r.Action)
		}
		if d := cmp.Diff([]string{"apikey.created", "user.changed", "apikey.created", "user.changed", "apikey.created", "audit.exported"}, got); d != "" {
			t.Error(d)
		}
		reply, err = ask(t, s, "a", "/audit/export?after=4&action=apikey.&target=key_a4")
		if n := bytes.Count(reply.Body, []byte("\n")); err != nil || n != 1 {
			t.Errorf("%d lines, %v", n, err)
		}
		if v := answer[Verified](t, s, "a", "/audit/verify"); !v.OK || v.Events != 7 {
			t.Errorf("%+v", v)
		}
	})
}

// TestALargeExportComesInParts: whoever follows Link gets every event once.
func TestALargeExportComesInParts(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), store.Options{URL: storetest.SQLiteURL(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	log := audittest.New(t, db)
	for range 11 {
		record(t, db, log, "a", 1000)
	}
	s := New(Deps{Events: Events{Trail: func() (*store.DB, *audit.Log) { return db, log }}})
	var parts []int
	query := "?to=2999-01-01"
	for query != "" && len(parts) < 9 {
		reply, err := ask(t, s, "a", "/audit/export"+query)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, bytes.Count(reply.Body, []byte("\n")))
		query, _, _ = strings.Cut(strings.TrimPrefix(reply.Header.Get("Link"), "<"), ">")
	}
	if d := cmp.Diff([]int{mostExported, 1002}, parts); d != "" { // two of them are the exports
		t.Error(d)
	}
}

func TestVerifyTellsWhatSomebodyChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, _ := recorded(t, db)
		if v := answer[Verified](t, s, "a", "/audit/verify"); !v.OK || v.Events != 5 || v.Problem != "" || v.Problems == nil {
			t.Errorf("%+v", v)
		}
		line := checkpointOf(t, db)
		err := db.Tx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`UPDATE audit_events SET target = 'another' WHERE tenant_id = 'a' AND n = 3`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if v := answer[Verified](t, s, "a", "/audit/verify"); v.OK || !strings.HasPrefix(v.Problem, "event 3: ") || len(v.Problems) == 0 {
			t.Errorf("%+v", v)
		}
		if v := answer[Verified](t, s, "b", "/audit/verify"); !v.OK || v.Events != 3 {
			t.Errorf("what was changed of a is told to b: %+v", v)
		}
		s.d.Events.Checkpoints = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(line)), nil }
		if v := answer[Verified](t, s, "b", "/audit/verify"); !v.OK || v.Checkpoints != 1 {
			t.Errorf("%+v", v)
		}
		s.d.Events.Checkpoints = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
		_, err = ask(t, s, "b", "/audit/verify")
		refused(t, "checkpoints that cannot be read", err, fault.Unavailable)
		s.d.Events.Checkpoints = nil
		s.verifying.begin("b")
		_, err = ask(t, s, "b", "/audit/verify")
		refused(t, "a second one at a time", err, fault.Unavailable)
		if v := answer[Verified](t, s, "a", "/audit/verify"); v.Events != 5 { // which b does not hold up
			t.Errorf("%+v", v)
		}
		for i := range mostVerified - 1 {
			s.verifying.begin(fmt.Sprint("other", i))
		}
		_, err = ask(t, s, "a", "/audit/verify")
		refused(t, "one more than that", err, fault.Unavailable)
		s.verifying.end("b")
		answer[Verified](t, s, "a", "/audit/verify")
	})
}

// checkpointOf is the file of signed checkpoints of everything recorded.
func checkpointOf(t *testing.T, db *store.DB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "checkpoints")
	log, err := audit.New(audittest.Keys(t), audit.Options{DB: db, Checkpoint: file})
	if err == nil {
		_, err = log.Checkpoint(t.Context())
	}
	raw, err2 := os.ReadFile(file)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestTheHostsOwnChainIsNobodys: a caller without a tenant would read it.
func TestTheHostsOwnChainIsNobodys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, _ := recorded(t, db)
		for _, path := range []string{"/audit", "/audit/verify", "/audit/export"} {
			reply, err := ask(t, s, "", path)
			refused(t, path+" "+string(reply.Body), err, fault.Forbidden)
		}
	})
}

func TestWhatIsAskedOfTheTrailIsChecked(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), store.Options{URL: storetest.SQLiteURL(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, _ := recorded(t, db)
	for _, query := range []string{"limit=0", "limit=201", "limit=x", "limit=1&limit=2", "before=0", "before=-1", "from=yesterday", "to=2026-13-01",
		"from=0001-01-01T00:00:00Z", "actor=" + strings.Repeat("x", 513), "target=%00", "action=a&action=b"} {
		_, err := ask(t, s, "a", "/audit?"+query)
		refused(t, query, err, fault.BadRequest)
	}
	_, err = ask(t, s, "a", "/audit/export?after=-1")
	refused(t, "after", err, fault.BadRequest)
	none := New(Deps{})
	for _, path := range []string{"/audit", "/audit/verify", "/audit/export"} {
		_, err := ask(t, none, "a", path)
		refused(t, path+" without a store", err, fault.Unavailable)
	}
}

// TestEachOperationAsksForItsPermission: what is a tenant's for audit:read, what is
// the process's for platform:read alone.
func TestEachOperationAsksForItsPermission(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, r := range New(Deps{}).Routes() {
		if r.Public || r.Anonymous || r.OtherSites || r.Method != "GET" {
			t.Errorf("%s %s is open", r.Method, r.Path)
		}
		got[strings.TrimPrefix(r.Path, "/.portreeve/insight")] = strings.Join(r.Require.RequiredPermissions, " ")
	}
	for path, want := range map[string]string{
		"/audit": "audit:read", "/audit/verify": "audit:read", "/audit/export": "audit:read",
		"/configuration": "platform:read", "/health": "platform:read", "/links": "platform:read", "/texts": "platform:read",
	} {
		if got[path] != want {
			t.Errorf("%s asks for %q, want %q", path, got[path], want)
		}
	}
}
