package metric

import (
	"cmp"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

const (
	defaultBatch    = 50
	mostBatch       = 1000
	defaultInterval = 5 * time.Second
	longestInterval = 5 * time.Minute
)

// Config is the key metrics.
type Config struct {
	// URL is where batches are sent.
	URL config.URL `json:"url" conf:"required"`
	// Key is sent as a bearer token.
	Key secret.Value `json:"key"`
	// Batch is how many events one request holds at most: 50 unless set.
	Batch int `json:"batch"`
	// Interval is how long events wait for others: 5s unless set.
	Interval config.Duration `json:"interval"`
}

// Validate reports what the types cannot say.
func (c *Config) Validate(r *config.Reporter) {
	if r.Has("batch") && (c.Batch < 1 || c.Batch > mostBatch) {
		r.Errorf("batch", "must be from 1 to %d", mostBatch)
	}
	if r.Has("interval") && (c.Interval.Std() < 100*time.Millisecond || c.Interval.Std() > longestInterval) {
		r.Errorf("interval", "must be from 100ms to %s", longestInterval)
	}
}

func (c *Config) batch() int {
	return min(cmp.Or(max(c.Batch, 0), defaultBatch), mostBatch)
}
