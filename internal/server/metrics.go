package server

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/park"
)

// Metrics are the figures at /metrics. Labels take only values of bounded
// number: sites, status codes, reasons.
type Metrics struct {
	Registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	refusals *prometheus.CounterVec
	repaired *prometheus.CounterVec
	address  *prometheus.CounterVec
	links    *prometheus.CounterVec

	answers sync.Map // answer → *counted: looking a metric up by its labels is slow
}

// answer is what an answered request is counted by.
type answer struct {
	site   string
	status int
}

// counted are the metrics of an answer.
type counted struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
}

// NewMetrics makes the registry. The functions are asked at each scrape.
func NewMetrics(parked func() park.Stats, keys func() []keyset.Health, upstreams func() []UpstreamHealth) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "portreeve", Name: name, Help: help}, labels)
	}
	m := &Metrics{Registry: prometheus.NewRegistry(),
		requests: counter("requests_total", "Requests answered.", "site", "status"),
		refusals: counter("refusals_total", "Requests refused, by reason.", "site", "reason"),
		repaired: counter("path_repairs_total", "Paths that strictness: report let through in canonical form.", "problem"),
		address:  counter("client_address_problems_total", "Requests whose trusted proxy's header about the client did not count.", "problem"),
		links:    counter("links_total", "What came of requests to an app's links.", "site", "outcome"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "portreeve", Name: "request_seconds",
			Help: "Time from the head of a request to the end of its answer.", Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 12)}, []string{"site"}),
	}
	m.Registry.MustRegister(m.requests, m.refusals, m.repaired, m.address, m.links, m.seconds,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&asked{parked: parked, keys: keys}, upstreamFigures(upstreams))
	return m
}

// Request counts one answered request.
func (m *Metrics) Request(site string, status int, took time.Duration, reason string) {
	c := m.counted(site, status)
	c.requests.Inc()
	c.seconds.Observe(took.Seconds())
	if reason != "" {
		m.refusals.WithLabelValues(site, reason).Inc()
	}
}

// counted finds the metrics of an answer. Sites and status codes are few, so
// what is kept is bounded as the metrics themselves are.
func (m *Metrics) counted(site string, status int) *counted {
	key := answer{site, status}
	if c, ok := m.answers.Load(key); ok {
		return c.(*counted)
	}
	c, _ := m.answers.LoadOrStore(key, &counted{m.requests.WithLabelValues(site, strconv.Itoa(status)), m.seconds.WithLabelValues(site)})
	return c.(*counted)
}

// Repaired counts a path that strictness: report let through.
func (m *Metrics) Repaired(problem string) { m.repaired.WithLabelValues(problem).Inc() }

// AddressProblem counts a trusted proxy's header that did not count.
func (m *Metrics) AddressProblem(problem string) { m.address.WithLabelValues(problem).Inc() }

// Link counts what came of a request to an app's links.
func (m *Metrics) Link(site, outcome string) { m.links.WithLabelValues(site, outcome).Inc() }

// asked collects what is only known at the moment of a scrape.
type asked struct {
	parked func() park.Stats
	keys   func() []keyset.Health
}

var (
	parkedRunning = prometheus.NewDesc("portreeve_parked_running", "Parked jobs that run now.", nil, nil)
	parkedQueued  = prometheus.NewDesc("portreeve_parked_queued", "Parked jobs that wait for a worker.", nil, nil)
	keysReady     = prometheus.NewDesc("portreeve_keys_ready", "1 if the issuer's keys are at hand.", []string{"provider"}, nil)
	keysFetched   = prometheus.NewDesc("portreeve_keys_fetched_timestamp_seconds", "When the keys in use were fetched.", []string{"provider"}, nil)
	keysAlarms    = prometheus.NewDesc("portreeve_keys_alarms", "Members of the key set in use that publish a secret.", []string{"provider"}, nil)
)

// Describe implements prometheus.Collector: the figures vary with the
// configuration, so none is promised.
func (*asked) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (a *asked) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	p := a.parked()
	gauge(parkedRunning, float64(p.Running))
	gauge(parkedQueued, float64(p.Queued))
	seen := map[string]bool{}
	for _, h := range a.keys() {
		if seen[h.Name] { // two sites may fetch the keys of one name apart
			continue
		}
		seen[h.Name] = true
		ready := 0.0
		if h.Ready {
			ready = 1
		}
		gauge(keysReady, ready, h.Name)
		gauge(keysAlarms, float64(h.Alarms), h.Name)
		if !h.Fetched.IsZero() {
			gauge(keysFetched, float64(h.Fetched.Unix()), h.Name)
		}
	}
}
