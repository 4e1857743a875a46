package login

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/metric"
)

func TestWhatCameOfAttemptsIsCounted(t *testing.T) {
	t.Parallel()
	says := func(status int, body string) func(*kit) {
		return func(k *kit) { k.queue = []canned{{status: status, body: body}} }
	}
	good := canned{status: 200, body: tokens("refresh-2", map[string]any{"sub": "1", "email": "ann@example.com"})}
	const signup = `{"email":"ann@example.com","password":"correct-horse"}`
	for _, c := range []struct {
		name, line, body, want string
		before                 func(k *kit)
	}{
		{"in", "", ann, "login granted", func(k *kit) { k.queue = []canned{good} }},
		{"a wrong password", "", ann, "login wrong_credentials", says(403, `{"error":"invalid_grant"}`)},
		{"a second factor", "", ann, "login mfa_required", says(403, `{"error":"mfa_required","mfa_token":"mfa-token-1"}`)},
		{"a button that nobody pressed", "POST /mfa/verify", `{"mfa_token":"mfa-token-1","oob_code":"oob-1"}`, "mfa pending", says(400, `{"error":"authorization_pending"}`)},
		{"another refusal", "", ann, "login refused", says(429, `{"error":"too_many_attempts"}`)},
		{"a provider in trouble", "", ann, "login provider_failed", says(500, "")},
		{"a provider that talks nonsense", "", ann, "login provider_failed", says(200, "hello")},
		{"locked out", "", ann, "login locked_out", func(k *kit) { k.lock.locked = true }},
		{"a refresh denied", "POST /oauth/refresh", `{"refresh_token":"refresh-1"}`, "refresh risk_denied", func(k *kit) { k.risk.action = castle.Deny }},
		{"denied late", "", ann, "login risk_denied", func(k *kit) {
			k.risk.after = castle.Deny
			k.queue = []canned{good, {status: 200}}
		}},
		{"Castle does not know our secret", "", ann, "login failed", func(k *kit) { k.risk.err = fault.New(fault.Unavailable, "risk_unavailable", "") }},
		{"blocked", "", ann, "login blocked", func(k *kit) { k.users.status = "blocked" }},
		{"the user service away", "", ann, "login failed", func(k *kit) { k.users.err = errors.New("away") }},
		{"counters away", "", ann, "login failed", func(k *kit) {
			k.lock.err = errors.New("away")
			says(403, `{"error":"invalid_grant"}`)(k)
		}},
		{"an account without its record", "POST /signup", signup, "signup failed", func(k *kit) {
			k.users.err = errors.New("away")
			says(200, `{"_id":"1"}`)(k)
		}},
		{"an account that is there", "POST /signup", signup, "signup refused", says(400, `{"code":"user_exists"}`)},
		{"a body that is none", "", "{", "", func(*kit) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, setting{})
			c.before(k)
			var told []string
			k.u.s.d.Refused = func(reason, account string, ip netip.Addr) {
				told = append(told, reason+" "+account+" "+ip.String())
			}
			if c.line == "" {
				c.line = "POST /oauth/token"
			}
			k.send(c.line, c.body, device)
			var got []string
			for _, o := range k.u.s.Outcomes() {
				if o.Site != "edge" || o.N != 1 {
					t.Errorf("%+v", o)
				}
				got = append(got, o.Operation+" "+o.Outcome)
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
			for _, o := range []string{"wrong_credentials", "locked_out"} {
				if mark := "login." + o + " ann@example.com 203.0.113.9"; strings.HasSuffix(c.want, o) != slices.Contains(told, mark) || len(told) > 1 {
					t.Errorf("for the audit trail: %q", told)
				}
			}
		})
	}
}

// countingRisk is a scorer with figures.
type countingRisk struct {
	fakeRisk
	stats castle.Stats
}

func (c *countingRisk) Stats() castle.Stats { return c.stats }

// Counters never fall, whatever a reload brings.
func TestFiguresOutliveConfigurations(t *testing.T) {
	t.Parallel()
	s := New(Deps{})
	runs := func(site string, stats castle.Stats) (stop func()) {
		u := &Surface{s: s, site: Site{Name: site}, risk: &countingRisk{stats: stats}}
		ready := make(chan struct{})
		u.background = append(u.background, func(ctx context.Context) { close(ready); <-ctx.Done() })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { u.Run(ctx); close(done) }()
		<-ready
		return func() { cancel(); <-done }
	}
	old := runs("a", castle.Stats{Allowed: 3, Refused: 1, Queued: 2})
	next := runs("a", castle.Stats{Allowed: 1, Denied: 1, Queued: 1})
	defer runs("b", castle.Stats{Failing: 1})()
	want := func(queued int) {
		t.Helper()
		if diff := cmp.Diff([]Figures{
			{Site: "a", Castle: &castle.Stats{Allowed: 4, Denied: 1, Refused: 1, Queued: queued}}, {Site: "b", Castle: &castle.Stats{Failing: 1}},
		}, s.Figures()); diff != "" {
			t.Error(diff)
		}
	}
	want(3)
	old()
	want(1)
	next()
	want(0)
}

func TestFiguresOfWhatIsTracked(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{})
	k.send("POST /metric/track", `[{"event":"a"},{"event":"b"}]`)
	got := k.u.Figures()
	if got.Castle != nil || got.Tracked == nil || *got.Tracked != (metric.Stats{Taken: 2, Queued: 2}) {
		t.Errorf("%+v", got.Tracked)
	}
	sum := got.plus(got)
	if sum.Tracked.Taken != 4 || got.plus(Figures{}).Tracked.Taken != 2 || (Figures{}).plus(got).Tracked.Taken != 2 {
		t.Errorf("%+v", sum.Tracked)
	}
}
