package session

import (
	"time"

	"github.com/portreeve/portreeve/internal/config"
)

// Defaults and bounds.
const (
	defaultIdle     = 30 * time.Minute
	defaultAbsolute = 12 * time.Hour
	defaultPerUser  = 10
	longest         = 90 * 24 * time.Hour
	mostPerUser     = 100
)

// Config is how long browsers' sessions last. A change holds for sessions that
// begin after it.
type Config struct {
	// Idle is how long a session lasts without being used: 30m unless set.
	Idle *config.Duration `json:"idle"`
	// Absolute is how long a session lasts at most: 12h unless set.
	Absolute *config.Duration `json:"absolute"`
	// PerUser is how many sessions one person can have at a time, the oldest of which end: 10 unless set.
	PerUser *int `json:"perUser"`
}

// Validate reports what is wrong with the settings.
func (c *Config) Validate(r *config.Reporter) {
	for _, d := range []struct {
		key   string
		value *config.Duration
	}{{"idle", c.Idle}, {"absolute", c.Absolute}} {
		if d.value != nil && (d.value.Std() < time.Minute || d.value.Std() > longest) {
			r.Errorf(d.key, "must be from 1m to 90d")
		}
	}
	if l := c.limits(); l.idle > l.absolute {
		r.Errorf("idle", "is longer than absolute, so it would end nothing")
	}
	if c.PerUser != nil && (*c.PerUser < 1 || *c.PerUser > mostPerUser) {
		r.Errorf("perUser", "must be from 1 to %d", mostPerUser)
	}
}

// limits are the settings with what is not written.
type limits struct {
	idle, absolute time.Duration
	perUser        int
}

func (c *Config) limits() limits {
	l := limits{defaultIdle, defaultAbsolute, defaultPerUser}
	if c == nil {
		return l
	}
	if c.Idle != nil {
		l.idle = c.Idle.Std()
	}
	if c.Absolute != nil {
		l.absolute = c.Absolute.Std()
	}
	if c.Idle == nil {
		l.idle = min(l.idle, l.absolute)
	}
	if c.PerUser != nil {
		l.perUser = *c.PerUser
	}
	return l
}
