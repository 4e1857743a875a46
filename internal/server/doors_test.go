package server

import (
	"net"
	"slices"
	"testing"
)

// door is a listener that only knows whether it was closed.
type door struct {
	net.Listener
	closed int
}

func (d *door) Close() error { d.closed++; return nil }

func TestDoors(t *testing.T) {
	t.Parallel()
	var d Doors
	var served []net.Listener
	a, b, c, late := &door{}, &door{}, &door{}, &door{}
	d.Set(map[string]net.Listener{"a": a})
	if len(served) != 0 || d.At("a") != a || d.At("b") != nil {
		t.Fatal("doors are served before the server runs, or not found")
	}
	d.begin(func(l net.Listener) { served = append(served, l) })
	d.Set(map[string]net.Listener{"a": a, "b": b})
	if !slices.Equal(served, []net.Listener{a, b}) {
		t.Errorf("%d doors are served", len(served))
	}
	d.Set(map[string]net.Listener{"b": b, "c": c})
	if a.closed != 1 || b.closed != 0 || len(served) != 3 {
		t.Errorf("the door that is gone was closed %d times, the one that stays %d; %d served", a.closed, b.closed, len(served))
	}
	d.Close()
	d.Set(map[string]net.Listener{"b": b, "late": late})
	if b.closed == 0 || c.closed == 0 || late.closed == 0 || len(served) != 3 {
		t.Errorf("after the end: b %d, c %d, late %d, %d served", b.closed, c.closed, late.closed, len(served))
	}
}
