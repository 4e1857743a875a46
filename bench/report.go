package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// findings are everything that was measured.
type findings struct {
	list    []scenario
	results []result
	idle    []idleFigure
	starts  []startFigure
	files   int // open files that the system allows
	began   time.Time
	command string
}

func rateOf(s sample) float64 { return s.rate }
func cpuOf(s sample) float64  { return s.cpu }
func p50Of(s sample) float64  { return s.p50 }
func p99Of(s sample) float64  { return s.p99 }

// report writes what was found, in Markdown.
func report(w io.Writer, o options, f findings) error {
	var b strings.Builder
	heading(&b, o, f)
	for _, group := range groupsOf(f.list) {
		table(&b, group, f)
	}
	figures(&b, f)
	if o.portreeve != "" {
		writeTargets(&b, f)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func heading(b *strings.Builder, o options, f findings) {
	fmt.Fprintf(b, "# Measured beside nginx\n\n%s, on %s.\n\n    %s\n\n", f.began.UTC().Format("2 January 2006, 15:04 UTC"), machine(), f.command)
	fmt.Fprintf(b, "%d rounds of %v in turn, %d connections (of HTTP/2 %d with %d streams each), medians. Load by wrk with one thread, h2load, and "+
		"a Go program for WebSockets; everything on one machine, over loopback. Absolute figures mean nothing elsewhere; the ratios are medians of "+
		"each round's own ratio to the first line of its table.\n", o.rounds, o.length, o.connections, max(1, o.connections/streams), streams)
	b.WriteString("\nnginx and Go's own bare proxy: no authentication, no access log.")
	if o.portreeve != "" {
		b.WriteString(" Portreeve, on every request of every line:\n\n")
		for _, check := range onThePath {
			fmt.Fprintf(b, "- %s\n", check)
		}
		b.WriteString("\nBefore the runs each process refused a request without token and one with a changed token, named the caller to the " +
			"upstream without passing the credential, told of its rate limit, and wrote its access log. One wrong answer in a run ends the " +
			"benchmark. No audit event falls on the path: only changes make them.")
	}
	b.WriteString("\n")
}

// onThePath is what every measured request goes through.
var onThePath = []string{
	"the strict check of the request's head, before the engine",
	"the site by host; the path in canonical form; the route",
	"the rate limit by address and by caller, counting",
	"the RS256 token: parsed strictly, remembered by its digest, expiry and keys still in force (never seen before: signature, issuer, audience, times)",
	"RBAC: the role of the claim, a required permission",
	"client headers stripped by folded name, identity headers set, the credential taken away",
	"the end of the credential watched for as long as the exchange runs",
	"the access log in a file, one JSON line per request; metrics",
}

func table(b *strings.Builder, group string, f findings) {
	fmt.Fprintf(b, "\n## %s\n\n| scenario | a second | ratio | CPU s/1k | ratio | p50 ms | ratio | p99 ms | ratio | MB idle | MB after |\n"+
		"|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n", group)
	var floor []sample
	for i, r := range f.results {
		s := f.list[i]
		if s.group != group {
			continue
		}
		if floor == nil {
			floor = r.samples
		}
		fmt.Fprintf(b, "| %s | %.0f | %.2f | %.4f | %.2f | %.2f | %.2f | %.2f | %.2f | %s | %.0f |\n", s.name,
			median(r.samples, rateOf), ratio(r.samples, floor, rateOf), median(r.samples, cpuOf), ratio(r.samples, floor, cpuOf),
			median(r.samples, p50Of), ratio(r.samples, floor, p50Of), median(r.samples, p99Of), ratio(r.samples, floor, p99Of),
			megabytes(s.target.idle), r.memory)
	}
}

func megabytes(mb float64) string {
	if mb == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", mb)
}

func groupsOf(list []scenario) (groups []string) {
	for _, s := range list {
		if !slices.Contains(groups, s.group) {
			groups = append(groups, s.group)
		}
	}
	return groups
}

// figures are those that are no rates.
func figures(b *strings.Builder, f findings) {
	if len(f.idle) > 0 {
		fmt.Fprintf(b, "\n## Idle connections\n\nEach asked once through the proxy and then stayed, plain HTTP/1.1; the system allows %d open files a process.\n\n"+
			"| who | connections | MB before | MB with them | KB each | still served |\n|---|--:|--:|--:|--:|---|\n", f.files)
		for _, i := range f.idle {
			fmt.Fprintf(b, "| %s | %d | %.0f | %.0f | %.1f | %s |\n", i.name, i.connections, i.before, i.after, i.each(), yes(i.kept))
		}
	}
	if len(f.starts) > 0 {
		b.WriteString("\n## Start\n\n| routes and roles | ms to the first answer | MB two seconds later |\n|--:|--:|--:|\n")
		for _, s := range f.starts {
			fmt.Fprintf(b, "| %d | %.0f | %.0f |\n", s.routes, s.ms, s.memory)
		}
	}
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// machine names what this ran on, by its processor and nothing else of it.
func machine() string {
	model := runtime.GOARCH
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	version, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-")
	load, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(load), " ")
	return fmt.Sprintf("%d processors (%s), Linux %s, %s; load average at the end %s", runtime.NumCPU(), model, version, runtime.Version(), one)
}

func median(list []sample, of func(sample) float64) float64 {
	values := make([]float64, len(list))
	for i, s := range list {
		values[i] = of(s)
	}
	return middle(values)
}

// ratio is the median over the rounds of one scenario against another.
func ratio(list, against []sample, of func(sample) float64) float64 {
	values := make([]float64, 0, len(list))
	for i := range list {
		if i < len(against) && of(against[i]) > 0 {
			values = append(values, of(list[i])/of(against[i]))
		}
	}
	return middle(values)
}

// middle is the median; NaN of nothing.
func middle(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	if n := len(values); n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[len(values)/2]
}
