package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/trace"
)

var (
	clock  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	shared = secret.New("0123456789abcdef0123456789abcdef")

	rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	ecKey  = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })

	rs = sync.OnceValue(func() *jws.Signer { return must(jws.NewSigner("RS256", "rsa-1", rsaKey())) })
	es = sync.OnceValue(func() *jws.Signer { return must(jws.NewSigner("ES256", "ec-1", ecKey())) })
	hs = sync.OnceValue(func() *jws.Signer { return must(jws.NewSigner("HS256", "", shared)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// issuerKeys hands every provider the two public keys of the tests.
func issuerKeys(env string) Deps {
	return Deps{Env: env, Keys: func(c keyset.Config) *keyset.Set {
		return keyset.New(keyset.Config{Name: c.Name, Static: []*jws.Key{rs().Public(), es().Public()}})
	}}
}

// The providers of the tests.
func newAccess() *Provider {
	return NewAccess(&AccessConfig{TeamDomain: "acme.example", Audience: config.List[string]{"aud-1", "aud-2"}}, issuerKeys("prod"))
}

func newFirebase() *Provider {
	return NewFirebase(&FirebaseConfig{ProjectID: "demo-project"}, issuerKeys("prod"))
}

func newOIDC(name, issuer string, audience ...string) *Provider {
	return NewOIDC(&OIDCConfig{Name: name, Issuer: config.URL(issuer), Audience: audience}, issuerKeys("prod"))
}

func newHMAC(change func(*JWTConfig)) *Provider {
	c := &JWTConfig{Name: "jwt", Secret: shared}
	if change != nil {
		change(c)
	}
	return must(NewJWT(c, issuerKeys("prod")))
}

// body is a set of claims; with returns a changed copy: nil removes.
type body map[string]any

func (b body) with(kv ...any) body {
	b = maps.Clone(b)
	for i := 0; i < len(kv); i += 2 {
		if kv[i+1] == nil {
			delete(b, kv[i].(string))
		} else {
			b[kv[i].(string)] = kv[i+1]
		}
	}
	return b
}

func unix(d time.Duration) int64 { return clock.Add(d).Unix() }

func times() body {
	return body{"iat": unix(-time.Minute), "exp": unix(time.Hour)}
}

func accessBody() body {
	return times().with("iss", "https://acme.example", "aud", []string{"aud-1"}, "sub", "u1", "email", "Ann@Example.com", "type", "app")
}

func firebaseBody() body {
	return times().with("iss", "https://securetoken.google.com/demo-project", "aud", "demo-project", "sub", "fb-1", "auth_time", unix(-time.Hour))
}

func oidcBody() body {
	return times().with("iss", "https://idp.example", "aud", "api", "sub", "o-1")
}

func hmacBody() body { return times().with("sub", "h-1", "email", "bob@example.com", "role", "admin") }

func mint(s *jws.Signer, b body) string { return must(s.Sign("JWT", map[string]any(b))) }

func site(t testing.TB, memory *Memory, providers ...*Provider) *Site {
	t.Helper()
	s, problems := NewSite(providers, SiteOptions{Memory: memory})
	for _, p := range problems {
		if !p.Warning {
			t.Fatal(p)
		}
	}
	return s
}

func get(fields ...field) *request.View {
	h := request.Header{{Name: "Host", Value: "app.example"}}
	for _, f := range fields {
		h = append(h, request.Field(f))
	}
	return &request.View{Method: "GET", Host: "app.example", Scheme: "https", Header: h}
}

func withBearer(token string) *request.View {
	return get(field{Name: "Authorization", Value: "Bearer " + token})
}

func withAccess(token string) *request.View {
	return get(field{Name: "Cf-Access-Jwt-Assertion", Value: token})
}

// ask identifies as a server does: it runs the jobs and asks again.
func ask(t testing.TB, s *Site, v *request.View, now time.Time) Result {
	t.Helper()
	r, _ := asking(t, s, Ask{View: v, Now: now})
	return r
}

func asking(t testing.TB, s *Site, a Ask) (Result, int) {
	t.Helper()
	for jobs := 0; ; jobs++ {
		r := s.Identify(a)
		if r.Who == nil || (r.Fault != nil || r.Job != nil) && (r.Who != principal.Nobody() || r.Provider != nil) {
			t.Fatalf("claims can be reached without verification: %+v", r)
		}
		if r.Job == nil {
			again := a
			again.Trace = &trace.Recorder{}
			if x := s.Identify(again); (x.Fault == nil) != (r.Fault == nil) || x.Who != r.Who && a.View != nil && !s.anyUnsigned() {
				t.Fatalf("with a recorder it falls otherwise: %+v, %+v", r, x)
			}
			return r, jobs
		}
		if jobs == 6 {
			t.Fatal("it parks without end")
		}
		v, err := r.Job.Run(context.Background())
		a.Settled = append(a.Settled, park.Settled{Key: r.Job.Key, Value: v, Err: err})
	}
}

func (s *Site) anyUnsigned() bool {
	for _, m := range s.members {
		if m.unsigned {
			return true
		}
	}
	return false
}

// code is the fault's code, "" if there is none.
func code(r Result) string {
	if r.Fault == nil {
		return ""
	}
	return r.Fault.Code
}
