package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/trace"
)

var (
	clock  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	shared = secret.New("0123456789abcdef0123456789abcdef")

	ecKey = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	es    = sync.OnceValue(func() *jws.Signer { return must(jws.NewSigner("ES256", "ec-1", ecKey())) })
	hs    = sync.OnceValue(func() *jws.Signer { return must(jws.NewSigner("HS256", "", shared)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// siteFile is as much of a site's keys as these tests need.
type siteFile struct {
	Hosts           config.List[string] `json:"hosts"`
	Auth            string              `json:"auth"`
	Tenant          string              `json:"tenant"`
	Allow           *policy.MatchConfig `json:"allow"`
	Deny            *policy.MatchConfig `json:"deny"`
	CORS            *CORSConfig         `json:"cors"`
	RateLimit       *limit.Config       `json:"rateLimit"`
	IdentityHeaders config.List[string] `json:"identityHeaders"`
	Upstream        *UpstreamConfig     `json:"upstream"`
	Routes          []RouteConfig       `json:"routes"`
	PathCase        string              `json:"pathCase"`
	EncodedSlash    string              `json:"encodedSlash"`
	EmptySegments   string              `json:"emptySegments"`
	DotSegments     string              `json:"dotSegments"`
	Strictness      string              `json:"strictness"`
}

type kitFile struct {
	siteFile
	Prod           bool                                   `json:"prod"`
	RBAC           *policy.RBACConfig                     `json:"rbac"`
	TrustedProxies config.List[client.TrustedProxyConfig] `json:"trustedProxies"`
	Sites          []siteFile                             `json:"sites"`
}

// rig is a gate with one configuration: a jwt provider with a shared secret and
// an Access team, whose keys are at hand.
type rig struct {
	t         testing.TB
	gate      *Gate
	snap      *Snapshot
	upstreams map[string]UpstreamSettings
	problems  string
	now       time.Time
}

// load builds a configuration, problems and all.
func load(t testing.TB, text string) *rig {
	t.Helper()
	return loadWith(t, text, nil)
}

// loadWith is load with something changed of every site.
func loadWith(t testing.TB, text string, change func(*SiteInput)) *rig {
	t.Helper()
	var f kitFile
	doc := config.Decode([]byte(text), &f, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	g := &rig{t: t, upstreams: map[string]UpstreamSettings{}, now: clock}
	jwt := must(identity.NewJWT(&identity.JWTConfig{Name: "jwt", Secret: shared}, identity.Deps{Env: "prod"}))
	access := identity.NewAccess(&identity.AccessConfig{TeamDomain: "acme.example", Audience: config.List[string]{"aud"}}, identity.Deps{
		Env:  "prod",
		Keys: func(keyset.Config) *keyset.Set { return keyset.New(keyset.Config{Static: []*jws.Key{es().Public()}}) },
	})
	id, _ := identity.NewSite([]*identity.Provider{jwt, access}, identity.SiteOptions{Memory: identity.NewMemory(64)})
	book := policy.NewBook(f.RBAC, root.At("rbac"))
	build := func(s siteFile, name string, at *config.Reporter) *Site {
		in := SiteInput{
			Name: name, Hosts: s.Hosts, Default: name == "default", Tenant: s.Tenant, Identity: id, Book: book, NoAuth: s.Auth == "none",
			Rules: rulesOf(s), FoldCase: s.PathCase == "fold", CORS: s.CORS, Allow: s.Allow, Deny: s.Deny, RateLimit: s.RateLimit,
			IdentityHeaders: s.IdentityHeaders, Upstream: s.Upstream, Routes: s.Routes, OwnCookies: []string{"__Host-portreeve"},
			At: at, Inherited: func(string) *config.Reporter { return at }, Upstreams: g.upstreams,
		}
		if change != nil {
			change(&in)
		}
		return BuildSite(in)
	}
	standard := build(f.siteFile, "default", root)
	var named []*Site
	for i, s := range f.Sites {
		named = append(named, build(s, s.Hosts[0], root.At("sites"+config.Index(i))))
	}
	g.snap = NewSnapshot(standard, named)
	g.snap.WarnEndpoints(f.RateLimit, root)
	g.snap.Version, g.snap.RequireHTTPS = "1.2.3", f.Prod
	g.snap.Trusted = client.Compile(f.TrustedProxies, root.At("trustedProxies"))
	g.snap.Tenants = policy.NewTenants(nil, []policy.Provider{{Name: "jwt", Kind: "jwt"}, {Name: "access", Kind: "access"}}, root)
	g.gate = &Gate{Limits: limit.NewTable(1024), Lot: park.NewLot(park.Options{}), Now: func() time.Time { return g.now }}
	var lines []string
	for _, p := range doc.Problems() {
		lines = append(lines, p.String())
	}
	g.problems = strings.Join(lines, "\n")
	if !doc.Failed() {
		g.problems = "warnings only:\n" + g.problems
	}
	return g
}

func rulesOf(s siteFile) (r request.PathRules) {
	if s.EncodedSlash == "allow" {
		r.Allow |= request.EncodedSlash
	}
	if s.EmptySegments == "keep" {
		r.Allow |= request.Empty
	}
	r.ResolveDots, r.Report = s.DotSegments == "resolve", s.Strictness == "report"
	return r
}

// serving is load of a configuration without errors.
func serving(t testing.TB, text string) *rig {
	t.Helper()
	g := load(t, text)
	if !strings.HasPrefix(g.problems, "warnings only:") {
		t.Fatalf("the configuration has problems:\n%s", g.problems)
	}
	return g
}

// claims are those of a token; with changes them, nil removes.
type claims map[string]any

func (c claims) with(kv ...any) claims {
	c = maps.Clone(c)
	for i := 0; i < len(kv); i += 2 {
		if c[kv[i].(string)] = kv[i+1]; kv[i+1] == nil {
			delete(c, kv[i].(string))
		}
	}
	return c
}

var alice = claims{"sub": "alice", "email": "alice@example.com", "role": "editor", "iat": clock.Add(-time.Minute).Unix(), "exp": clock.Add(time.Hour).Unix()}

// bearer is a header line with a token of the jwt provider.
func bearer(c claims) string {
	return "Authorization: Bearer " + must(hs().Sign("JWT", map[string]any(c)))
}

// accessToken is an assertion of the Access team.
func accessToken() string {
	return must(es().Sign("JWT", map[string]any(alice.with("iss", "https://acme.example", "aud", "aud", "type", "app", "role", nil))))
}

// arrival is a request from 203.0.113.9, written "GET api.example.com/path?x"
// with header lines behind it. Without a host it is api.example.com.
func arrival(line string, fields ...string) Arrival {
	method, rest, _ := strings.Cut(line, " ")
	host, target := "api.example.com", rest
	if i := strings.IndexByte(rest, '/'); i > 0 && !strings.HasPrefix(rest, "http:") {
		host, target = rest[:i], rest[i:]
	}
	a := Arrival{ID: "req-1", Method: method, Target: target, Host: host, Received: clock,
		Peer: netip.MustParseAddrPort("203.0.113.9:4711"), Header: request.Header{{Name: "Host", Value: host}}}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		a.Header = append(a.Header, request.Field{Name: name, Value: value})
	}
	return a
}

// answer is what came of a request: a reply of ours, or what goes upstream.
type answer struct {
	status  int
	header  request.Header
	body    string
	code    string // of the fault
	forward *Forward
	steps   []trace.Step
	x       *Exchange
	cookies request.Header // that a page's questions brought up
}

// ask serves a request as an engine does.
func (g *rig) ask(line string, fields ...string) answer {
	g.t.Helper()
	return g.send(arrival(line, fields...), "")
}

func (g *rig) send(a Arrival, body string) answer {
	g.t.Helper()
	x := &Exchange{}
	v := g.gate.Ask(g.t.Context(), g.snap, x, a)
	out := answer{x: x, header: x.AnswerHeaders()}
	reply := request.Reply{}
	f := v.Fault
	switch {
	case v.Kind != Allow:
		out.steps = x.Explain(a, g.now)
	case v.Reply != nil:
		reply = *v.Reply
	default:
		reply, f = g.serve(&out, body)
	}
	if f != nil {
		out.code = f.Code
		reply = x.Fault(f, x.View.ID, "decision-1")
	}
	out.status, out.header, out.body = reply.Status, append(out.header, reply.Header...), string(reply.Body)
	return out
}

func (g *rig) serve(out *answer, body string) (request.Reply, *fault.Error) {
	x := out.x
	if to, ok := x.Route.Answer.(*Forwarding); ok {
		forward, f := x.Forward(to, nil, g.now)
		out.forward = forward
		return request.Reply{Status: 200}, f
	}
	if op, ok := x.Route.Answer.(*Operation); ok {
		call, f := x.Call([]byte(body), g.now, "decision-1")
		if f != nil {
			return request.Reply{}, f
		}
		call.Through(g.gate)
		reply, err := op.Run(g.t.Context(), call)
		out.cookies = call.Cookies()
		if err != nil {
			return reply, OperationFault(err)
		}
		return reply, nil
	}
	var read []byte
	if x.WantsBody() {
		read = []byte(body)
	}
	return x.Answer(read, g.now)
}

// upstream is what the upstream gets: method, path and query.
func (a answer) upstream() string {
	if a.forward == nil {
		return fmt.Sprint(a.status, " ", a.code)
	}
	s := a.forward.Method + " " + a.forward.Path
	if a.forward.HasQuery {
		s += "?" + a.forward.Query
	}
	return s
}

func itoa(n int) string { return strconv.Itoa(n) }

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

var errBroken = errors.New("broken")
