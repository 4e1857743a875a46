package server

import (
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/portreeve/portreeve/internal/proxy"
)

// UpstreamHealth is the state of one upstream. Upstream is its name, or where
// it stands in the file; addresses stand in the rest, which is for the admin
// listener alone.
type UpstreamHealth struct {
	Upstream string `json:"upstream"`
	proxy.GroupHealth
}

// upstreamFigures collects the state of upstreams at a scrape. /metrics may be
// public, so members go by their number in `urls`.
type upstreamFigures func() []UpstreamHealth

var (
	upstreamUp = prometheus.NewDesc("portreeve_upstream_up",
		"1 if the member takes requests: its checks pass and it can be connected to.", []string{"upstream", "member"}, nil)
	upstreamRunning = prometheus.NewDesc("portreeve_upstream_requests_running",
		"Requests that are at the member now.", []string{"upstream", "member"}, nil)
	upstreamRetries = prometheus.NewDesc("portreeve_upstream_retries_total",
		"Requests that were tried at another member.", []string{"upstream"}, nil)
)

// Describe implements prometheus.Collector: which upstreams there are varies
// with the configuration.
func (upstreamFigures) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector. Upstreams that share a name but not
// their settings are one: up where all say so, with all their requests.
func (f upstreamFigures) Collect(out chan<- prometheus.Metric) {
	type key struct {
		upstream string
		member   int
	}
	up, running, retries := map[key]bool{}, map[key]int64{}, map[string]uint64{}
	for _, u := range f() {
		u.Upstream = strings.ToValidUTF8(u.Upstream, "?") // or the figure would panic
		retries[u.Upstream] += u.Retries
		for i, m := range u.Members {
			k := key{u.Upstream, i}
			was, known := up[k]
			up[k] = m.Up && (was || !known)
			for _, a := range m.Addresses {
				running[k] += a.Running
			}
		}
	}
	for k, is := range up {
		value := 0.0
		if is {
			value = 1
		}
		member := strconv.Itoa(k.member)
		out <- prometheus.MustNewConstMetric(upstreamUp, prometheus.GaugeValue, value, k.upstream, member)
		out <- prometheus.MustNewConstMetric(upstreamRunning, prometheus.GaugeValue, float64(running[k]), k.upstream, member)
	}
	for name, n := range retries {
		out <- prometheus.MustNewConstMetric(upstreamRetries, prometheus.CounterValue, float64(n), name)
	}
}
