package server

import "github.com/prometheus/client_golang/prometheus"

// ShippingHealth is what became of the log entries that go to a service.
type ShippingHealth struct {
	Sent, Dropped int64
	Queued        int
}

// ShippingFigures collects at a scrape what became of log entries; nil where none
// goes anywhere.
type ShippingFigures func() *ShippingHealth

var (
	shippingSent    = prometheus.NewDesc("portreeve_log_shipped_total", "Log entries that the intake took.", nil, nil)
	shippingDropped = prometheus.NewDesc("portreeve_log_dropped_total", "Log entries that were dropped: no room, or the intake did not want them.", nil, nil)
	shippingQueued  = prometheus.NewDesc("portreeve_log_queued", "Log entries that wait to be sent.", nil, nil)
)

// Describe implements prometheus.Collector: not every configuration ships.
func (ShippingFigures) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (f ShippingFigures) Collect(out chan<- prometheus.Metric) {
	h := f()
	if h == nil {
		return
	}
	out <- prometheus.MustNewConstMetric(shippingSent, prometheus.CounterValue, float64(h.Sent))
	out <- prometheus.MustNewConstMetric(shippingDropped, prometheus.CounterValue, float64(h.Dropped))
	out <- prometheus.MustNewConstMetric(shippingQueued, prometheus.GaugeValue, float64(h.Queued))
}
