package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// StoreHealth is the state of the store as this process sees it.
type StoreHealth struct {
	Engine string    `json:"engine"`        // sqlite or postgres
	Seq    int64     `json:"seq"`           // of the last change that was taken in
	Read   time.Time `json:"read,omitzero"` // when the changes were read last; zero: never
	Fresh  bool      `json:"fresh"`         // within store.maxStale: decisions may rely on what is remembered
	Lost   int64     `json:"usageLost"`     // calls that usage had no room to count
}

// StoreFigures collects the state of the store at a scrape; nil where there is
// none.
type StoreFigures func() *StoreHealth

var (
	storeFresh = prometheus.NewDesc("portreeve_store_fresh", "1 if the store's changes were read within store.maxStale.", []string{"engine"}, nil)
	storeRead  = prometheus.NewDesc("portreeve_store_read_timestamp_seconds", "When the store's changes were read last.", []string{"engine"}, nil)
	storeSeq   = prometheus.NewDesc("portreeve_store_change_sequence", "The last change of the store that was taken in.", []string{"engine"}, nil)
	usageLost  = prometheus.NewDesc("portreeve_usage_lost_total", "Calls that could not be counted for lack of room.", nil, nil)
)

// Describe implements prometheus.Collector: a process may have no store.
func (StoreFigures) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (f StoreFigures) Collect(out chan<- prometheus.Metric) {
	h := f()
	if h == nil {
		return
	}
	fresh := 0.0
	if h.Fresh {
		fresh = 1
	}
	out <- prometheus.MustNewConstMetric(storeFresh, prometheus.GaugeValue, fresh, h.Engine)
	out <- prometheus.MustNewConstMetric(storeSeq, prometheus.GaugeValue, float64(h.Seq), h.Engine)
	if !h.Read.IsZero() {
		out <- prometheus.MustNewConstMetric(storeRead, prometheus.GaugeValue, float64(h.Read.UnixMilli())/1000, h.Engine)
	}
	out <- prometheus.MustNewConstMetric(usageLost, prometheus.CounterValue, float64(h.Lost))
}
