package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report writes the table. Ratios are medians of each round's own ratio to the
// floor, so that a slow round is slow on both sides.
func report(w io.Writer, o options, list []scenario, results []result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rounds of %v, wrk with one thread and %d connections, %d processors, %s, medians.\n",
		o.rounds, o.length, o.connections, runtime.NumCPU(), runtime.Version())
	b.WriteString("nginx: no authentication, no access log.")
	if o.portreeve != "" {
		b.WriteString(" Portreeve: RS256 tokens, RBAC, identity headers, rate limit and access log on; before the runs each process " +
			"refused a request without token and one with a changed token, named the caller to the upstream without passing the " +
			"credential, told of its rate limit, and wrote its access log.")
	}
	b.WriteString("\n\n")
	b.WriteString("| scenario | req/s | of nginx | CPU s/1k | of nginx | p50 ms | p99 ms | of nginx | MB idle | MB after | start ms |\n")
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	floor := results[0].samples
	for i, r := range results {
		rate, cpu := func(s sample) float64 { return s.rate }, func(s sample) float64 { return s.cpu }
		p50, p99 := func(s sample) float64 { return s.p50 }, func(s sample) float64 { return s.p99 }
		fmt.Fprintf(&b, "| %s | %.0f | %.2f | %.4f | %.2f | %.2f | %.2f | %.2f | %.0f | %.0f | %.0f |\n", list[i].name,
			median(r.samples, rate), ratio(r.samples, floor, rate),
			median(r.samples, cpu), ratio(r.samples, floor, cpu),
			median(r.samples, p50), median(r.samples, p99), ratio(r.samples, floor, p99),
			list[i].target.idle, r.memory, float64(list[i].target.ready)/float64(time.Millisecond))
	}
	_, err := io.WriteString(w, b.String())
	return err
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
		if d := of(against[i]); d > 0 {
			values = append(values, of(list[i])/d)
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
