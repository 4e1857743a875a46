package server

import "github.com/prometheus/client_golang/prometheus"

// TextCount is how many requests for a text had an outcome. Campaign is one of
// the file's, "" for any other.
type TextCount struct {
	Site, Campaign, Outcome string
	N                       uint64
}

// TextFigures collects at a scrape what came of requests for texts; nil where
// nobody is asked for any.
type TextFigures func() []TextCount

var textsTotal = prometheus.NewDesc("portreeve_sms_requests_total", "Requests for a text, by campaign and outcome.", []string{"site", "campaign", "outcome"}, nil)

// Describe implements prometheus.Collector: which campaigns there are varies with
// the configuration.
func (TextFigures) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (f TextFigures) Collect(out chan<- prometheus.Metric) {
	for _, c := range f() {
		out <- prometheus.MustNewConstMetric(textsTotal, prometheus.CounterValue, float64(c.N), c.Site, c.Campaign, c.Outcome)
	}
}
