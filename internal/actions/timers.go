package actions

import (
	"slices"
	"time"

	"github.com/dop251/goja"
)

const (
	maxTimers  = 100
	maxRings   = 10_000 // of one run: an interval of 0 ms is a loop
	shortest   = time.Millisecond
	longestNap = longestTimeout
)

// timers are setTimeout and setInterval.
type timers struct {
	list  []timer // by due
	last  int64
	rings int
}

type timer struct {
	id    int64
	due   time.Time
	every time.Duration // 0: once
	call  goja.Callable
	args  []goja.Value
}

// set serves setTimeout and setInterval.
func (v *vm) set(call goja.FunctionCall, repeat bool) goja.Value {
	f, ok := goja.AssertFunction(call.Argument(0))
	if !ok {
		panic(v.rt.NewTypeError("a timer wants a function"))
	}
	if len(v.timers.list) >= maxTimers {
		panic(v.rt.NewTypeError("a run may have %d timers at once", maxTimers))
	}
	after := shortest
	if ms := call.Argument(1).ToFloat(); ms > 1 { // NaN is not
		after = longestNap
		if ms < float64(longestNap.Milliseconds()) {
			after = time.Duration(ms * float64(time.Millisecond))
		}
	}
	t := timer{due: time.Now().Add(after), call: f}
	if repeat {
		t.every = after
	}
	if len(call.Arguments) > 2 {
		t.args = slices.Clone(call.Arguments[2:])
	}
	v.timers.last++
	t.id = v.timers.last
	v.timers.add(t)
	return v.rt.ToValue(t.id)
}

func (v *vm) clear(call goja.FunctionCall) goja.Value {
	id := call.Argument(0).ToInteger()
	v.timers.list = slices.DeleteFunc(v.timers.list, func(t timer) bool { return t.id == id })
	return goja.Undefined()
}

func (t *timers) add(n timer) {
	i, _ := slices.BinarySearchFunc(t.list, n.due, func(a timer, due time.Time) int {
		if a.due.After(due) {
			return 1
		}
		return -1
	})
	t.list = slices.Insert(t.list, i, n)
}

func (t *timers) next() (due time.Time, any bool) {
	if len(t.list) == 0 {
		return time.Time{}, false
	}
	return t.list[0].due, true
}

// fire calls the timer that is due.
func (t *timers) fire() error {
	if len(t.list) == 0 {
		return nil
	}
	n := t.list[0]
	t.list = slices.Delete(t.list, 0, 1)
	if t.rings++; t.rings > maxRings {
		t.list = nil
		return nil
	}
	if n.every > 0 {
		again := n
		again.due = time.Now().Add(n.every)
		t.add(again)
	}
	_, err := n.call(goja.Undefined(), n.args...)
	return err
}
