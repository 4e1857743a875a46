package mfa

import (
	"math"
	"strconv"
	"time"
)

// inWords is a span as people say it, rounded up.
func inWords(d time.Duration) string {
	unit, n := "minute", int(math.Ceil(d.Minutes()))
	if n > 90 {
		unit, n = "hour", int(math.Ceil(d.Hours()))
	}
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(max(n, 1)) + " " + unit
}
