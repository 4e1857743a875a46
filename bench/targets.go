package main

import (
	"fmt"
	"math"
	"strings"
)

// goal is one line of the targets: what may ship, what is wanted, what was
// measured. Where less is better, less says so.
type goal struct {
	figure     string
	ship, want float64
	less       bool
	got        float64
	unit       string
}

// goals holds the measured beside the targets that this harness can measure.
// Those against other gateways need their programs, which are not here.
func goals(f findings) []goal {
	by := func(name string) []sample {
		for i, s := range f.list {
			if s.name == name {
				return f.results[i].samples
			}
		}
		return nil
	}
	floor := func(group string) []sample {
		for i, s := range f.list {
			if s.group == group {
				return f.results[i].samples
			}
		}
		return nil
	}
	list := []goal{
		{figure: "proxied, remembered token: requests a second against plain nginx", ship: 0.55, want: 0.88, got: ratio(by(proxiedOne), floor(inPlain), rateOf)},
		{figure: "the same: CPU per request against plain nginx", ship: 1.4, want: 1.0, less: true, got: ratio(by(proxiedOne), floor(inPlain), cpuOf)},
		{figure: "20,000 distinct warm tokens against one, proxied", ship: 0.9, want: 0.97, got: ratio(by(proxiedMany), by(proxiedOne), rateOf)},
		{figure: "20,000 distinct warm tokens against one, decided", ship: 0.9, want: 0.97, got: ratio(by(decidedMany), by(decidedOne), rateOf)},
		{figure: "an API key against a token, both remembered, proxied", ship: 0.95, want: 1, got: ratio(by(proxiedKey), by(proxiedStored), rateOf)},
		{figure: "an API key against a token, both remembered, decided", ship: 0.95, want: 1, got: ratio(by(decidedKey), by(decidedStored), rateOf)},
		{figure: "10,000 routes and roles against 10, proxied", ship: 0.9, want: 0.98, got: ratio(by(proxiedWide), by(proxiedOne), rateOf)},
		{figure: "10,000 routes and roles against 10, decided", ship: 0.9, want: 0.98, got: ratio(by(decidedWide), by(decidedOne), rateOf)},
		{figure: "one connection, p50 against plain nginx", ship: 1.3, want: 1.0, less: true, got: ratio(by(oursSingle), floor(inSingle), p50Of)},
		{figure: "p99 at 50 connections against plain nginx", ship: 2, want: 1.3, less: true, got: ratio(by(proxiedOne), floor(inPlain), p99Of)},
		{figure: "TLS 1.3 in: CPU against Go's own bare proxy", ship: 1.1, want: math.NaN(), less: true, got: ratio(by(oursSecure), by(peerSecure), cpuOf)},
		{figure: "TLS 1.3 in: CPU against nginx", ship: math.NaN(), want: 1.5, less: true, got: ratio(by(oursSecure), floor(inSecure), cpuOf)},
		{figure: "HTTP/2 in: CPU against Go's own bare proxy", ship: 1.1, want: math.NaN(), less: true, got: ratio(by(oursH2), by(peerH2), cpuOf)},
		{figure: "HTTP/2 in: CPU against nginx", ship: math.NaN(), want: 1.5, less: true, got: ratio(by(oursH2), floor(inH2), cpuOf)},
	}
	for i, s := range f.list {
		if s.name == proxiedOne {
			list = append(list,
				goal{figure: "memory idle, 10 routes", ship: 40, want: 20, less: true, got: s.target.idle, unit: " MB"},
				goal{figure: "memory after the runs, 10 routes", ship: 80, want: 40, less: true, got: f.results[i].memory, unit: " MB"})
		}
	}
	for _, i := range f.idle {
		if i.name == "Portreeve" {
			list = append(list, goal{figure: "memory of an idle plain HTTP/1.1 connection", ship: 12, want: 4, less: true, got: i.each(), unit: " KB"})
		}
	}
	for _, s := range f.starts {
		if s.routes == 1000 {
			list = append(list, goal{figure: "start to first answer, 1,000 routes", ship: 100, want: 50, less: true, got: s.ms, unit: " ms"})
		}
	}
	return list
}

// writeTargets puts the measured beside the targets.
func writeTargets(b *strings.Builder, f findings) {
	b.WriteString("\n## Beside the targets\n\n| figure | ships at | goal | measured | |\n|---|--:|--:|--:|---|\n")
	for _, g := range goals(f) {
		if math.IsNaN(g.got) {
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", g.figure, g.bound(g.ship), g.bound(g.want), g.number(g.got), g.verdict())
	}
	b.WriteString("\nNot measured here, since their programs are not on this machine: HAProxy, caddy-jwt, oauth2-proxy, Oathkeeper.\n")
}

func (g goal) number(v float64) string {
	if g.unit != "" {
		return fmt.Sprintf("%.0f%s", v, g.unit)
	}
	return fmt.Sprintf("%.2f", v)
}

func (g goal) bound(v float64) string {
	switch {
	case math.IsNaN(v):
		return ""
	case g.less:
		return "≤ " + g.number(v)
	}
	return "≥ " + g.number(v)
}

func (g goal) verdict() string {
	reaches := func(v float64) bool { return !math.IsNaN(v) && (g.less && g.got <= v || !g.less && g.got >= v) }
	switch {
	case reaches(g.want):
		return "goal"
	case reaches(g.ship):
		return "ships"
	case math.IsNaN(g.ship):
		return "short of the goal"
	}
	return "**missed**"
}
