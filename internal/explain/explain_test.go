package explain

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/trace"
)

var refusal = Record{
	ID: "00112233445566778899aabbccddeeff", Time: time.Date(2026, 11, 2, 10, 15, 3, 120e6, time.UTC), Site: "default", Route: "/admin/users",
	Method: "GET", Path: "/admin/users", Status: 403, Reason: "missing_permission", Client: netip.MustParseAddr("203.0.113.9"),
	Principal: "jwt:alice", RequestID: "01J",
	Steps: []trace.Step{
		{Stage: "host", Check: "site", Wanted: "api.example.com", Found: "default", OK: true},
		{Stage: "route", Check: "path and method", Wanted: "GET /admin/users", Found: "GET /admin/users", OK: true},
		{Stage: "decide", Check: "requiredPermissions", Wanted: "users:read", Found: "docs:read", Enough: "a role that holds users:read, e.g. admin"},
	},
}

func text(t *testing.T, r Record, colour bool) string {
	t.Helper()
	var b strings.Builder
	if err := Text(&b, r, colour); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestARefusalReadsWell(t *testing.T) {
	t.Parallel()
	want := `Refused: GET /admin/users
  answer    403 missing_permission
  site      default
  route     /admin/users
  caller    jwt:alice from 203.0.113.9
  time      2026-11-02 10:15:03.120 UTC
  request   01J
  decision  00112233445566778899aabbccddeeff

  ok  host    site                 api.example.com: default
  ok  route   path and method      GET /admin/users
  NO  decide  requiredPermissions
        wanted  users:read
        found   docs:read

What would have been enough:
  a role that holds users:read, e.g. admin
`
	if diff := cmp.Diff(want, text(t, refusal, false)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	coloured := text(t, refusal, true)
	for _, sgr := range []string{"\x1b[1m", "\x1b[32m", "\x1b[1;31m", "\x1b[0m"} {
		coloured = strings.ReplaceAll(coloured, sgr, "")
	}
	if diff := cmp.Diff(want, coloured); diff != "" {
		t.Errorf("colour changes the words; -want +got:\n%s", diff)
	}
}

func TestTheEndFitsTheDecision(t *testing.T) {
	t.Parallel()
	allowed := refusal
	allowed.Status, allowed.Reason, allowed.Steps = 200, "", refusal.Steps[:2]
	hopeless := refusal
	hopeless.Steps = []trace.Step{{Stage: "decide", Check: "deny", Found: "listed"}}
	broken := refusal
	broken.Status, broken.Reason, broken.Steps, broken.Principal, broken.Route = 502, "upstream_refused", refusal.Steps[:2], "", ""
	for _, c := range []struct {
		name  string
		r     Record
		wants []string
	}{
		{"allowed", allowed, []string{"Allowed: GET", "\nNothing was missing.\n"}},
		{"nothing would have helped", hopeless, []string{"Refused: ", "would have been enough: deny."}},
		{"failed on the way", broken, []string{"Refused: ", "upstream_refused", "route     none", "anonymous from", "The log has the cause"}},
		{"empty", Record{}, []string{"Allowed", "anonymous"}},
	} {
		for _, want := range c.wants {
			if got := text(t, c.r, false); !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", c.name, want, got)
			}
		}
	}
}

func TestNoRequestSteersTheTerminal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		nasty := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\x1b[2J", "a\nok  forged", "\u202Eevil", "\xff\xfe", "\x9b1m", "\r"}))
		r := refusal
		r.Path, r.Principal, r.Reason = nasty.Draw(t, "path"), nasty.Draw(t, "who"), nasty.Draw(t, "reason")
		r.Steps = []trace.Step{{Stage: nasty.Draw(t, "stage"), Check: nasty.Draw(t, "check"), Found: nasty.Draw(t, "found"), Wanted: nasty.Draw(t, "wanted"), Enough: nasty.Draw(t, "enough")}}
		var b strings.Builder
		if err := Text(&b, r, false); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "\n"); n > 16 {
			t.Fatalf("%d lines: a value broke its line", n)
		}
		for _, c := range strings.ReplaceAll(b.String(), "\n", "") {
			if !unicode.IsPrint(c) {
				t.Fatalf("%q holds %q", b.String(), c)
			}
		}
	})
}

func addr(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

func record(n int, route, reason string, client netip.Addr) Record {
	return Record{ID: fmt.Sprint(n), Route: route, Reason: reason, Client: client, Status: 403}
}

func TestAFloodPushesOutItsOwnLike(t *testing.T) {
	t.Parallel()
	r := NewRing()
	r.Add(record(-1, "/quiet", "missing_permission", addr(-1)))
	for i := range 5000 {
		r.Add(record(i, "/login", "bad_signature", addr(i)))
	}
	if _, ok := r.Get("-1"); !ok || r.Len() != 101 {
		t.Errorf("the one that matters is there: %v; %d records, want 101", ok, r.Len())
	}
	if _, ok := r.Get("4999"); !ok {
		t.Error("the newest of a flood is gone")
	}
	for i := range 5000 {
		client := netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1))
		r.Add(record(10000+i, fmt.Sprint("/", i), "x", client))
	}
	if r.Len() != 121 {
		t.Errorf("%d records, want 20 more from one /64", r.Len())
	}
	for i := range 30 {
		r.Add(record(20000+i, "/proxied", "x", netip.Addr{}))
	}
	if r.Len() != 151 {
		t.Errorf("%d records; callers without address are not one caller", r.Len())
	}
	for i := range 20000 {
		r.Add(record(30000+i, fmt.Sprint("/", i), "x", addr(i)))
	}
	if _, ok := r.Get("-1"); ok || r.Len() != 10000 {
		t.Errorf("%d records, want 10,000 without the oldest", r.Len())
	}
	if l := r.Latest(2); len(l) != 2 || l[0].ID != "49999" || l[1].ID != "49998" {
		t.Errorf("Latest = %v", l)
	}
	if len(r.byID) != 10000 || len(r.byReason) > 10000 || len(r.byAddress) > 10000 {
		t.Errorf("indexes of %d, %d, %d", len(r.byID), len(r.byReason), len(r.byAddress))
	}
}

func TestAWalkThroughThePast(t *testing.T) {
	t.Parallel()
	r := NewRing()
	for i := range 10 {
		rec := record(i, fmt.Sprint("/", i), "x", addr(i))
		rec.Tenant = []string{"a", "b"}[i%2]
		r.Add(rec)
	}
	of := func(tenant string) func(*Record) bool { return func(r *Record) bool { return r.Tenant == tenant } }
	var got []string
	for number := uint64(0); ; {
		page, next := r.Before(number, 2, of("a"))
		for _, rec := range page {
			got = append(got, rec.ID)
		}
		r.Add(record(100+len(got), "/new", "y", addr(100))) // what comes in meanwhile moves nothing
		if number = next; next == 0 {
			break
		}
	}
	if diff := cmp.Diff([]string{"8", "6", "4", "2", "0"}, got); diff != "" {
		t.Error(diff)
	}
	if page, next := r.Before(0, 5, of("b")); len(page) != 5 || next != 0 {
		t.Errorf("%d of 5, then %d", len(page), next)
	}
	if page, next := r.Before(1, 5, of("a")); page != nil || next != 0 {
		t.Errorf("before the first: %v, %d", page, next)
	}
}

func TestARecordIsCutAndCopied(t *testing.T) {
	t.Parallel()
	buffer := []byte("/secret-path")
	r, rec := NewRing(), refusal
	rec.Path = strings.Repeat("ä", 5000)
	rec.Steps = nil
	for i := range 500 {
		rec.Steps = append(rec.Steps, trace.Step{Check: fmt.Sprint(i), Found: string(buffer), OK: i < 499})
	}
	r.Add(rec)
	r.Add(rec) // the same id again
	rec.Steps[0].Check = "changed"
	got, ok := r.Get(rec.ID)
	if !ok || r.Len() != 1 || len(got.Path) > 1030 || !strings.HasSuffix(got.Path, "ä…") {
		t.Errorf("kept a path of %d bytes, %d records", len(got.Path), r.Len())
	}
	if len(got.Steps) != 100 || got.Steps[0].Check != "0" || got.Steps[99].Check != "499" {
		t.Errorf("kept %d steps", len(got.Steps))
	}
	if s, ok := got.Denied(); !ok || s.Check != "499" {
		t.Errorf("the step that refused is gone: %+v", s)
	}
	b, err := json.Marshal(refusal)
	if err != nil || !strings.Contains(string(b), `"requestId":"01J"`) || !strings.Contains(string(b), `"client":"203.0.113.9"`) {
		t.Errorf("as JSON: %s, %v", b, err)
	}
}

func TestIDsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		if len(id) != 32 || seen[id] {
			t.Fatalf("NewID = %q", id)
		}
		seen[id] = true
	}
}

func TestSixteenCallersAtOnce(t *testing.T) {
	t.Parallel()
	r := NewRing()
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for i := range 500 {
				r.Add(record(c*1000+i%50, fmt.Sprint(i%7), "x", addr(i%40)))
				r.Get(fmt.Sprint(i))
				r.Latest(3)
			}
		})
	}
	wg.Wait()
	n := 0
	for _, q := range r.byAddress {
		n += q.Len()
		if q.Len() > maxPerAddress {
			t.Errorf("%d of one address", q.Len())
		}
	}
	m := 0
	for _, q := range r.byReason {
		m += q.Len()
	}
	if n != r.Len() || m != n || len(r.byID) != n {
		t.Errorf("queues hold %d, %d, %d, %d", r.Len(), n, m, len(r.byID))
	}
}
