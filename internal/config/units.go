package config

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"time"
)

const (
	durationForm = "must be a duration such as 1500ms, 10m, 24h or 30d"
	sizeForm     = "must be a size in bytes or such as 64KiB or 10MiB"
)

func readDuration(d *Document, n *node, v reflect.Value, path string) bool {
	if n.isNumber() && n.text != "0" {
		d.report(path, false, durationForm+"; the number "+shown(n.text)+" has no unit")
		return false
	}
	return d.measured(n, path, durationForm, func(s string) bool {
		span, ok := parseDuration(s)
		v.SetInt(int64(span))
		return ok
	})
}

func readSize(d *Document, n *node, v reflect.Value, path string) bool {
	return d.measured(n, path, sizeForm, func(s string) bool {
		size, ok := parseSize(s)
		v.SetInt(size)
		return ok
	})
}

// measured reads a number with a unit, quoted or not.
func (d *Document) measured(n *node, path, form string, set func(string) bool) bool {
	if n.kind != Scalar {
		return d.wrong(n, text{}, path, form)
	}
	t, ok := d.resolve(n, path)
	return ok && (set(t.String()) || d.wrong(n, t, path, form))
}

var days = regexp.MustCompile(`^([0-9]{1,5})d$`)

// parseDuration reads Go's form, or whole days; never negative.
func parseDuration(s string) (time.Duration, bool) {
	if m := days.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[1])
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	span, err := time.ParseDuration(s)
	return span, err == nil && span >= 0
}

var (
	sized     = regexp.MustCompile(`^([0-9]{1,19})([KMG]i?B)?$`)
	sizeUnits = map[string]int64{
		"": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	}
)

// parseSize reads a number of bytes, or one with a unit.
func parseSize(s string) (int64, bool) {
	m := sized.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	unit := sizeUnits[m[2]]
	if err != nil || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}

// ParseDuration reads what a Duration is written as.
func ParseDuration(s string) (Duration, error) {
	d, ok := parseDuration(s)
	if !ok {
		return 0, fmt.Errorf("%q is no duration", s)
	}
	return Duration(d), nil
}
