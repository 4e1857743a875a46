package server

import "github.com/prometheus/client_golang/prometheus"

// LoginHealth is what sign-ins in front of a provider came to.
type LoginHealth struct {
	Outcomes []LoginOutcome
	Castle   []CastleHealth
	Tracked  []TrackedHealth
}

// LoginOutcome is how many attempts of an operation came to the same end.
type LoginOutcome struct {
	Site, Operation, Outcome string
	N                        uint64
}

// CastleHealth is what Castle said at a site.
type CastleHealth struct {
	Site                        string
	Allowed, Challenged, Denied int64
	Failing, Refused            int64
	Sent, Dropped               int64
	Queued                      int
}

// TrackedHealth is what became of events that a site's applications track.
type TrackedHealth struct {
	Site                 string
	Taken, Sent, Dropped int64
	Queued               int
}

// LoginFigures collects at a scrape what sign-ins came to.
type LoginFigures func() LoginHealth

var (
	loginAttempts  = prometheus.NewDesc("portreeve_login_attempts_total", "Attempts to sign in at a provider's edge, by what came of them.", []string{"site", "operation", "outcome"}, nil)
	castleVerdicts = prometheus.NewDesc("portreeve_castle_verdicts_total", "Verdicts on attempts, those of onError among them.", []string{"site", "action"}, nil)
	castleFailing  = prometheus.NewDesc("portreeve_castle_failing_total", "Calls that Castle did not answer as it should: onError counted.", []string{"site"}, nil)
	castleRefused  = prometheus.NewDesc("portreeve_castle_refused_total", "Calls that Castle refused for our secret or address: nobody signs in.", []string{"site"}, nil)
	castleEvents   = prometheus.NewDesc("portreeve_castle_events_total", "Events behind answers, sent or dropped.", []string{"site", "outcome"}, nil)
	castleQueued   = prometheus.NewDesc("portreeve_castle_events_queued", "Events behind answers that wait.", []string{"site"}, nil)
	trackedEvents  = prometheus.NewDesc("portreeve_tracked_events_total", "Events that applications track: taken, sent on, dropped.", []string{"site", "outcome"}, nil)
	trackedQueued  = prometheus.NewDesc("portreeve_tracked_events_queued", "Events that applications track and that wait.", []string{"site"}, nil)
)

// Describe implements prometheus.Collector: which sites there are varies with the
// configuration.
func (LoginFigures) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (f LoginFigures) Collect(out chan<- prometheus.Metric) {
	total := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	now := func(d *prometheus.Desc, v int, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	h := f()
	for _, o := range h.Outcomes {
		total(loginAttempts, float64(o.N), o.Site, o.Operation, o.Outcome)
	}
	for _, c := range h.Castle {
		total(castleVerdicts, float64(c.Allowed), c.Site, "allow")
		total(castleVerdicts, float64(c.Challenged), c.Site, "challenge")
		total(castleVerdicts, float64(c.Denied), c.Site, "deny")
		total(castleFailing, float64(c.Failing), c.Site)
		total(castleRefused, float64(c.Refused), c.Site)
		total(castleEvents, float64(c.Sent), c.Site, "sent")
		total(castleEvents, float64(c.Dropped), c.Site, "dropped")
		now(castleQueued, c.Queued, c.Site)
	}
	for _, t := range h.Tracked {
		total(trackedEvents, float64(t.Taken), t.Site, "taken")
		total(trackedEvents, float64(t.Sent), t.Site, "sent")
		total(trackedEvents, float64(t.Dropped), t.Site, "dropped")
		now(trackedQueued, t.Queued, t.Site)
	}
}
