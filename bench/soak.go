package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// moment is what Portreeve held at one time of a soak.
type moment struct {
	at                    time.Duration
	memory, heap          float64 // MB resident, MB of live Go heap
	goroutines, files     int
	served, events, socks int64
	broken, reloads, lost int64
}

// soak loads one Portreeve with everything at once for a bounded time, watches
// what it holds, and judges whether that grows.
func (h *house) soak(o options) error {
	if o.portreeve == "" {
		return errors.New("soak needs -portreeve")
	}
	openFiles()
	t, err := h.portreeve(o.portreeve, setup{name: "soak", routes: 200, secure: true})
	if err != nil {
		return err
	}
	l := &soaker{house: h, target: t}
	if l.token, err = firstToken(h.tokens); err != nil {
		return err
	}
	if err := l.warm(); err != nil {
		return err
	}
	fmt.Printf("A soak of %v: keep-alive HTTP/1.1, HTTP/2, WebSockets, server-sent events, uploads of 1 MiB, broken clients, a reload every second.\n\n", o.soak)
	fmt.Println("| s | MB resident | MB heap | goroutines | files | answers | events | echoes | broken clients | reloads | lost |")
	fmt.Println("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	began := time.Now()
	list := []moment{l.moment(began)}
	list[0].print()
	ctx, stop := context.WithTimeout(h.ctx, o.soak)
	defer stop()
	var all sync.WaitGroup
	l.begin(ctx, &all)
	for tick := time.NewTicker(max(time.Second, o.soak/15)); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
			tick.Stop()
		case <-tick.C:
			m := l.moment(began)
			m.print()
			list = append(list, m)
		}
	}
	all.Wait()
	l.rest()
	last := l.moment(began)
	last.print()
	if h.ctx.Err() != nil {
		return h.ctx.Err()
	}
	return l.conclude(list, last)
}

// conclude says what came of it. The error is for growth and for lost requests.
func (l *soaker) conclude(list []moment, last moment) error {
	problems := verdict(list, last)
	if n := l.reloaded(); n < last.reloads*3/4 {
		problems = append(problems, fmt.Sprintf("of %d reloads %d came into service", last.reloads, n))
	}
	for _, example := range l.examples() {
		problems = append(problems, "lost: "+example)
	}
	fmt.Println()
	if len(problems) == 0 {
		fmt.Printf("Nothing grew, nothing was lost: %d answers, %d events, %d echoes beside %d broken clients and %d reloads.\n",
			last.served, last.events, last.socks, last.broken, last.reloads)
		return nil
	}
	return errors.New("soak: " + strings.Join(problems, "\n  "))
}

// The growth that is none: what pools, the collector and the moment of looking
// explain.
const (
	slackMB         = 16
	slackGoroutines = 40
	slackFiles      = 140 // connections kept to upstreams
)

// verdict compares the last third of a soak with its second, the first being
// what it takes to get warm, and the end, at rest, with the beginning.
func verdict(list []moment, last moment) (problems []string) {
	third := len(list) / 3
	if third < 2 {
		return []string{"too short to judge"}
	}
	grew := func(what string, of func(moment) float64, slack float64) {
		var early, late []float64
		for _, m := range list[third : 2*third] {
			early = append(early, of(m))
		}
		for _, m := range list[2*third:] {
			late = append(late, of(m))
		}
		if a, b := middle(early), middle(late); b > a*1.15+slack {
			problems = append(problems, fmt.Sprintf("%s grew under the same load from %.0f to %.0f", what, a, b))
		}
	}
	grew("resident memory (MB)", func(m moment) float64 { return m.memory }, slackMB)
	grew("the number of goroutines", func(m moment) float64 { return float64(m.goroutines) }, slackGoroutines)
	grew("the number of open files", func(m moment) float64 { return float64(m.files) }, slackFiles)
	if first := list[0]; last.goroutines > first.goroutines+slackGoroutines {
		problems = append(problems, fmt.Sprintf("at rest there are %d goroutines and there were %d", last.goroutines, first.goroutines))
	}
	if first := list[0]; last.files > first.files+slackFiles {
		problems = append(problems, fmt.Sprintf("at rest there are %d open files and there were %d", last.files, first.files))
	}
	if last.lost > 0 {
		problems = append(problems, fmt.Sprintf("%d requests were lost", last.lost))
	}
	if last.served == 0 || last.events == 0 || last.socks == 0 || last.broken == 0 || last.reloads == 0 {
		problems = append(problems, "a part of the load did not run")
	}
	return problems
}

// reloaded is how many reloads came into service by the process's own word.
func (l *soaker) reloaded() int64 {
	raw, err := os.ReadFile(l.target.log)
	if err != nil {
		return 0
	}
	return int64(strings.Count(string(raw), `"msg":"configuration reloaded"`))
}

// moment looks at the process.
func (l *soaker) moment(began time.Time) moment {
	m := moment{at: time.Since(began), memory: l.target.memory(), served: l.served.Load(), events: l.events.Load(),
		socks: l.echoes.Load(), broken: l.broken.Load(), reloads: l.reloads.Load(), lost: l.lost.Load()}
	if list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", l.target.cmd.Process.Pid)); err == nil {
		m.files = len(list)
	}
	if res, err := l.plain.Get("http://" + l.target.probes + "/metrics"); err == nil {
		raw, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		m.goroutines = int(metric(string(raw), "go_goroutines"))
		m.heap = metric(string(raw), "go_memstats_heap_alloc_bytes") / (1 << 20)
	}
	return m
}

// metric is the value of a metric without labels, 0 where it is not there.
func metric(text, name string) (v float64) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			_, _ = fmt.Sscan(value, &v)
		}
	}
	return v
}

func (m moment) print() {
	fmt.Printf("| %.0f | %.0f | %.1f | %d | %d | %d | %d | %d | %d | %d | %d |\n", m.at.Seconds(), m.memory, m.heap, m.goroutines, m.files,
		m.served, m.events, m.socks, m.broken, m.reloads, m.lost)
}

// reload changes the file and tells the process, once a second.
func (l *soaker) reload(ctx context.Context) {
	dir := l.target.file[:strings.LastIndexByte(l.target.file, '/')]
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := 1; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		file := portreeveFile(dir, l.house.keyFile, l.target.address, l.house.upstream, l.house.other, 200+i%2)
		file["tls"] = object{"cert": l.house.tls.cert, "key": l.house.tls.key}
		file["probes"] = object{"listen": l.target.probes}
		err := writeFile(l.target.file+".new", file)
		if err == nil {
			err = os.Rename(l.target.file+".new", l.target.file)
		}
		if err == nil {
			err = l.target.cmd.Process.Signal(syscall.SIGHUP)
		}
		if err != nil {
			l.lose("reload", err)
			return
		}
		l.reloads.Add(1)
	}
}
