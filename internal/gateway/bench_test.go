package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
)

// largeFile has n routes, each with a permission of its own, and n roles.
func largeFile(n int) string {
	var b strings.Builder
	b.WriteString("rbac:\n  roles:\n")
	for i := range n {
		fmt.Fprintf(&b, "    - {name: role%d, permissions: [\"thing%d:read\"]}\n", i, i)
	}
	b.WriteString("routes:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {path: \"/api/v1/thing%d/:id\", method: get, requiredPermissions: [\"thing%d:read\"], response: ok}\n", i, i)
	}
	return b.String()
}

// remembered makes a rig whose memory holds the token of the request.
func remembered(t testing.TB, n int) (*rig, Arrival) {
	g := serving(t, largeFile(n))
	token := bearer(alice.with("role", fmt.Sprintf("role%d", n-1), "sub", "user-1"))
	a := arrival(fmt.Sprintf("GET /api/v1/thing%d/42?x=1", n-1), token, "Accept: */*", "User-Agent: bench")
	if got := g.send(a, ""); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return g, a
}

// decide is the whole decision, without limits and answers.
func decide(g *rig, x *Exchange, a Arrival) (Verdict, *fault.Error) {
	*x = Exchange{}
	if _, f := g.snap.Place(x, a, nil); f != nil {
		return Verdict{}, f
	}
	return Decide(x, g.now, nil, nil), nil
}

// An allowed request whose token is remembered is decided without allocating.
func TestDecisionsOfRememberedTokensCostNoAllocation(t *testing.T) { // not parallel: it counts
	g, a := remembered(t, 10)
	x := &Exchange{}
	if v, f := decide(g, x, a); v.Kind != Allow || f != nil {
		t.Fatalf("%+v %v", v, f)
	}
	if n := testing.AllocsPerRun(200, func() { decide(g, x, a) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecision(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("routes and roles=%d", n), func(b *testing.B) {
			g, a := remembered(b, n)
			x := &Exchange{}
			b.ReportAllocs()
			for b.Loop() {
				if v, _ := decide(g, x, a); v.Kind != Allow {
					b.Fatal(v)
				}
			}
		})
	}
	b.Run("refused", func(b *testing.B) {
		g, a := remembered(b, 10)
		a.Target = "/api/v1/thing1/42"
		x := &Exchange{}
		b.ReportAllocs()
		for b.Loop() {
			if v, _ := decide(g, x, a); v.Kind != Refuse {
				b.Fatal(v)
			}
		}
	})
	b.Run("first sight of a token", func(b *testing.B) {
		g, a := remembered(b, 10)
		x := &Exchange{}
		var settled []park.Settled
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			a.Header[1].Value = strings.TrimPrefix(bearer(alice.with("role", "role9", "jti", i)), "Authorization: ")
			b.StartTimer()
			*x = Exchange{}
			g.snap.Place(x, a, nil)
			v := Decide(x, g.now, nil, nil)
			value, err := v.Job.Run(b.Context())
			settled = append(settled[:0], park.Settled{Key: v.Job.Key, Value: value, Err: err})
			if v = Decide(x, g.now, settled, nil); v.Kind != Allow {
				b.Fatal(v)
			}
		}
	})
}

func BenchmarkForward(b *testing.B) {
	g := serving(b, `{rbac: {roles: [{name: editor}]}, routes: [{path: /*, method: any, requireAuth: true, upstream: http://app}]}`)
	a := arrival("GET /a/b?c", bearer(alice), "Accept: */*", "User-Agent: bench", "Cookie: a=1; b=2")
	x := g.send(a, "").x
	b.ReportAllocs()
	for b.Loop() {
		if _, f := x.Forward(x.Route.Answer.(*Forwarding), nil, g.now); f != nil {
			b.Fatal(f)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	g, a := remembered(b, 10_000)
	x := &Exchange{}
	decide(g, x, a)
	b.ReportAllocs()
	for b.Loop() {
		var p Params
		if g.snap.standard.Table.Find(x.View.Path, &p) == nil {
			b.Fatal()
		}
	}
}
