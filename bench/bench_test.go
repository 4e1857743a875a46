package main

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	// proc_pid_stat(5): fields 1, 4, 14 and 15; the name is hostile.
	s, err := parseStat("4711 (ngi) nx (1)) S 42 4711 4711 0 -1 4194560 100 200 0 0 150 75 9 9 20 0 1 0 12345 1000 50")
	if err != nil || s.pid != 4711 || s.parent != 42 || s.cpu != 2250*time.Millisecond {
		t.Errorf("%+v %v", s, err)
	}
	for _, bad := range []string{"", "1 (a", "1 (a) S 2", "x (a) S 1 1 1 1 1 1 1 1 1 1 1 1 1", "1 (a) S 1 1 1 1 1 1 1 1 1 1 x 1 1"} {
		if s, err := parseStat(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, s)
		}
	}
}

func TestOwnFigures(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Skip("no /proc on this system")
	}
	s, err := parseStat(string(b))
	if err != nil || s.pid != os.Getpid() || s.parent != os.Getppid() {
		t.Errorf("%+v %v", s, err)
	}
}

func TestMedians(t *testing.T) {
	t.Parallel()
	rate := func(s sample) float64 { return s.rate }
	a := []sample{{rate: 10}, {rate: 100}, {rate: 20}}
	floor := []sample{{rate: 20}, {rate: 400}, {rate: 20}}
	if got := median(a, rate); got != 20 {
		t.Error(got)
	}
	if got := ratio(a, floor, rate); got != 0.5 { // of 0.5, 0.25 and 1
		t.Error(got)
	}
	if got := middle([]float64{4, 1}); got != 2.5 {
		t.Error(got)
	}
	if got := middle(nil); !math.IsNaN(got) {
		t.Error(got)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	o := options{rounds: 1, length: time.Second, connections: 50}
	err := report(&b, o, []scenario{{name: "floor"}, {name: "ours", target: target{idle: 12, ready: 40 * time.Millisecond}}}, []result{
		{samples: []sample{{rate: 1000, cpu: 0.02, p50: 1, p99: 2}}, memory: 10},
		{samples: []sample{{rate: 800, cpu: 0.03, p50: 1.5, p99: 3}}, memory: 30},
	})
	if want := "| ours | 800 | 0.80 | 0.0300 | 1.50 | 1.50 | 3.00 | 1.50 | 12 | 30 | 40 |"; err != nil || !strings.Contains(b.String(), want) {
		t.Errorf("%v\n%s\nwant %s", err, b.String(), want)
	}
}

// The generated routes hold the measured ones once, and as many others as
// asked for.
func TestGeneratedFile(t *testing.T) {
	t.Parallel()
	for _, n := range []int{10, 10_000} {
		f := portreeveFile("/d", "/k", "127.0.0.1:1", "127.0.0.1:2", n)
		routes, roles := f["routes"].([]object), f["rbac"].(object)["roles"].([]object)
		seen := map[string]int{}
		for _, r := range routes {
			seen[r["path"].(string)]++
		}
		if len(routes) != n+3 || len(seen) != n+3 || seen["/bench/items/:id"] != 1 || seen["/decided/items/:id"] != 1 || len(roles) != n {
			t.Errorf("%d: %d routes, %d paths, %d roles", n, len(routes), len(seen), len(roles))
		}
	}
}
