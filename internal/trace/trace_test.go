package trace

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSteps(t *testing.T) {
	t.Parallel()
	r := &Recorder{}
	r.Pass("route", "path", "/a", "/a")
	r.Fail("decide", "role", "admin", "user", "the role admin")
	want := []Step{
		{Stage: "route", Check: "path", Wanted: "/a", Found: "/a", OK: true},
		{Stage: "decide", Check: "role", Wanted: "admin", Found: "user", Enough: "the role admin"},
	}
	if d := cmp.Diff(want, r.Steps); d != "" || !r.On() {
		t.Error(d)
	}
}

func TestNobodyRecords(t *testing.T) { // not parallel: it counts allocations
	var r *Recorder
	allocs := testing.AllocsPerRun(100, func() {
		r.Pass("a", "b", "c", "d")
		r.Fail("a", "b", "c", "d", "e")
	})
	if r.On() || allocs != 0 {
		t.Errorf("a nil recorder is on, or costs %v allocations", allocs)
	}
}
