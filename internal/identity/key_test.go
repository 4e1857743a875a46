package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/trace"
)

// keyRing is a store of keys: prk_a… are API keys, prk_m… and tok_… machines',
// and what ends in "!" is mistyped. The tenant is what follows the dash.
type keyRing struct {
	looked atomic.Int32
	away   atomic.Bool
	gone   atomic.Bool
}

func (k *keyRing) Parse(token string) (string, error) {
	switch {
	case strings.HasSuffix(token, "!"):
		return "", errors.New("the checksum does not fit")
	case strings.HasPrefix(token, "prk_a"):
		return KindAPIKey, nil
	case strings.HasPrefix(token, "prk_m"), strings.HasPrefix(token, "tok_"):
		return KindMachine, nil
	}
	return "", errors.New("not a key")
}

func (k *keyRing) Verify(_ context.Context, token string) (*principal.Principal, error) {
	k.looked.Add(1)
	if k.away.Load() {
		return nil, fault.New(fault.Unavailable, "store_unavailable", "")
	}
	_, tenant, ok := strings.Cut(token, "-")
	if !ok || k.gone.Load() {
		return nil, fault.New(fault.Unauthenticated, "invalid_key", "")
	}
	return &principal.Principal{Kind: principal.User, Provider: "made up", Subject: "key:" + token[4:6], CredentialID: token[4:6], Tenant: tenant,
		TrustRoles: true, Roles: []string{"admin"}, Email: "a@b.cc", EmailVerified: true}, nil
}

func keyed2(k *keyRing, more ...*Provider) []*Provider {
	return append([]*Provider{NewAPIKey("", k), NewMachine(k)}, more...)
}

func withKey(token string) field { return field{Name: "X-API-Key", Value: token} }

func bearing(token string) field { return field{Name: "Authorization", Value: "Bearer " + token} }

func TestWhereKeysAreRead(t *testing.T) {
	t.Parallel()
	all, plain := []string{KindAPIKey, KindMachine, KindJWT}, newHMAC(nil)
	jwt := mint(hs(), hmacBody().with("tenant_id", "acme"))
	s := site(t, NewMemory(0), keyed2(&keyRing{}, plain)...)
	named := site(t, NewMemory(0), NewAPIKey("X-Token", &keyRing{}), plain)
	without := site(t, NewMemory(0), plain)
	for _, c := range []struct {
		name   string
		site   *Site
		fields []field
		accept []string
		want   string // provider and subject, a code, or "" for nobody
	}{
		{"the header", s, []field{withKey("prk_a1-acme")}, nil, "apiKey key:a1"},
		{"a bearer", s, []field{bearing("prk_a1-acme")}, nil, "apiKey key:a1"},
		{"both, one and the same", s, []field{bearing("prk_a1-acme"), withKey("prk_a1-acme")}, nil, "apiKey key:a1"},
		{"both of one tenant: Authorization decides", s, []field{withKey("prk_a1-acme"), bearing("prk_a2-acme")}, nil, "apiKey key:a2"},
		{"two tenants", s, []field{withKey("prk_a1-acme"), bearing("prk_a2-else")}, nil, CodeTenantConflict},
		{"a key and a token of one tenant", s, []field{withKey("prk_a1-acme"), bearing(jwt)}, nil, "jwt h-1"},
		{"the route's provider decides", s, []field{withKey("prk_a1-acme"), bearing(jwt)}, []string{KindAPIKey}, "apiKey key:a1"},
		{"a key and a token of two tenants", s, []field{withKey("prk_a1-else"), bearing(jwt)}, nil, CodeTenantConflict},
		{"a good token does not help a bad key", s, []field{withKey("prk_a1"), bearing(jwt)}, nil, "invalid_key"},
		{"twice", s, []field{withKey("prk_a1-acme"), withKey("prk_a1-acme")}, nil, CodeDuplicate},
		{"in another spelling twice", s, []field{withKey("prk_a1-acme"), {"x-api-key", "prk_a1-acme"}}, nil, CodeDuplicate},
		{"a machine where nobody names machines", s, []field{bearing("tok_m1-acme")}, nil, ""},
		{"a machine where it is named", s, []field{bearing("tok_m1-acme")}, []string{KindMachine}, "machine key:m1"},
		{"a key of the machine class", s, []field{bearing("prk_m1-acme")}, []string{KindMachine}, "machine key:m1"},
		{"a key where machines are named", s, []field{bearing("prk_a1-acme")}, []string{KindMachine}, ""},
		{"a machine in the key header", s, []field{withKey("tok_m1-acme")}, all, CodeNoKeys},
		{"a machine-class key in the key header", s, []field{withKey("prk_m1-acme")}, all, CodeNoKeys},
		{"mistyped", s, []field{withKey("prk_a1-acme!")}, nil, CodeMalformed},
		{"nothing", s, []field{withKey("")}, nil, CodeMalformed},
		{"a signed token in the key header", s, []field{withKey(jwt)}, nil, CodeMalformed},
		{"endless", s, []field{withKey("prk_a1-" + strings.Repeat("a", 4096))}, nil, CodeMalformed},
		{"another header", named, []field{{"x-token", "prk_a1-acme"}}, nil, "apiKey key:a1"},
		{"which replaces the usual one", named, []field{withKey("prk_a1-acme")}, nil, ""},
		{"a machine where the site takes none", named, []field{bearing("tok_m1-acme")}, nil, CodeNoKeys},
		{"a key where the site takes none", without, []field{bearing("prk_a1-acme")}, nil, CodeNoKeys},
		{"a header that the site does not read", without, []field{withKey("prk_a1-acme")}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := asking(t, c.site, Ask{View: get(c.fields...), Now: clock, Accept: must(c.site.Accept(c.accept))})
			got := code(r)
			if r.Provider != nil {
				got = r.Provider.Name + " " + r.Who.ID()
			}
			if got != c.want || r.Ambient {
				t.Errorf("got %q, want %q: %+v", got, c.want, r)
			}
		})
	}
}

// Whatever the store hands out: a key is its own tenant's service, and nothing
// else that its principal says counts.
func TestWhoAKeyIs(t *testing.T) {
	t.Parallel()
	s := site(t, nil, keyed2(&keyRing{})...)
	for token, kind := range map[string]principal.Kind{"prk_a1-acme": principal.Service, "tok_m1-acme": principal.Machine} {
		r, _ := asking(t, s, Ask{View: withBearer(token), Now: clock, Accept: must(s.Accept([]string{KindAPIKey, KindMachine}))})
		p := r.Who
		if p.Kind != kind || p.Provider != p.ProviderKind || p.TrustRoles || !p.TrustTenant || p.EmailVerified || p.Tenant != "acme" {
			t.Errorf("%s: %+v", token, p)
		}
	}
}

func TestAKeyIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	ring := &keyRing{}
	s := site(t, NewMemory(0), keyed2(ring)...)
	at := func(now time.Time) string { return code(ask(t, s, get(withKey("prk_a1-acme")), now)) }
	for _, c := range []struct {
		after time.Duration
		want  int32
	}{{0, 1}, {time.Second, 1}, {5*time.Minute - 1, 1}, {5 * time.Minute, 2}} {
		if got := at(clock.Add(c.after)); got != "" || ring.looked.Load() != c.want {
			t.Errorf("after %v: %q, %d look-ups, want %d", c.after, got, ring.looked.Load(), c.want)
		}
	}
	ring.gone.Store(true)
	for range 3 {
		if got := code(ask(t, s, get(withKey("prk_a2-acme")), clock)); got != "invalid_key" {
			t.Error(got)
		}
	}
	if n := ring.looked.Load(); n != 5 {
		t.Errorf("%d look-ups: a failure is remembered", n)
	}
	ring.away.Store(true)
	if got := code(ask(t, s, get(withKey("prk_a3-acme")), clock)); got != "store_unavailable" {
		t.Errorf("without the store: %q", got)
	}
}

// What changed by one byte is another key, also while the right one is
// remembered.
func TestAnyChangeOfAKeyIsLookedUpAnew(t *testing.T) {
	t.Parallel()
	ring := &keyRing{}
	s := site(t, NewMemory(0), keyed2(ring)...)
	token := "prk_a1-acme"
	ask(t, s, get(withKey(token)), clock)
	ring.gone.Store(true)
	for i := range token {
		for _, bad := range []string{token[:i], token[:i] + string(token[i]^1) + token[i+1:], token[:i] + " " + token[i:]} {
			if r := ask(t, s, get(withKey(bad)), clock); r.Fault == nil {
				t.Errorf("%q counts", bad)
			}
		}
	}
}

func TestTheJobOfAKey(t *testing.T) {
	t.Parallel()
	s := site(t, nil, keyed2(&keyRing{})...)
	one := s.Identify(Ask{View: get(withKey("prk_a1-acme")), Now: clock}).Job
	two := s.Identify(Ask{View: get(withKey("prk_a2-acme")), Now: clock}).Job
	again := s.Identify(Ask{View: withBearer("prk_a1-acme"), Now: clock}).Job
	if one == nil || !one.Waits || !one.Guess || one.Kind != "key" || one.Key == two.Key || one.Key != again.Key {
		t.Errorf("%+v, %+v, %+v", one, two, again)
	}
	for name, settled := range map[string]park.Settled{
		"a job that panicked":     {Key: one.Key, Err: fault.New(fault.Internal, "job_panicked", "")},
		"somebody else's result":  {Key: one.Key, Value: "yes"},
		"no principal in it":      {Key: one.Key, Value: verified{}},
		"an error of another air": {Key: one.Key, Err: errors.New("broken")},
	} {
		r := s.Identify(Ask{View: get(withKey("prk_a1-acme")), Now: clock, Settled: []park.Settled{settled}})
		if r.Fault == nil || r.Fault.Kind != fault.Internal || r.Who.Authenticated() {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// A trace names the key's row, never the key.
func TestATraceHoldsNoKey(t *testing.T) {
	t.Parallel()
	s := site(t, NewMemory(0), keyed2(&keyRing{})...)
	for _, token := range []string{"prk_a1-acme", "prk_a1-acme!", "prk_a1", "tok_m1-acme", "prk_q1-acme"} {
		rec := &trace.Recorder{}
		a := Ask{View: get(withKey(token)), Now: clock, Trace: rec}
		if r := s.Identify(a); r.Job != nil {
			v, err := r.Job.Run(t.Context())
			a.Settled = []park.Settled{{Key: r.Job.Key, Value: v, Err: err}}
			s.Identify(a)
		}
		if text := fmt.Sprint(rec.Steps); strings.Contains(text, token) || len(rec.Steps) == 0 {
			t.Errorf("%s: %s", token, text)
		}
	}
}

func TestWhatUpstreamsGetOfKeys(t *testing.T) {
	t.Parallel()
	k := &keyRing{}
	for want, s := range map[string]*Site{
		"x-api-key Authorization":                         site(t, nil, NewAPIKey("", k)),
		"X-Token Authorization":                           site(t, nil, NewAPIKey("X-Token", k), NewMachine(k)),
		"Authorization":                                   site(t, nil, NewMachine(k)),
		"Cf-Access-Jwt-Assertion x-api-key Authorization": site(t, nil, newAccess(), NewAPIKey("", k)),
	} {
		if got := strings.Join(s.CredentialHeaders(), " "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if p := NewAPIKey("", k); p.Place().Header != "x-api-key" || NewMachine(k).Place().Header != "Authorization" {
		t.Errorf("%+v", p.Place())
	}
	for _, header := range []string{"Authorization", "cookie", "Cf-Access-Jwt-Assertion", "X_Portreeve_Subject", "X-Forwarded-For", "a b", "x-tenant-id"} {
		if _, problems := NewSite([]*Provider{NewAPIKey(header, k)}, SiteOptions{}); len(problems) == 0 {
			t.Errorf("%s can hold keys", header)
		}
	}
	if a, b := NewAPIKey("", k).Digest(), NewAPIKey("X-Token", k).Digest(); a == b {
		t.Error("two headers, one digest")
	}
}

func TestWhoseCredentialsCountWithKeys(t *testing.T) {
	t.Parallel()
	s := site(t, nil, keyed2(&keyRing{}, newHMAC(nil))...)
	if got := strings.Join(s.Any().Names(), " "); got != "apiKey jwt" {
		t.Errorf("requireAuth alone accepts %s", got)
	}
	if got := strings.Join(s.AcceptKnown([]string{"machine", "nosuch", "machine"}).Names(), " "); got != "machine" {
		t.Errorf("an operation accepts %s", got)
	}
	if got := site(t, nil, newHMAC(nil)).AcceptKnown([]string{"machine"}).Names(); len(got) != 0 {
		t.Errorf("where no machine is, %v opens its operation", got)
	}
	if s.AcceptKnown(nil) != s.Any() {
		t.Error("an operation that names nobody is not like requireAuth")
	}
}

func TestARememberedKeyCostsNoAllocation(t *testing.T) { // not parallel: it counts
	s := site(t, NewMemory(0), keyed2(&keyRing{}, newHMAC(nil), newAccess())...)
	v := get(withKey("prk_a1-acme"))
	ask(t, s, v, clock)
	if n := testing.AllocsPerRun(100, func() {
		if r := s.Identify(Ask{View: v, Now: clock}); !r.Who.Authenticated() {
			t.Fatal(r)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
