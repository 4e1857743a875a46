package identity

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"crypto/x509"
	"encoding/pem"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/trace"
)

func publicPEM(*jws.Signer) string {
	der := must(x509.MarshalPKIXPublicKey(rsaKey().Public()))
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// jobs counts how often a token had to be verified.
func jobs(t *testing.T, s *Site, token string, now time.Time) int {
	t.Helper()
	r, n := asking(t, s, Ask{View: withBearer(token), Now: now})
	if r.Fault != nil || !r.Who.Authenticated() {
		t.Fatalf("%+v, %v", r, r.Fault)
	}
	return n
}

func TestATokenIsVerifiedOnce(t *testing.T) {
	t.Parallel()
	m := NewMemory(0)
	s := site(t, m, newHMAC(nil))
	token := mint(hs(), hmacBody())
	for i, want := range []int{1, 0, 0} {
		if got := jobs(t, s, token, clock); got != want {
			t.Errorf("time %d: %d verifications", i, got)
		}
	}
	if got := jobs(t, s, token, clock.Add(5*time.Minute-time.Nanosecond)); got != 0 {
		t.Error("forgotten too soon")
	}
	if got := jobs(t, s, token, clock.Add(5*time.Minute)); got != 1 {
		t.Error("remembered for longer than 5 minutes")
	}
}

func TestARememberedTokenExpires(t *testing.T) {
	t.Parallel()
	s := site(t, NewMemory(0), newHMAC(nil))
	token := mint(hs(), hmacBody().with("exp", unix(10*time.Second)))
	jobs(t, s, token, clock)
	if got := jobs(t, s, token, clock.Add(9*time.Second)); got != 0 {
		t.Error("not remembered until exp")
	}
	if got := jobs(t, s, token, clock.Add(11*time.Second)); got != 1 {
		t.Error("remembered past exp")
	}
	if got := code(ask(t, s, withBearer(token), clock.Add(70*time.Second))); got != CodeExpired {
		t.Errorf("past the leeway: %q", got)
	}
}

func TestFailuresAreNotRemembered(t *testing.T) {
	t.Parallel()
	m := NewMemory(0)
	s := site(t, m, newHMAC(nil))
	forged := mint(must(jws.NewSigner("HS256", "", must(newSecret("another secret of thirty-two bytes")))), hmacBody())
	for range 3 {
		r, n := asking(t, s, Ask{View: withBearer(forged), Now: clock})
		if code(r) != CodeBadSignature || n != 1 {
			t.Errorf("%q after %d verifications", code(r), n)
		}
	}
	if m.Len(clock) != 0 {
		t.Error("a failure is remembered")
	}
}

// P4: the same token against other settings, providers and sites, all over one
// table.
func TestMemoryHoldsAllThatTheResultDependsOn(t *testing.T) {
	t.Parallel()
	token := mint(hs(), hmacBody().with("iss", "https://own.example", "aud", "a", "role", "admin"))
	loose := newHMAC(nil)
	own := func(change func(*JWTConfig)) *Provider {
		return newHMAC(func(c *JWTConfig) {
			c.Issuer = "https://own.example"
			if change != nil {
				change(c)
			}
		})
	}
	no := false
	short := config.Duration(time.Minute)
	for _, c := range []struct {
		name    string
		other   []*Provider
		options SiteOptions
		want    string
	}{
		{"the same settings", []*Provider{newHMAC(nil)}, SiteOptions{}, ""},
		{"another secret", []*Provider{newHMAC(func(c *JWTConfig) { c.Secret = must(newSecret("fedcba9876543210fedcba9876543210")) })}, SiteOptions{}, CodeBadSignature},
		{"another audience", []*Provider{newHMAC(func(c *JWTConfig) { c.Audience = config.List[string]{"b"} })}, SiteOptions{}, CodeWrongAudience},
		{"the audience narrowed by the site", []*Provider{loose}, SiteOptions{Audience: map[string][]string{"jwt": {"b"}}}, CodeWrongAudience},
		{"another algorithm", []*Provider{newHMAC(func(c *JWTConfig) { c.Algorithm = "HS384" })}, SiteOptions{}, CodeWrongAlgorithm},
		{"a shorter maxTokenAge", []*Provider{newHMAC(func(c *JWTConfig) { c.MaxTokenAge = &short })}, SiteOptions{}, CodeTooLongLived},
		{"the token is another provider's here", []*Provider{loose, own(func(c *JWTConfig) {
			c.Name, c.Secret = "own", must(newSecret("fedcba9876543210fedcba9876543210"))
		})}, SiteOptions{}, CodeBadSignature},
		{"nobody has its issuer here", []*Provider{own(func(c *JWTConfig) { c.Issuer = "https://b.example" })}, SiteOptions{}, CodeUnknownIssuer},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := NewMemory(0)
			jobs(t, site(t, m, loose), token, clock)
			c.options.Memory = m
			s, _ := NewSite(c.other, c.options)
			if got := code(ask(t, s, withBearer(token), clock)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}

	m := NewMemory(0)
	jobs(t, site(t, m, loose), token, clock)
	distrusted := newHMAC(func(c *JWTConfig) { c.TrustRoles, c.TrustTenant = &no, &no })
	if who := ask(t, site(t, m, distrusted), withBearer(token), clock).Who; who.TrustRoles || who.TrustTenant {
		t.Error("trust outlives the setting")
	}
}

// Every setting that verification depends on is in the digest.
func TestDigestsDiffer(t *testing.T) {
	t.Parallel()
	yes, short := true, config.Duration(time.Second)
	seen := map[[32]byte]string{}
	for name, p := range map[string]*Provider{
		"plain":    newHMAC(nil),
		"name":     newHMAC(func(c *JWTConfig) { c.Name = "b" }),
		"secret":   newHMAC(func(c *JWTConfig) { c.Secret = must(newSecret("fedcba9876543210fedcba9876543210")) }),
		"issuer":   newHMAC(func(c *JWTConfig) { c.Issuer = "x" }),
		"audience": newHMAC(func(c *JWTConfig) { c.Audience = config.List[string]{"x"} }),
		"alg":      newHMAC(func(c *JWTConfig) { c.Algorithm = "HS256" }),
		"leeway":   newHMAC(func(c *JWTConfig) { c.Leeway = &short }),
		"age":      newHMAC(func(c *JWTConfig) { c.MaxTokenAge = &short }),
		"claim":    newHMAC(func(c *JWTConfig) { c.TenantClaim = "org" }),
		"email":    newHMAC(func(c *JWTConfig) { c.TrustEmail = &TrustEmailConfig{Domains: config.List[string]{"x.example"}} }),
		"access":   newAccess(),
		"team":     NewAccess(&AccessConfig{TeamDomain: "b.example", Audience: config.List[string]{"aud-1", "aud-2"}}, issuerKeys("prod")),
		"certs":    NewAccess(&AccessConfig{TeamDomain: "acme.example", Audience: config.List[string]{"aud-1", "aud-2"}, CertsURL: "http://b"}, issuerKeys("test")),
		"roles":    NewAccess(&AccessConfig{TeamDomain: "acme.example", Audience: config.List[string]{"aud-1", "aud-2"}, TrustRoles: &yes}, issuerKeys("prod")),
		"split":    NewAccess(&AccessConfig{TeamDomain: "acme.example", Audience: config.List[string]{"aud-1aud-2"}}, issuerKeys("prod")),
		"firebase": newFirebase(),
		"emulator": NewFirebase(&FirebaseConfig{ProjectID: "demo-project", Emulator: true}, issuerKeys("test")),
		"oidc":     newOIDC("a", "https://a.example", "x"),
	} {
		if other, taken := seen[p.Digest()]; taken {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[p.Digest()] = name
	}
	for _, build := range []func() *Provider{func() *Provider { return newHMAC(nil) }, newAccess, newFirebase} {
		if one, other := build(), build(); one.Digest() != other.Digest() {
			t.Errorf("%s: equal settings have different digests", one.Name)
		}
	}
}

// fileKeys is a provider whose keys stand in a file.
func fileKeys(t *testing.T) (p *Provider, write func(...*jws.Signer)) {
	path := filepath.Join(t.TempDir(), "keys.json")
	write = func(list ...*jws.Signer) {
		b := []byte(`{"keys":[`)
		for i, s := range list {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, s.JWK()...)
		}
		if err := os.WriteFile(path, append(b, `]}`...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(rs())
	c := &JWTConfig{Name: "jwt", JWKSFile: path, Audience: config.List[string]{"api"}}
	return must(NewJWT(c, Deps{})), write
}

func TestARememberedTokenFallsWithItsKey(t *testing.T) {
	t.Parallel()
	p, write := fileKeys(t)
	s := site(t, NewMemory(0), p)
	token := mint(rs(), hmacBody().with("aud", "api"))
	jobs(t, s, token, clock)
	if jobs(t, s, token, clock) != 0 {
		t.Fatal("not remembered")
	}
	write(es())
	if err := p.Keys().Refetch(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := code(ask(t, s, withBearer(token), clock)); got != CodeUnknownKey {
		t.Errorf("a token whose key is gone: %q", got)
	}
}

func TestAnUnknownKeyIsAskedForOnce(t *testing.T) {
	t.Parallel()
	p, write := fileKeys(t)
	s := site(t, NewMemory(0), p)
	write(rs(), es())
	token := withBearer(mint(es(), hmacBody().with("aud", "api")))
	r, n := asking(t, s, Ask{View: token, Now: time.Now()})
	_ = n
	if code(r) == "" {
		t.Fatal("the token of the tests' clock should be expired by now")
	}
	now := time.Now()
	fresh := func(s *jws.Signer) string {
		return mint(s, body{"sub": "u", "aud": "api", "exp": now.Add(time.Hour).Unix()})
	}
	if r, n := asking(t, s, Ask{View: withBearer(fresh(es())), Now: now}); r.Fault != nil || n != 2 {
		t.Errorf("a new key: %v after %d jobs", r.Fault, n)
	}
	stranger := must(jws.NewSigner("ES256", "nobody", ecKey()))
	if r, n := asking(t, s, Ask{View: withBearer(fresh(stranger)), Now: now}); code(r) != CodeUnknownKey || n != 0 {
		t.Errorf("asked again at once: %q after %d jobs", code(r), n)
	}
}

func TestKeysThatWereNeverReached(t *testing.T) {
	t.Parallel()
	set := keyset.New(keyset.Config{File: filepath.Join(t.TempDir(), "none.json")})
	p := NewOIDC(&OIDCConfig{Name: "idp", Issuer: "https://idp.example", Audience: config.List[string]{"api"}},
		Deps{Keys: func(keyset.Config) *keyset.Set { return set }})
	s := site(t, NewMemory(0), p)
	r, n := asking(t, s, Ask{View: withBearer(mint(rs(), oidcBody())), Now: clock})
	if code(r) != CodeIssuerUnavailable || r.Fault.Kind != fault.Unavailable || r.Fault.Text() != "issuer unavailable" || n != 1 {
		t.Errorf("%v after %d jobs", r.Fault, n)
	}
	if got := code(ask(t, s, withBearer(mint(rs(), oidcBody().with("aud", "x"))), clock)); got != CodeWrongAudience {
		t.Errorf("a token that is bad anyway waits for keys: %q", got)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := NewMemory(64)
	who := &principal.Principal{Kind: principal.User, Expires: clock.Add(time.Hour)}
	var last [32]byte
	for i := range 10_000 {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(i))
		last = sha256.Sum256(b[:])
		m.put(last, [32]byte{}, verified{who: who}, clock.Add(time.Duration(i)))
	}
	if n := m.Len(clock); n > len(m.slots) || n < 60 {
		t.Errorf("%d tokens", n)
	}
	if m.get(&last, &[32]byte{}, clock) == nil {
		t.Error("the latest token was not kept")
	}
	if m.get(&last, &[32]byte{1}, clock) != nil {
		t.Error("found under another provider")
	}
	if m.put(last, [32]byte{}, verified{who: who}, clock); m.Len(clock.Add(time.Hour)) != 0 {
		t.Error("tokens outlive their time")
	}
}

func TestMemoryUnderContention(t *testing.T) {
	t.Parallel()
	m := NewMemory(8)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			who := &principal.Principal{Subject: string(rune('a' + g)), Expires: clock.Add(time.Hour)}
			token := sha256.Sum256([]byte(who.Subject))
			for range 500 {
				m.put(token, token, verified{who: who}, clock)
				if e := m.get(&token, &token, clock); e != nil && e.who != who {
					t.Error("somebody else's claims")
				}
			}
		})
	}
	wg.Wait()
}

func TestARememberedTokenAllocatesNothing(t *testing.T) {
	s := site(t, NewMemory(0), newAccess(), newHMAC(nil), newFirebase(), newOIDC("idp", "https://idp.example", "api"))
	for name, c := range map[string]struct {
		a    Ask
		want string
	}{
		"bearer":     {Ask{View: withBearer(mint(rs(), oidcBody())), Now: clock}, "idp"},
		"hmac":       {Ask{View: withBearer(mint(hs(), hmacBody())), Now: clock}, "jwt"},
		"access":     {Ask{View: withAccess(mint(rs(), accessBody())), Now: clock}, "access"},
		"cookie":     {Ask{View: get(field{"Cookie", "a=b; CF_Authorization=" + mint(rs(), accessBody())}), Now: clock}, "access"},
		"no one":     {Ask{View: get(), Now: clock}, ""},
		"two of one": {Ask{View: get(field{"Cf-Access-Jwt-Assertion", mint(rs(), accessBody())}, field{"Authorization", "Bearer " + mint(hs(), hmacBody())}), Now: clock}, "jwt"},
	} {
		asking(t, s, c.a)
		var r Result
		if n := testing.AllocsPerRun(200, func() { r = s.Identify(c.a) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if r.Job != nil || r.Fault != nil || (r.Provider == nil) != (c.want == "") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func BenchmarkIdentifyRemembered(b *testing.B) {
	s := site(b, NewMemory(0), newAccess(), newHMAC(nil), newOIDC("idp", "https://idp.example", "api"))
	a := Ask{View: withBearer(mint(rs(), oidcBody())), Now: clock}
	asking(b, s, a)
	b.ReportAllocs()
	for b.Loop() {
		s.Identify(a)
	}
}

func TestTheTraceSaysWhatWouldHaveBeenEnough(t *testing.T) {
	t.Parallel()
	s := site(t, nil, newHMAC(func(c *JWTConfig) { c.Audience = config.List[string]{"api"} }))
	var rec trace.Recorder
	s.Identify(Ask{View: withBearer(mint(hs(), hmacBody().with("aud", "other"))), Now: clock, Trace: &rec})
	if len(rec.Steps) != 1 || rec.Steps[0].OK || rec.Steps[0].Check != "jwt: audience" || rec.Steps[0].Found != "other" || rec.Steps[0].Enough == "" {
		t.Errorf("%+v", rec.Steps)
	}
}
