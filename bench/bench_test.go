package main

import (
	"bufio"
	"bytes"
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
	o := options{rounds: 1, length: time.Second, connections: 50, portreeve: "x"}
	err := report(&b, o, findings{
		list: []scenario{{name: "floor", group: inPlain}, {name: proxiedOne, group: inPlain, target: target{idle: 12}}},
		results: []result{
			{samples: []sample{{rate: 1000, cpu: 0.02, p50: 1, p99: 2}}, memory: 10},
			{samples: []sample{{rate: 800, cpu: 0.03, p50: 1.5, p99: 3}}, memory: 30},
		},
		idle:   []idleFigure{{name: "Portreeve", connections: 1024, before: 10, after: 20, kept: true}},
		starts: []startFigure{{routes: 1000, ms: 120, memory: 33}},
	})
	for _, want := range []string{
		"| " + proxiedOne + " | 800 | 0.80 | 0.0300 | 1.50 | 1.50 | 1.50 | 3.00 | 1.50 | 12 | 30 |",
		"| Portreeve | 1024 | 10 | 20 | 10.0 | yes |",
		"| ≥ 0.55 | ≥ 0.88 | 0.80 | ships |", "| ≤ 1.40 | ≤ 1.00 | 1.50 | **missed** |", "| ≤ 40 MB | ≤ 20 MB | 12 MB | goal |",
		"| ≤ 100 ms | ≤ 50 ms | 120 ms | **missed** |",
	} {
		if err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%v\n%s\nwant %s", err, b.String(), want)
		}
	}
}

func TestH2loadLog(t *testing.T) {
	t.Parallel()
	l, err := parseH2load(bufio.NewScanner(strings.NewReader("1700000000\t200\t1500\n1700000001\t200\t2500\n1700000002\t-1\t9\n")), 2)
	if err != nil || l.Requests != 2 || l.Errors != 1 || l.P50 != 2.5 || l.Seconds != 2 {
		t.Errorf("%+v %v", l, err)
	}
	if l, err := parseH2load(bufio.NewScanner(strings.NewReader("x\n")), 2); err == nil {
		t.Errorf("read as %+v", l)
	}
}

// A frame as the load sends it, and one with a mask (RFC 6455 section 5.7).
func TestFrames(t *testing.T) {
	t.Parallel()
	read := func(raw []byte) (string, error) {
		b, err := readFrame(bufio.NewReader(bytes.NewReader(raw)), make([]byte, frameBytes))
		return string(b), err
	}
	if got, err := read(masked()); err != nil || got != string(make([]byte, frameBytes)) {
		t.Errorf("%q %v", got, err)
	}
	if got, err := read([]byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}); err != nil || got != "Hello" {
		t.Errorf("%q %v", got, err)
	}
	for _, bad := range [][]byte{{}, {0x88, 0}, {0x81, 126, 255, 255}, {0x81, 5, 'H'}} {
		if got, err := read(bad); err == nil {
			t.Errorf("%x is read as %q", bad, got)
		}
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	steady := func(i int) moment {
		return moment{memory: 50, goroutines: 100, files: 80, served: int64(i), events: 1, socks: 1, broken: 1, reloads: 1}
	}
	for what, c := range map[string]struct {
		change func(i int, m *moment)
		last   func(*moment)
		want   string
	}{
		"steady":          {},
		"memory":          {change: func(i int, m *moment) { m.memory += float64(i * 10) }, want: "memory"},
		"goroutines":      {change: func(i int, m *moment) { m.goroutines += i * 30 }, want: "goroutines"},
		"files":           {change: func(i int, m *moment) { m.files += i * 60 }, want: "files"},
		"left goroutines": {last: func(m *moment) { m.goroutines = 200 }, want: "at rest"},
		"left files":      {last: func(m *moment) { m.files = 300 }, want: "at rest"},
		"lost":            {last: func(m *moment) { m.lost = 1 }, want: "lost"},
		"a part is idle":  {last: func(m *moment) { m.events = 0 }, want: "did not run"},
	} {
		var list []moment
		for i := range 15 {
			m := steady(i)
			if c.change != nil {
				c.change(i, &m)
			}
			list = append(list, m)
		}
		last := steady(15)
		if c.last != nil {
			c.last(&last)
		}
		got := strings.Join(verdict(list, last), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// The generated routes hold the measured ones once, and as many others as
// asked for.
func TestGeneratedFile(t *testing.T) {
	t.Parallel()
	for _, n := range []int{10, 10_000} {
		f := portreeveFile("/d", "/k", "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", n)
		routes, roles := f["routes"].([]object), f["rbac"].(object)["roles"].([]object)
		seen := map[string]int{}
		for _, r := range routes {
			seen[r["path"].(string)]++
		}
		if len(routes) != n+8 || len(seen) != n+8 || seen["/bench/items/:id"] != 1 || seen["/decided/items/:id"] != 1 || len(roles) != n {
			t.Errorf("%d: %d routes, %d paths, %d roles", n, len(routes), len(seen), len(roles))
		}
	}
}
